"""Where values of settings come from: the file in the home, with the line of each key, and the
environment.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_contracts.errors import SettingsError
from pipelines.settings.former_names import former_name, rename_path, replace_former_names
from serving.context.settings import ServingSettings

__all__ = [
    "ENVIRONMENT_PREFIX",
    "NESTED_BY",
    "SETTINGS_FILE",
    "EnvironmentVariable",
    "SettingsFile",
    "list_variables",
    "read_settings_file",
    "translate_environment",
]

SETTINGS_FILE = "forestall.toml"
ENVIRONMENT_PREFIX = "FORESTALL_"
NESTED_BY = "__"
# Variables with our prefix that are no settings: the home itself, what tests read, and what the
# example in docs/examples reads in a shell of its own.
OTHER_VARIABLES = frozenset({"HOME", "URL", "TOKEN", "SECRET"})
TEST_VARIABLES = "TEST_"

KeyPath = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SettingsFile:
    """The file in a home: ``text`` as written, ``data`` under the names of today, and the former
    names that stand in it.
    """

    path: Path
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    former: tuple[KeyPath, ...] = ()

    def spell_path(self, path: KeyPath) -> KeyPath:
        """Return ``path`` as it is written in the file, which may be under a former name."""
        for old in self.former:
            new = rename_path(old)
            if path[: len(new)] == new:
                return old + path[len(new) :]
        return path

    def holds_path(self, path: KeyPath) -> bool:
        """Return whether the file gives a value for ``path``, a name of today."""
        return _holds_path(self.data, path)

    def find_line(self, path: KeyPath) -> int | None:
        """Return the line, from 1, on which ``path`` (as written) first stands.

        The parser keeps no lines, so the file is parsed in growing pieces: a piece that ends inside
        a value cannot be parsed, and the key begins after the last piece that could and lacked it.
        """
        lines = self.text.splitlines(keepends=True)
        begins_on = 1
        for count in range(1, len(lines) + 1):
            try:
                data = tomllib.loads("".join(lines[:count]))
            except tomllib.TOMLDecodeError:
                continue
            if _holds_path(data, path):
                return begins_on
            begins_on = count + 1
        return None


@dataclass(frozen=True)
class EnvironmentVariable:
    """One variable ``name`` with our prefix; ``path`` is what it sets, under the name of today."""

    name: str
    path: KeyPath
    former: KeyPath | None = None


def read_settings_file(path: Path) -> SettingsFile:
    """Return the settings file at ``path``; an absent one is empty.

    Raises ``SettingsError`` if it is no TOML; the message says on which line.
    """
    if not path.is_file():
        return SettingsFile(path=path)
    try:
        text = path.read_text(encoding="utf-8")
        data, former = replace_former_names(tomllib.loads(text))
    except ValueError as error:  # no UTF-8, or no TOML
        raise SettingsError(
            f"{path} cannot be read: {error}", remedy="Correct the file's TOML."
        ) from error
    return SettingsFile(path=path, text=text, data=data, former=former)


def list_variables(
    environment: Mapping[str, str], *, top_level: Collection[str]
) -> list[EnvironmentVariable]:
    """Return the variables of ``environment`` that set something, those of former names last.

    ``top_level`` are the names at the top of the tree. ``FORESTALL_QUEUE_DAYS`` sets
    ``serving.queue_days``: serving's settings stand in the environment without their section too.
    """
    found = []
    for name in environment:
        upper = name.upper()
        rest = upper.removeprefix(ENVIRONMENT_PREFIX)
        if rest == upper or rest in OTHER_VARIABLES or rest.startswith(TEST_VARIABLES):
            continue
        spelled = tuple(rest.lower().split(NESTED_BY))
        if spelled[0] in ServingSettings.model_fields and spelled[0] not in top_level:
            found.append(EnvironmentVariable(name, ("serving", *spelled)))
        else:
            found.append(EnvironmentVariable(name, rename_path(spelled), former_name(spelled)))
    return sorted(found, key=lambda variable: (variable.former is not None, variable.name))


def translate_environment(
    environment: Mapping[str, str], *, top_level: Collection[str]
) -> dict[str, str]:
    """Return the variables that set something, in lower case and under nested names of today."""
    translated: dict[str, str] = {}
    for variable in list_variables(environment, top_level=top_level):
        key = f"{ENVIRONMENT_PREFIX}{NESTED_BY.join(variable.path)}".lower()
        nested = variable.name.lower() == key
        if nested or key not in translated:  # the nested name is the stronger of two
            translated[key] = environment[variable.name]
    return translated


def _holds_path(data: object, path: KeyPath) -> bool:
    for key in path:
        if not isinstance(data, Mapping) or key not in data:
            return False
        data = data[key]
    return True
