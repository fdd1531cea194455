"""What is wrong with settings, in sentences that name the file, the line, the key and the nearest
right key.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from data_contracts.errors import SettingsError
from pipelines.settings.file_and_environment import (
    ENVIRONMENT_PREFIX,
    NESTED_BY,
    EnvironmentVariable,
    SettingsFile,
)
from pipelines.settings.former_names import FORMER_NAMES
from pipelines.settings.keys import SettingKey, find_key, suggest_key

__all__ = [
    "check_variables",
    "describe_former_names",
    "describe_problems",
    "locate_key",
    "name_variable",
]

KeyPath = tuple[str, ...]

# A variable that is no setting may belong to something else, so only one that is nearly a setting
# stops the command.
NEARLY = 0.85


def check_variables(
    variables: Sequence[EnvironmentVariable], *, keys: Sequence[SettingKey]
) -> list[str]:
    """Return a warning for each variable that is no setting.

    Raises ``SettingsError`` if one is spelled nearly like a setting, so it was certainly meant.
    """
    warnings = []
    for variable in variables:
        if find_key(keys, variable.path):
            continue
        suggestion = _suggest_variable(variable, keys)
        if suggestion:
            raise SettingsError(
                f"{variable.name} is no setting.", remedy=f"Did you mean {suggestion}?"
            )
        warnings.append(f"{variable.name} is no setting and has no effect")
    return warnings


def describe_former_names(
    file: SettingsFile, variables: Sequence[EnvironmentVariable]
) -> list[str]:
    """Return a line for each former name in use: where it stands, and the name of today."""
    in_file = [
        f"{locate_key(file, old)}: {'.'.join(old)} is now called {'.'.join(FORMER_NAMES[old])}"
        for old in file.former
    ]
    in_environment = [
        f"{variable.name} is now called {name_variable(variable.path)}"
        for variable in variables
        if variable.former
    ]
    return in_file + in_environment


def describe_problems(
    error: ValidationError,
    *,
    file: SettingsFile,
    variables: Sequence[EnvironmentVariable],
    keys: Sequence[SettingKey],
) -> str:
    """Return what pydantic found, one sentence a problem."""
    problems = (
        _describe_problem(item, file=file, variables=variables, keys=keys)
        for item in error.errors(include_url=False, include_input=False)
    )
    return " ".join(text if text.endswith("?") else f"{text}." for text in problems)


def locate_key(file: SettingsFile, spelled: KeyPath) -> str:
    """Return where ``spelled`` stands, as ``forestall.toml, line 3``."""
    line = file.find_line(spelled)
    return f"{file.path}, line {line}" if line else str(file.path)


def name_variable(path: KeyPath) -> str:
    """Return the environment variable that sets ``path``."""
    return f"{ENVIRONMENT_PREFIX}{NESTED_BY.join(path)}".upper()


def _describe_problem(
    item: Mapping[str, Any],
    *,
    file: SettingsFile,
    variables: Sequence[EnvironmentVariable],
    keys: Sequence[SettingKey],
) -> str:
    path = tuple(map(str, item["loc"]))
    variable = next((one for one in variables if _covers(one.path, path)), None)
    if variable:
        return f"{variable.name}: {item['msg']}"
    written = _written_part(file, path)
    if not written:
        return f"{'.'.join(path)}: {item['msg']}"
    spelled = file.spell_path(written)
    place = f"{locate_key(file, spelled)}: {'.'.join(spelled)}"
    if item["type"] == "extra_forbidden":
        suggestion = suggest_key(keys, path)
        return f"{place} is no setting" + (f", did you mean {suggestion}?" if suggestion else "")
    return f"{place}: {item['msg']}"


def _written_part(file: SettingsFile, path: KeyPath) -> KeyPath:
    """The longest beginning of ``path`` that the file holds; pydantic's ends inside a value."""
    lengths = range(len(path), 0, -1)
    return next((path[:end] for end in lengths if file.holds_path(path[:end])), ())


def _covers(outer: KeyPath, path: KeyPath) -> bool:
    return path[: len(outer)] == outer


def _suggest_variable(variable: EnvironmentVariable, keys: Sequence[SettingKey]) -> str | None:
    suggestion = suggest_key(keys, variable.path, close=NEARLY)
    return name_variable(tuple(suggestion.split("."))) if suggestion else None
