"""Every key of a settings tree, read off its JSON schema: path, bounds, default and meaning."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

__all__ = ["SettingKey", "find_key", "list_keys", "suggest_key"]

KeyPath = tuple[str, ...]
Schema = Mapping[str, Any]

CLOSE = 0.6  # how alike a wrong key and a suggestion must be, from 0 to 1 as difflib counts


@dataclass(frozen=True, kw_only=True)
class SettingKey:
    """One key: ``path`` from the top, where ``<dataset>`` stands for any name, and the JSON schema
    of its value.
    """

    path: KeyPath
    schema: Schema

    @property
    def dotted(self) -> str:
        """The path as the file's dotted key."""
        return ".".join(self.path)

    def accepts_path(self, path: KeyPath) -> bool:
        """Return whether ``path`` is this key, a name inside its table, or its section."""
        inside = len(path) > len(self.path) and "additionalProperties" in self.schema
        return (inside or len(path) <= len(self.path)) and all(
            own == given or own.startswith("<") for own, given in zip(self.path, path, strict=False)
        )


def list_keys(model: type[BaseModel]) -> list[SettingKey]:
    """Return all keys of ``model`` in the order in which they are declared."""
    schema = model.model_json_schema()
    return list(_walk_schema(schema, (), definitions=schema.get("$defs", {})))


def find_key(keys: Sequence[SettingKey], path: KeyPath) -> SettingKey | None:
    """Return the key that ``path`` sets, or the first one of the section it names; None if there is
    neither.
    """
    return next((key for key in keys if key.accepts_path(path)), None)


def suggest_key(keys: Sequence[SettingKey], path: KeyPath, *, close: float = CLOSE) -> str | None:
    """Return the dotted key that ``path`` was most likely meant to be, or None if nothing is close.

    The same name in another section comes first, then what is spelled alike.
    """
    paths = [_fill_placeholders(key.path, path) for key in keys]
    by_name = {known[-1]: ".".join(known) for known in reversed(paths)}
    sections = {".".join(known[:end]) for known in paths for end in range(1, len(known))}
    if path[-1] in by_name:
        return by_name[path[-1]]
    candidates = [".".join(known) for known in paths] + sorted(sections)
    alike = get_close_matches(".".join(path), candidates, n=1, cutoff=close)
    if alike:
        return alike[0]
    names = get_close_matches(path[-1], by_name, n=1, cutoff=max(close, 0.75))
    return by_name[names[0]] if names else None


def _fill_placeholders(path: KeyPath, given: KeyPath) -> KeyPath:
    """``path`` with the names that ``given`` has where ``path`` takes any."""
    if len(path) != len(given):
        return path
    return tuple(
        name if own.startswith("<") else own for own, name in zip(path, given, strict=True)
    )


def _walk_schema(
    schema: Schema, path: KeyPath, *, definitions: Mapping[str, Schema]
) -> Iterator[SettingKey]:
    for name, below in schema.get("properties", {}).items():
        yield from _keys_below(below, (*path, name), definitions=definitions)


def _keys_below(
    schema: Schema, path: KeyPath, *, definitions: Mapping[str, Schema]
) -> Iterator[SettingKey]:
    resolved = _resolve_schema(schema, definitions)
    inner = resolved
    for placeholder in schema.get("placeholders", ()):
        inner = _resolve_schema(inner["additionalProperties"], definitions)
        path = (*path, f"<{placeholder}>")
    if "properties" in inner:
        yield from _walk_schema(inner, path, definitions=definitions)
    else:
        yield SettingKey(path=path, schema=resolved)


def _resolve_schema(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    reference = schema.get("$ref")
    return definitions[reference.rpartition("/")[2]] if reference else schema
