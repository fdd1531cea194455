"""Batches of call records to check: of any size, clean or with known faults."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from data_contracts.contract import Contract, load_contract

__all__ = ["FAULTS", "build_batch", "compared_contract", "spoil_batch"]

#: The kinds of rules that Great Expectations on pandas, pandera and dataframely all know.
COMPARED_KINDS = (
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_be_between",
)
#: What one row of a spoilt batch may hold instead, by column.
FAULTS = {
    "msisdn": pl.lit("12345"),
    "peer_number": pl.lit("abc"),
    "direction": pl.lit("sideways"),
    "started_at": pl.lit(None),
    "duration_s": pl.lit(-5),
}
ROWS_A_FAULT = 100


def compared_contract() -> Contract:
    """The contract of calls without the rules that some peer has no word for."""
    contract = load_contract("calls")
    columns = tuple(
        replace(
            column, rules=tuple(one for one in column.rules if one.expectation in COMPARED_KINDS)
        )
        for column in contract.columns
    )
    return replace(contract, columns=columns)


def build_batch(landing: Path, *, rows: int) -> pl.DataFrame:
    """The first ``rows`` call records of a landing folder, again and again if it has fewer, as
    reading leaves them: the columns of the contract and ``_row``, counted from 1.
    """
    types = load_contract("calls").schema
    files = sorted((landing / "calls").glob("*/*.parquet"))
    read = [
        pl.scan_parquet(file).select(pl.col(name).cast(kind) for name, kind in types.items())
        for file in files
    ]
    frame = pl.concat(read).head(rows).collect()
    times = -(-rows // len(frame))
    numbered = pl.concat([frame] * times).head(rows).with_row_index("_row", offset=1)
    return numbered.with_columns(
        pl.col("_row").cast(pl.Int64), pl.col("peer_number").str.replace(r"^\+", "00")
    )


def spoil_batch(batch: pl.DataFrame) -> pl.DataFrame:
    """The same with a fault in every hundredth row, each of ``FAULTS`` in turn."""
    fault = pl.col("_row") // ROWS_A_FAULT % len(FAULTS)
    return batch.with_columns(
        pl.when((pl.col("_row") % ROWS_A_FAULT == 0) & (fault == number))
        .then(value.cast(batch.schema[name]))
        .otherwise(name)
        .alias(name)
        for number, (name, value) in enumerate(FAULTS.items())
    )
