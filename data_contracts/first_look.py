"""Which rules of a contract a delivery breaks at all: one query over its rows, in DuckDB.

Most deliveries break none, and then nothing else has to be asked; Great Expectations is asked for
the rows of those that are broken. Both ask the same engine, and tests hold that they agree.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import duckdb

from data_contracts.contract import Rule

__all__ = ["find_broken_rules", "find_rows", "is_known_kind"]

Arguments = Mapping[str, Any]

_ROWS_OF_BATCH = "SELECT _file, _row FROM {batch} WHERE "


def find_broken_rules(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: str,
    rules: Collection[Rule],
    moments: Mapping[str, Any],
) -> tuple[Rule, ...]:
    """Return the rules that some row of ``table`` breaks, and those that cannot be asked here, in
    the order of ``rules``; all of them where one cannot be run.

    ``moments`` are the values of parameters that rules name.
    """
    conditions = [_condition(rule, moments=moments) for rule in rules]
    known = [condition for condition in conditions if condition is not None]
    if not known:
        return tuple(rules)
    columns = ", ".join(f"coalesce(bool_or({condition}), false)" for condition in known)
    query = f"SELECT {columns} FROM {table}"  # noqa: S608 -- of our contracts, no delivered value
    try:
        answers = iter(connection.execute(query).fetchone() or ())
    except duckdb.Error:
        return tuple(rules)
    return tuple(
        rule
        for rule, condition in zip(rules, conditions, strict=True)
        if condition is None or next(answers)
    )


def is_known_kind(rule: Rule) -> bool:
    """Whether the rule is of a kind that is known here."""
    return rule.expectation in _CONDITIONS


def find_rows(
    connection: duckdb.DuckDBPyConnection, *, table: str, rule: Rule, moments: Mapping[str, Any]
) -> list[tuple[str, int]]:
    """Return ``_file`` and ``_row`` of the rows that break a rule that can be asked here."""
    condition = _condition(rule, moments=moments)
    query = f"SELECT _file, _row FROM {table} WHERE {condition}"  # noqa: S608 -- of our contracts
    rows: list[tuple[str, int]] = connection.execute(query).fetchall()
    return rows


def _condition(rule: Rule, *, moments: Mapping[str, Any]) -> str | None:
    """SQL that is true of a row that breaks the rule; None for a kind of rule not known here."""
    arguments = {
        key: moments[value["$PARAMETER"]] if isinstance(value, Mapping) else value
        for key, value in rule.arguments.items()
    }
    say = _CONDITIONS.get(rule.expectation)
    return say(_name(rule.column), arguments) if say else None


def _missing(column: str, _: Arguments) -> str:
    return f"{column} IS NULL"


def _not_in_set(column: str, arguments: Arguments) -> str:
    return f"{column} NOT IN ({', '.join(map(_literal, arguments['value_set']))})"


def _not_matching(column: str, arguments: Arguments) -> str:
    return f"NOT ({column} ~ {_literal(arguments['regex'])})"


def _outside(column: str, arguments: Arguments) -> str:
    below = "<=" if arguments.get("strict_min") else "<"
    above = ">=" if arguments.get("strict_max") else ">"
    sides = [
        f"{column} {sign} {_literal(arguments[key])}"
        for key, sign in (("min_value", below), ("max_value", above))
        if arguments.get(key) is not None
    ]
    return f"({' OR '.join(sides)})"


def _not_greater(_: str, arguments: Arguments) -> str:
    sign = "<" if arguments.get("or_equal") else "<="
    return f"{_name(arguments['column_A'])} {sign} {_name(arguments['column_B'])}"


def _unexpected(_: str, arguments: Arguments) -> str | None:
    query = str(arguments["unexpected_rows_query"])
    condition = query.removeprefix(_ROWS_OF_BATCH)
    return None if condition == query else f"({condition})"


_CONDITIONS: Mapping[str, Callable[[str, Arguments], str | None]] = MappingProxyType(
    {
        "expect_column_values_to_not_be_null": _missing,
        "expect_column_values_to_be_in_set": _not_in_set,
        "expect_column_values_to_match_regex": _not_matching,
        "expect_column_values_to_be_between": _outside,
        "expect_column_pair_values_a_to_be_greater_than_b": _not_greater,
        "unexpected_rows_expectation": _unexpected,
    }
)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(value: object) -> str:
    """A value of a contract in SQL."""
    match value:
        case bool() | int() | float():
            return str(value)
        case datetime():
            return f"TIMESTAMPTZ '{value.isoformat()}'"
        case date():
            return f"DATE '{value.isoformat()}'"
    return "'" + str(value).replace("'", "''") + "'"
