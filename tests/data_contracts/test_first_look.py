"""The first look finds the very rules that Great Expectations finds broken."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts import suites
from data_contracts.contract import Contract, Rule, load_all_contracts
from data_contracts.first_look import find_broken_rules
from tests.data_contracts.deliveries import SHANGHAI
from tests.examples import examples

AT = datetime(2026, 8, 2, 6, tzinfo=SHANGHAI)
CONTRACTS = {contract.dataset: contract for contract in load_all_contracts()}
EDGES = {
    pl.String(): (
        *("", "13812345678", "138", "in", "credit", "local", "floating", "F", "police", "loss"),
        *("11010519491231002X", "110105194912310021", "119999999999999999", "M0000021", "0000"),
        *("resident_id", "passport", "6.22E+18", "甲", "O'Neil", "6222020012345678", "G12345678"),
    ),
    pl.Date(): tuple(date(year, 1, 1) for year in (1899, 1900, 1949, 1979, 2000, 2026, 2027)),
    pl.Datetime("us", "Asia/Shanghai"): tuple(
        datetime(year, 8, 1, 12, tzinfo=UTC) for year in (1900, 2000, 2026, 2030)
    ),
    pl.Decimal(18, 2): tuple(map(Decimal, ("-1.00", "0.00", "0.01", "100000000000.00"))),
    pl.Int32(): (-1, 0, 60, 86_400, 86_401),
    pl.Float64(): (-0.1, 0.0, 1.0, 1.1),
    pl.Boolean(): (True, False),
    pl.List(pl.String()): ([], ["95588"]),
}


def values_of(dtype: pl.DataType) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), st.sampled_from(EDGES[dtype]))


@st.composite
def tables(draw: st.DrawFn, contract: Contract) -> pl.DataFrame:
    """One to four rows of values at the edges of the rules."""
    row = st.fixed_dictionaries({name: values_of(kind) for name, kind in contract.schema.items()})
    rows = draw(st.lists(row, min_size=1, max_size=4))
    return pl.DataFrame(rows, schema=contract.schema).select(
        pl.lit("a.csv").alias("_file"),
        pl.lit(date(2026, 8, 1)).alias("_file_day"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_row"),
        pl.all(),
    )


@contextmanager
def everything_asked() -> Iterator[None]:
    """Great Expectations is asked about every rule."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suites, "find_broken_rules", lambda *_, rules, **__: tuple(rules))
        patch.setattr(suites, "is_known_kind", lambda _: False)
        yield


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_it_finds_what_great_expectations_finds(dataset: str) -> None:
    """Great Expectations is asked of all tables at once: one takes as long."""
    contract = CONTRACTS[dataset]
    seen: list[pl.DataFrame] = []
    quick: list[suites.CheckResult] = []

    drawn = examples(4)

    @drawn
    @given(tables(contract))
    def look(table: pl.DataFrame) -> None:
        seen.append(table.with_columns(_file=pl.lit(f"{len(seen):02}.csv")))
        quick.append(suites.check_rows(seen[-1], contract=contract, received_at=AT))

    look()
    assert len(seen) >= drawn.max_examples
    with everything_asked():
        slow = suites.check_rows(pl.concat(seen), contract=contract, received_at=AT)
    assert pl.concat([one.failures for one in quick]).equals(slow.failures)
    assert pl.concat([one.warnings for one in quick]).equals(slow.warnings)
    counted = pl.concat([one.summary for one in quick]).group_by(
        "rule", "expectation", maintain_order=True
    )
    assert counted.agg(pl.sum("evaluated", "unexpected")).equals(slow.summary)


def broken(rule: Rule, *values: object) -> bool:
    frame = pl.DataFrame({"amount": values})
    with duckdb.connect() as connection:
        connection.register("delivery", frame.to_arrow())
        found = find_broken_rules(connection, table="delivery", rules=[rule], moments={"top": 5})
    return found == (rule,)


def rule(expectation: str, **arguments: object) -> Rule:
    return Rule("amount", "odd", expectation, arguments, "It is odd.", "异常。")


def test_bounds_are_open_where_they_say_so() -> None:
    between = "expect_column_values_to_be_between"
    assert not broken(rule(between, min_value=0), 0, 3)
    assert broken(rule(between, min_value=0, strict_min=True), 0, 3)
    assert not broken(rule(between, max_value={"$PARAMETER": "top"}), 5)
    assert broken(rule(between, max_value={"$PARAMETER": "top"}, strict_max=True), 5)


def test_a_missing_value_breaks_only_the_rule_that_asks_for_one() -> None:
    assert broken(rule("expect_column_values_to_not_be_null"), None, 1)
    assert not broken(rule("expect_column_values_to_be_between", min_value=0), None, 1)
    assert not broken(rule("expect_column_values_to_be_in_set", value_set=["it's"]), None, "it's")


def test_what_cannot_be_asked_here_counts_as_broken() -> None:
    assert broken(rule("expect_column_median_to_be_between", min_value=0), 1)
    assert broken(rule("expect_column_values_to_match_regex", regex="("), "a")
    query = "SELECT 'a', 1 FROM {batch}"
    assert broken(rule("unexpected_rows_expectation", unexpected_rows_query=query), 1)


def test_a_clean_delivery_does_not_import_great_expectations() -> None:
    program = (
        "import sys, polars as pl; from datetime import datetime, UTC;"
        "from data_contracts.contract import load_contract;"
        "from data_contracts.suites import check_rows;"
        "frame = pl.DataFrame({'_row': [1], 'number': ['95588'], 'tag': ['bank']});"
        "now = datetime(2026, 8, 1, tzinfo=UTC);"
        "result = check_rows(frame, contract=load_contract('number_tags'), received_at=now);"
        "print(result.failures.height, 'great_expectations' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "0 False\n"
    assert "leaked" not in done.stderr
