"""Several values in one cell."""

import polars as pl

from data_contracts.forms.text import Form, text

__all__ = ["split_each"]


def split_each(values: pl.Series, form: Form) -> pl.Series:
    """Split into items and normalise each; where nothing is delivered the list is empty."""
    if not isinstance(values.dtype, pl.List):
        values = text(values).str.replace_all(r"[；,，、]", ";").str.split(";")
    rows = values.cast(pl.List(pl.String)).alias("items").to_frame().with_row_index()
    items = rows.explode("items", empty_as_null=True)
    clean = items.with_columns(form(items["items"])).drop_nulls("items")
    lists = clean.group_by("index", maintain_order=True).agg("items")
    joined = rows.select("index").join(lists, on="index", how="left", maintain_order="left")
    return joined.select(pl.col("items").fill_null(pl.lit([], dtype=pl.List(pl.String))))["items"]
