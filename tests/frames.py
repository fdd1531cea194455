"""Whole frames held against their declaration, at the seams between modules."""

import polars as pl

from features.kernel.frames import Frame


def check(declared: type[Frame], frame: pl.DataFrame, *, more: bool = False) -> pl.DataFrame:
    """``frame`` if it is as ``declared``: columns in order, types, nulls, keys and bounds.

    With ``more`` it may have further columns, and its own order.
    """
    columns = declared.polars_schema()
    found = frame.select(columns.names()) if more else frame
    assert found.schema == columns
    declared.validate(found)
    return frame
