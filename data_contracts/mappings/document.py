"""A mapping's YAML as it was typed: every scalar is text, and every key knows its line.

YAML would make a number of ``01``, and a truth of ``on``. In a mapping these are what a partner's
file says, so they stay what they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

__all__ = ["Document", "DocumentError", "KeyPath", "read_document"]

KeyPath = tuple[str, ...]

_NULL = "tag:yaml.org,2002:null"
_DEEPEST = 20


class DocumentError(Exception):
    """The text is no YAML, or holds a key twice; the message names the line."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a YAML text says, and the line, from 1, of each of its keys and items."""

    data: Any
    lines: Mapping[KeyPath, int]

    def line_of(self, path: KeyPath) -> int | None:
        """Return the line of the longest beginning of ``path`` that was written."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


def read_document(text: str, *, loader: Any = yaml.SafeLoader) -> Document:
    """Read YAML; raises ``DocumentError`` where it is none.

    ``loader`` is one of PyYAML's: libyaml's is faster and says less of what is wrong.
    """
    try:
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f"line {mark.line + 1}: "
        raise DocumentError(f"{where}this is no YAML, {error.problem}") from None
    except yaml.YAMLError:
        raise DocumentError("this is no YAML: it holds characters that YAML forbids") from None
    lines: dict[KeyPath, int] = {}
    data = {} if root is None else _value(root, (), lines)
    return Document(data=data, lines=lines)


def _value(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int]) -> Any:
    if len(path) > _DEEPEST:
        raise DocumentError(f"line {node.start_mark.line + 1}: this is nested too deeply")
    if isinstance(node, yaml.MappingNode):
        return _table(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for place, item in enumerate(node.value):
            lines[(*path, str(place))] = item.start_mark.line + 1
            items.append(_value(item, (*path, str(place)), lines))
        return items
    is_null = node.tag == _NULL  # a quoted null is text
    return None if is_null else node.value


def _table(node: yaml.MappingNode, path: KeyPath, lines: dict[KeyPath, int]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise DocumentError(f"line {line}: a key is one word, not a list or a table")
        key = key_node.value
        if key in table:
            raise DocumentError(f"line {line}: {'.'.join((*path, key))} is written twice")
        lines[(*path, key)] = line
        table[key] = _value(value_node, (*path, key), lines)
    return table
