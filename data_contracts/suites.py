"""Checking deliveries: a Great Expectations suite generated from the contract, run over the
delivered rows in DuckDB; and good rows told from bad ones.

One call takes all files of a dataset. The rows go to DuckDB as Arrow without being copied. First
one query asks which rules do not hold (``first_look``); of these Great Expectations finds the rows.
A delivery without a fault therefore costs one pass, and does not import Great Expectations.
"""

import atexit
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import sqlalchemy as sa

from data_contracts.contract import TIME_ZONE, Contract, Rule
from data_contracts.errors import DeliveryError
from data_contracts.first_look import find_broken_rules, find_rows, is_known_kind
from data_contracts.forms.identity_numbers import id_check_digit_sql

__all__ = ["CheckResult", "add_warnings", "check_rows", "contract_expectations", "split_rows"]

#: Nothing that partners deliver is older.
EARLIEST_AT = datetime(2000, 1, 1, tzinfo=ZoneInfo(TIME_ZONE))

#: Clocks of sources may run ahead of ours by this much.
MAX_CLOCK_AHEAD = timedelta(days=1)

_TABLE = "delivery"
_ONE_AT_A_TIME = threading.Lock()  # the data source has one connection
# Only the query that finds the rows: results may be shown and kept, and hold no delivered value.
_QUERY_ONLY = {
    "result_format": "BOOLEAN_ONLY",
    "unexpected_index_column_names": ["_file", "_row"],
    "return_unexpected_index_query": True,
}
_FAILURES = pl.Schema({"_file": pl.String(), "_row": pl.Int64(), "reasons": pl.List(pl.String())})
_SUMMARY = pl.Schema(
    {
        "rule": pl.String(),
        "expectation": pl.String(),
        "evaluated": pl.Int64(),
        "unexpected": pl.Int64(),
    }
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    ``failures`` has one row per rejected row: ``_file``, ``_row``, ``reasons`` (codes such as
    ``duration_s.negative``); ``warnings`` the same of rows of which a rule warns. ``summary`` has
    one row per rule: ``rule``, ``expectation``, ``evaluated`` and ``unexpected`` rows. None of them
    holds a delivered value.
    """

    failures: pl.DataFrame
    summary: pl.DataFrame
    warnings: pl.DataFrame


def check_rows(frame: pl.DataFrame, *, contract: Contract, received_at: datetime) -> CheckResult:
    """Check rows as ``read_delivery`` returns them, of one file or of many, against their contract.

    ``frame`` may have ``_file`` (String: which file a row came from) and ``_file_day`` (Date: the
    day of the file's folder, null where it has none). ``received_at`` is when the files arrived
    (with a zone); what is dated more than a day later lies in the future. Raises ``DeliveryError``
    where a rule cannot be run.
    """
    frame = _with_defaults(frame)
    results = _run(frame, contract=contract, received_at=received_at)
    unread = (
        frame.lazy()
        .select("_file", "_row", reasons="_problems")
        .explode("reasons")
        .drop_nulls("reasons")
        .collect()
    )
    unexpected = {code: rows.height for code, rows in results.items()}
    warning = {rule.code for rule in contract.rules if rule.warns}
    rejecting = [rows for code, rows in results.items() if code not in warning]
    summary = [
        (rule.code, rule.expectation, frame.height, unexpected.get(rule.code, 0))
        for rule in contract.rules
    ]
    return CheckResult(
        failures=_by_row([unread, *rejecting]),
        summary=pl.DataFrame(summary, schema=_SUMMARY, orient="row"),
        warnings=_by_row([unread.clear(), *(results[code] for code in warning & results.keys())]),
    )


def split_rows(frame: pl.DataFrame, failures: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split checked rows into good and bad ones; together they are all rows of ``frame``.

    ``good`` has the columns of ``frame`` without ``_problems``, ``_warnings`` and ``_raw``. ``bad``
    has ``_file``, ``_row``, ``reasons`` (List[String] of codes), ``row_json``, the row's values as
    JSON, and ``is_delivered``: they are as delivered, by the headings of the file, where one could
    not be read, else normalised. ``row_json`` holds raw identifiers: encrypt it before it is
    stored.
    """
    if "_file" not in frame.columns:
        frame = frame.with_columns(pl.lit("").alias("_file"))
    own = [name for name in ("_problems", "_warnings", "_raw") if name in frame.columns]
    good = (
        frame
        if failures.is_empty()
        else frame.join(failures, on=["_file", "_row"], how="anti", maintain_order="left")
    )
    bad = frame.join(failures, on=["_file", "_row"], how="inner", maintain_order="left")
    values = [name for name in frame.columns if not name.startswith("_")]
    row_json = bad.select(pl.struct(pl.col(values)).struct.json_encode().alias("row_json"))[
        "row_json"
    ]
    raw = (
        bad["_raw"]
        if "_raw" in own
        else pl.Series([None], dtype=pl.String).new_from_index(0, bad.height)
    )
    values_json = raw.zip_with(raw.is_not_null(), row_json).alias("row_json")
    is_delivered = raw.is_not_null().alias("is_delivered")
    return good.drop(own), bad.select("_file", "_row", "reasons").with_columns(
        values_json, is_delivered
    )


def add_warnings(frame: pl.DataFrame, warnings: pl.DataFrame) -> pl.DataFrame:
    """Add the ``warnings`` of a check to those that reading gave the rows of ``frame``."""
    if warnings.is_empty():
        return frame
    found = warnings.rename({"reasons": "_found"})
    both = pl.concat_list("_warnings", pl.col("_found").fill_null([]))
    return (
        frame.join(found, on=["_file", "_row"], how="left", maintain_order="left")
        .with_columns(both.alias("_warnings"))
        .drop("_found")
    )


def contract_expectations(contract: Contract) -> list[dict[str, Any]]:
    """Return the contract's rules as Great Expectations configurations, each with its code in
    ``meta``.
    """
    return [_expectation(rule) for rule in contract.rules]


def _expectation(rule: Rule) -> dict[str, Any]:
    arguments = dict(rule.arguments)
    if rule.expectation.startswith("expect_column_values_"):
        arguments["column"] = rule.column
    return {"type": rule.expectation, "kwargs": arguments, "meta": {"code": rule.code}}


def _with_defaults(frame: pl.DataFrame) -> pl.DataFrame:
    defaults = {
        "_file": pl.lit(""),
        "_file_day": pl.lit(None, dtype=pl.Date),
        "_problems": pl.lit([], dtype=pl.List(pl.String)),
    }
    return frame.with_columns(
        value.alias(name) for name, value in defaults.items() if name not in frame.columns
    )


def _by_row(found: list[pl.DataFrame]) -> pl.DataFrame:
    """Gather each row's reasons. A value that could not be read is not also missing, and of a row
    that could not be read as a whole nothing more is said.
    """
    reasons = pl.concat(found).with_columns(column=pl.col("reasons").str.split(".").list.first())
    whole_rows = reasons.filter(pl.col("column") == "row").select("_file", "_row")
    reasons = pl.concat(
        [
            reasons.filter(pl.col("column") == "row"),
            reasons.filter(pl.col("column") != "row").join(
                whole_rows, on=["_file", "_row"], how="anti"
            ),
        ]
    )
    unreadable = reasons.filter(pl.col("reasons").str.ends_with(".unreadable")).select(
        "_file", "_row", "column"
    )
    missing = pl.col("reasons").str.ends_with(".missing")
    kept = pl.concat(
        [
            reasons.filter(~missing),
            reasons.filter(missing).join(unreadable, on=["_file", "_row", "column"], how="anti"),
        ]
    )
    by_row = kept.group_by("_file", "_row").agg(pl.col("reasons").sort()).sort("_file", "_row")
    return by_row.match_to_schema(_FAILURES)


def _run(
    frame: pl.DataFrame, *, contract: Contract, received_at: datetime
) -> dict[str, pl.DataFrame]:
    """Run the suite and return the failing rows (``_file``, ``_row``, ``reasons``) of every rule
    that does not hold.
    """
    latest_at = received_at + MAX_CLOCK_AHEAD
    moments = {
        "earliest_at": EARLIEST_AT,
        "latest_at": latest_at,
        "latest_day": latest_at.astimezone(ZoneInfo(TIME_ZONE)).date().isoformat(),
    }
    with _shown_to_duckdb(frame) as connection:
        broken = find_broken_rules(connection, table=_TABLE, rules=contract.rules, moments=moments)
        # What only warns needs no authority; what rejects is for Great Expectations to find.
        warned = [rule for rule in broken if rule.warns and is_known_kind(rule)]
        judged = [rule for rule in broken if rule not in warned]
        rows = {
            rule.code: _as_frame(
                find_rows(connection, table=_TABLE, rule=rule, moments=moments), code=rule.code
            )
            for rule in warned
        }
        if judged:
            rows |= _find_rows(connection, contract=contract, broken=judged, moments=moments)
    return {code: breaking for code, breaking in rows.items() if breaking.height}


def _find_rows(
    connection: duckdb.DuckDBPyConnection,
    *,
    contract: Contract,
    broken: Sequence[Rule],
    moments: Mapping[str, Any],
) -> dict[str, pl.DataFrame]:
    """Ask Great Expectations for the rows that break these rules, by the rule's code."""
    with _ONE_AT_A_TIME, _through_sqlalchemy(connection) as lent, _attached(lent) as batch:
        import great_expectations as gx

        suite = gx.ExpectationSuite(
            name=contract.dataset, expectations=[_expectation(rule) for rule in broken]
        )
        found = batch.validate(suite, result_format=_QUERY_ONLY, expectation_parameters=moments)
        return {
            result.expectation_config.meta["code"]: _failing_rows(result, connection=connection)
            for result in found.results
        }


@cache
def _source() -> Any:
    """The one data source of this process: making a context takes as long as asking it."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx  # takes seconds: only where something is to be found

    from data_contracts.duckdb_source import DuckDBSource  # noqa: F401 # defining it makes the source known

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_duckdb_connection(name="deliveries")


@contextmanager
def _attached(connection: sa.Connection) -> Iterator[Any]:
    """Lend the connection's table to the data source as a batch."""
    source = _source()
    source.attach(connection)
    try:
        yield _whole_table().get_batch()
    finally:
        source.detach()


@cache
def _whole_table() -> Any:
    """The table of whatever connection is attached: to name it writes down the whole context, which
    takes a third of a check.
    """
    asset = _source().add_table_asset(_TABLE, table_name=_TABLE)
    return asset.add_batch_definition_whole_table("all")


def _failing_rows(result: Any, *, connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Fetch all rows a broken rule found."""
    config = result.expectation_config
    code = config.meta["code"]
    # What went wrong could quote delivered values.
    if result.exception_info.get("raised_exception") is not False:
        raise DeliveryError(
            f"The rule {code} could not be run.", remedy="Correct the rule in the contract's YAML."
        )
    if config.type == "unexpected_rows_expectation":
        query = config.kwargs["unexpected_rows_query"].format(batch=_TABLE)
    else:
        query = result.result["unexpected_index_query"]
    # fetchall() bears that Great Expectations left its last result half read, where DuckDB's
    # relations would not.
    return _as_frame(connection.execute(query).fetchall(), code=code)


def _as_frame(rows: Sequence[Sequence[Any]], *, code: str) -> pl.DataFrame:
    """Rows that begin with file and row number, with the code of the rule that they break."""
    return pl.DataFrame(
        [(file, row, code) for file, row, *_ in rows],
        schema={"_file": pl.String, "_row": pl.Int64, "reasons": pl.String},
        orient="row",
    )


@cache
def _forget_dialect_at_exit() -> None:
    """SQLAlchemy keeps what DuckDB's dialect added to it alive until after DuckDB's library has
    gone, which then prints pages about leaks. At exit the dialect may as well forget it.
    """
    import duckdb_engine

    atexit.register(vars(duckdb_engine).clear)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """The one DuckDB of this process, in memory: to open one takes longer than to check a small
    delivery. It holds no rows: each check shows it its own.
    """
    database = duckdb.connect(":memory:")
    database.execute(f"CREATE MACRO id_check_digit(number) AS {id_check_digit_sql('number')}")
    return database


@contextmanager
def _shown_to_duckdb(frame: pl.DataFrame) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that alone sees the frame as a table, without copying it."""
    with _database().cursor() as connection:
        connection.execute(f"SET TimeZone = '{TIME_ZONE}'")
        values = frame.drop("_problems", "_warnings", "_raw", strict=False)
        connection.register(_TABLE, values.to_arrow(compat_level=pl.CompatLevel.newest()))
        yield connection


@contextmanager
def _through_sqlalchemy(connection: duckdb.DuckDBPyConnection) -> Iterator[sa.Connection]:
    """Lend the connection to who speaks with SQLAlchemy; it is closed afterwards."""
    from duckdb_engine import ConnectionWrapper

    _forget_dialect_at_exit()
    engine = sa.create_engine(
        "duckdb:///:memory:",
        creator=lambda: ConnectionWrapper(connection),
        poolclass=sa.StaticPool,
    )
    try:
        with engine.connect() as lent:
            yield lent
    finally:
        engine.dispose()
        # SQLAlchemy's caches remember the dialect for ever, and DuckDB would call the types in it
        # leaked.
        vars(engine.dialect).clear()
