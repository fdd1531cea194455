"""How Babel finds the texts of our Python files (``babel.cfg``): marked ones, and the sentences of problems."""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python

__all__ = ["extract"]

PROBLEM = "ProblemError"


def extract(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[Any]:
    """Yield (line, function, text, comments) of texts in calls of ``keywords`` and of what a problem says."""
    yield from extract_python(file, keywords, comment_tags, dict(options))  # type: ignore[arg-type]
    file.seek(0)
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == PROBLEM:
            said = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "remedy")]
            texts = [text for text in said if isinstance(text, ast.Constant) and isinstance(text.value, str)]
            yield from ((text.lineno, "gettext", text.value, []) for text in texts)
