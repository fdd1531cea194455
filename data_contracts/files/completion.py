"""What a contract says of rows once they are read: defaults of columns that may be absent, words
that it does not know, rows that it leaves out.
"""

from collections.abc import Mapping

import polars as pl

from data_contracts.contract import Column, Contract

__all__ = ["complete_rows", "leave_out_rows"]

_OTHER_VALUE = "other_value"


def complete_rows(rows: pl.DataFrame, *, contract: Contract) -> pl.DataFrame:
    """Return the rows with ``_row``, all columns of the contract in its order, and what else begins
    with ``_``.

    An absent column is null, or its default, as is an empty cell of it. A word that the contract
    does not know becomes the column's other value, with a warning of the row.
    """
    absent = [
        pl.lit(None, dtype=column.type).alias(column.name)
        for column in contract.columns
        if column.name not in rows.columns
    ]
    filled = [_with_default(column) for column in contract.columns if column.default is not None]
    whole = rows.with_columns(absent).with_columns(filled)
    for column in contract.columns:
        if column.other_value is not None:
            whole = _with_other_value(whole, column=column)
    own = [name for name in rows.columns if name.startswith("_") and name != "_row"]
    return whole.select("_row", *contract.schema.names(), *own)


def _with_default(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    default = value.fill_null(pl.lit(column.default).cast(column.type))
    if not column.default_where:
        return default
    applies = pl.all_horizontal(pl.col(name) == said for name, said in column.default_where.items())
    return pl.when(applies).then(default).otherwise(value).alias(column.name)


def leave_out_rows(
    rows: pl.DataFrame, *, contract: Contract
) -> tuple[pl.DataFrame, Mapping[str, int]]:
    """Return the rows that are to be loaded, and how many were left out, by reason in words."""
    skipped: dict[str, int] = {}
    for column in contract.columns:
        left_out = [value for value in column.values if value not in column.loaded_values]
        if not column.loaded_values or not left_out:
            continue
        counts = dict(
            rows[column.name].value_counts().filter(pl.col(column.name).is_in(left_out)).iter_rows()
        )
        if counts:
            skipped |= {f"{column.name} is {value}": counts[value] for value in sorted(counts)}
            rows = rows.filter(~pl.col(column.name).is_in(left_out))
    return rows, skipped


def _with_other_value(rows: pl.DataFrame, *, column: Column) -> pl.DataFrame:
    """Rows with a word that the contract does not know, with the other value and a warning."""
    value = pl.col(column.name)
    unknown = rows.select(
        (~value.is_in(list(column.values))).fill_null(value=False).alias("unknown")
    )["unknown"]
    if not unknown.any():
        return rows
    code = pl.lit([f"{column.name}.{_OTHER_VALUE}"])
    as_json = pl.struct(pl.col(column.name)).struct.json_encode()
    return rows.with_columns(
        pl.when(unknown)
        .then(pl.concat_list("_warnings", code))
        .otherwise("_warnings")
        .alias("_warnings"),
        pl.when(unknown & pl.col("_raw").is_null()).then(as_json).otherwise("_raw").alias("_raw"),
        pl.when(unknown).then(pl.lit(column.other_value)).otherwise(value).alias(column.name),
    )
