"""The page that lists every setting, and the values in force with where each came from."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydantic import SecretStr

from pipelines.settings.file_and_environment import (
    SETTINGS_FILE,
    EnvironmentVariable,
    SettingsFile,
    list_variables,
    read_settings_file,
)
from pipelines.settings.former_names import FORMER_NAMES
from pipelines.settings.installation_settings import Settings
from pipelines.settings.keys import SettingKey, list_keys
from pipelines.settings.problems import locate_key, name_variable

__all__ = ["SettingValue", "list_values", "settings_documentation"]

KeyPath = tuple[str, ...]
Schema = Mapping[str, Any]

TYPE_WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "array": "list",
    "object": "table",
    "null": "none",
}
BOUND_WORDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "pattern": "`{}`",
}


@dataclass(frozen=True, kw_only=True)
class SettingValue:
    """One value in force; ``origin`` is the variable, the file with its line, or ``default``."""

    key: str
    value: str
    origin: str


def settings_documentation() -> str:
    """Return every setting as a Markdown page, one table a section."""
    keys = list_keys(Settings)
    top = [key for key in keys if len(key.path) == 1]
    nested = [key for key in keys if len(key.path) > 1]
    sections = [_section("At the top", top)]
    sections += [
        _section(f"`[{name}]`", list(members)) for name, members in groupby(nested, _section_name)
    ]
    return "\n\n".join([_INTRODUCTION, *sections, _former_names()]) + "\n"


def list_values(settings: Settings) -> list[SettingValue]:
    """Return the values in force, in the order of the page; secrets and passwords are hidden."""
    file = read_settings_file(settings.home / SETTINGS_FILE)
    variables = list_variables(os.environ, top_level=Settings.model_fields)
    dumped = settings.model_dump()
    return [
        SettingValue(
            key=".".join(path),
            value=_show_value(path, _value_at(dumped, path)),
            origin=_find_origin(path, file=file, variables=variables),
        )
        for path in _paths_in_force(list_keys(Settings), settings)
    ]


def _paths_in_force(keys: Sequence[SettingKey], settings: Settings) -> Iterable[KeyPath]:
    for key in keys:
        if key.path[0] != "feeds":
            yield key.path
    for dataset, sources in settings.feeds.items():
        for source, feed in sources.items():
            yield from (("feeds", dataset, source, name) for name in type(feed).model_fields)


def _find_origin(
    path: KeyPath, *, file: SettingsFile, variables: Sequence[EnvironmentVariable]
) -> str:
    if path == ("home",):
        return "--home, FORESTALL_HOME or default"
    names = [
        one.name
        for one in variables
        if path[: len(one.path)] == one.path or one.path[: len(path)] == path
    ]
    if names:
        return ", ".join(names)
    return locate_key(file, file.spell_path(path)) if file.holds_path(path) else "default"


def _value_at(data: Mapping[str, Any], path: KeyPath) -> Any:
    value: Any = data
    for key in path:
        value = value[key]
    return value


def _show_value(path: KeyPath, value: Any) -> str:
    if isinstance(value, SecretStr):
        return str(value)  # stars
    if path[-1] == "database_url" and value:
        from sqlalchemy import make_url

        return make_url(value).render_as_string()  # without the password
    return json.dumps(value, ensure_ascii=False, default=str)


def _section_name(key: SettingKey) -> str:
    return ".".join(key.path[:-1])


def _section(title: str, keys: Sequence[SettingKey]) -> str:
    return "\n".join(
        [
            f"## {title}",
            "",
            "| key | in the environment | value | default | meaning |",
            "|---|---|---|---|---|",
            *map(_row, keys),
        ]
    )


def _row(key: SettingKey) -> str:
    variable = name_variable(key.path)
    if key.path[0] == "serving":
        variable = name_variable(key.path[1:])  # shorter; the nested name works like any other
    description = key.schema.get("description", "").rstrip(".")
    cells = (
        f"`{key.dotted}`",
        f"`{variable}`",
        _value_words(key.schema),
        _show_default(key.schema.get("default")),
        description if description[1:2].isupper() else description[:1].lower() + description[1:],
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value_words(schema: Schema) -> str:
    choices = schema.get("anyOf", [schema])
    kinds = " or ".join(TYPE_WORDS[choice["type"]] for choice in choices)
    bounds = [
        words.format(f"{schema[name]:g}" if name != "pattern" else schema[name])
        for name, words in BOUND_WORDS.items()
        if name in schema
    ]
    inside = schema.get("additionalProperties")
    if isinstance(inside, Mapping):
        bounds.append(f"each a {_value_words(inside)}")
    items = schema.get("items")
    if isinstance(items, Mapping):
        bounds.append(f"of {_value_words(items)}")
    return ", ".join([kinds, *bounds])


def _show_default(default: object) -> str:
    return "none" if default in (None, "") else f"`{json.dumps(default, ensure_ascii=False)}`"


def _former_names() -> str:
    rows = [f"| `{'.'.join(old)}` | `{'.'.join(new)}` |" for old, new in FORMER_NAMES.items()]
    return "\n".join(
        [
            "## Former names",
            "",
            "They are still read, in the file and in the environment, with a line that says the"
            " name of today.",
            "",
            "| former name | name of today |",
            "|---|---|",
            *rows,
        ]
    )


_INTRODUCTION = """# Settings

Made from `pipelines/settings/` by `forestall docs`; do not edit.

Strongest first: the environment, then `HOME/forestall.toml`, then the defaults. Nested names take
two underscores in the environment; a table is written there as JSON. A table that is given takes
the place of its default; given in both, single names of it come from either. Settings of the
section `serving` also have the shorter name that stands here: `FORESTALL_QUEUE_DAYS` and
`FORESTALL_SERVING__QUEUE_DAYS` set the same.

    # HOME/forestall.toml               # the same in the environment
    daily_budget = 30                   # FORESTALL_DAILY_BUDGET=30
    [levels]
    red = 0.5                           # FORESTALL_LEVELS__RED=0.5
    [feeds.calls.cmcc]
    delay_minutes = 15                  # FORESTALL_FEEDS__CALLS__CMCC__DELAY_MINUTES=15
    [feeds.transfers.default]           # every source of transfers that is not named
    delay_minutes = 1440
    [serving]
    queue_days = 3                      # FORESTALL_QUEUE_DAYS=3

A key of the file that is no setting, or a value that cannot be used, stops every command; the
message names the line and the nearest right key. A variable of the environment that is nearly a
setting stops it too; any other that begins with `FORESTALL_` is only reported. `forestall settings`
prints the values in force and where each comes from."""
