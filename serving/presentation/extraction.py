"""How Babel finds the texts of our Python files (``babel.cfg``): those that are said, and the
sentences of problems.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

__all__ = ["extract"]

ONE = frozenset({"_", "N_", "say"})
IN_CONTEXT = frozenset({"NP_"})
COUNTED = frozenset({"NN_", "plural"})
PROBLEMS = frozenset({"ProblemError"})
SENTENCES_OF_A_PROBLEM = 2  # its status and what happened; what to do about it is named


def extract(
    file: IO[bytes],
    _keywords: Mapping[str, Any],
    _comment_tags: Collection[str],
    options: Mapping[str, Any],  # noqa: ARG001 -- Babel names it
) -> Iterator[tuple[int, str, Any, list[str]]]:
    """Yield (line, function, text or its two forms, comments) of every text that a reader may see,
    as Babel asks.
    """
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, name, text, []) for name, text in _texts(node))


def _texts(call: ast.Call) -> Iterator[tuple[str, Any]]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    given = [_text(argument) for argument in call.args]
    if name in ONE and given and given[0]:
        yield "gettext", given[0]
    elif name in IN_CONTEXT and all(given[:2]):
        yield "pgettext", tuple(given[:2])
    elif name in COUNTED and all(given[:2]):
        yield "ngettext", tuple(given[:2])
    elif name in PROBLEMS:
        remedies = [_text(keyword.value) for keyword in call.keywords if keyword.arg == "remedy"]
        yield from (
            ("gettext", text) for text in [*given[:SENTENCES_OF_A_PROBLEM], *remedies] if text
        )


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
