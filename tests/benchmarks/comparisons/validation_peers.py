"""The rules of a contract in the words of other libraries; each gives the numbers of bad rows."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import polars as pl

from data_contracts.contract import Contract, Rule
from data_contracts.suites import contract_expectations

__all__ = ["Moments", "check_with_dataframely", "check_with_gx", "check_with_pandera"]

Moments = Mapping[str, Any]
NULL, SET = "expect_column_values_to_not_be_null", "expect_column_values_to_be_in_set"
REGEX, BETWEEN = "expect_column_values_to_match_regex", "expect_column_values_to_be_between"


def check_with_gx(batch: pl.DataFrame, *, contract: Contract, moments: Moments) -> set[int]:
    """Great Expectations on a pandas frame: the way that its guide shows first."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("calls").add_dataframe_asset("calls")
    definition = asset.add_batch_definition_whole_dataframe("all")
    given = definition.get_batch({"dataframe": batch.to_pandas()})
    suite = gx.ExpectationSuite(name="calls", expectations=contract_expectations(contract))
    found = given.validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["_row"],
            "exclude_unexpected_values": True,
        },
        expectation_parameters=dict(moments),
    )
    return {
        int(row)
        for result in found.results
        for rows in result.result.get("unexpected_index_list") or ()
        for row in rows["_row"]
    }


def check_with_pandera(batch: pl.DataFrame, *, contract: Contract, moments: Moments) -> set[int]:
    """pandera on a polars frame, all faults at once."""
    import pandera.polars as pa

    makers: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
        SET: lambda given: pa.Check.isin(given["value_set"]),
        REGEX: lambda given: pa.Check.str_matches(given["regex"]),
        BETWEEN: partial(_pandera_bound, pa.Check),
    }
    schema = pa.DataFrameSchema(
        {
            column.name: pa.Column(
                column.type,
                nullable=all(rule.expectation != NULL for rule in column.rules),
                checks=[
                    makers[rule.expectation](_arguments(rule, moments))
                    for rule in column.rules
                    if rule.expectation != NULL
                ],
            )
            for column in contract.columns
        }
    )
    try:
        schema.validate(batch, lazy=True)
    except pa.errors.SchemaErrors as errors:
        places = errors.failure_cases["index"].unique()
        return set(batch["_row"].gather(places.cast(pl.UInt32)))
    return set()


def check_with_dataframely(
    batch: pl.DataFrame, *, contract: Contract, moments: Moments
) -> set[int]:
    """dataframely's filter, which parts good rows from bad."""
    import dataframely as dy

    columns: dict[str, Any] = {"_row": dy.Int64()}
    for column in contract.columns:
        words: dict[str, Any] = {"nullable": True}
        for rule in column.rules:
            words |= _dataframely_words(rule, _arguments(rule, moments))
        if isinstance(column.type, pl.Datetime):
            words |= {"time_unit": column.type.time_unit, "time_zone": column.type.time_zone}
        columns[column.name] = getattr(dy, type(column.type).__name__)(**words)
    schema = type("Calls", (dy.Schema,), columns)
    _, failed = schema.filter(batch)
    return set(failed.invalid()["_row"])


def _pandera_bound(check: Any, given: Mapping[str, Any]) -> Any:
    if given.get("min_value") is not None:
        return check.ge(given["min_value"])
    return check.le(given["max_value"])


def _dataframely_words(rule: Rule, given: Mapping[str, Any]) -> dict[str, Any]:
    match rule.expectation:
        case str(kind) if kind == NULL:
            return {"nullable": False}
        case str(kind) if kind == SET:
            values = list(given["value_set"])
            return {"check": lambda column: column.is_in(values)}
        case str(kind) if kind == REGEX:
            return {"regex": given["regex"]}
    return {
        word: given[key]
        for key, word in (("min_value", "min"), ("max_value", "max"))
        if given.get(key) is not None
    }


def _arguments(rule: Rule, moments: Moments) -> dict[str, Any]:
    """A rule's arguments with the moments put in for its parameters."""
    return {
        key: moments[value["$PARAMETER"]] if isinstance(value, Mapping) else value
        for key, value in rule.arguments.items()
    }
