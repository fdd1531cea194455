"""Records that missed their run: known before it, loaded after it.

A delivery says by its name since when its records could be known. One that is loaded after the run
of that moment was in no list; so whom it speaks of is asked about at the next.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import polars as pl

from features.kernel.source_tables import SourceTables
from pipelines.storage.lake import Lake

__all__ = ["people_of_late_records"]

# What tells whose an event is: its column, and the register that has it with its holders.
HOLDERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"calls": ("number", "subscribers"), "transfers": ("account", "accounts")}
)


def people_of_late_records(
    lake: Lake, tables: SourceTables, *, known_to: str, start: datetime, end: datetime
) -> pl.Series:
    """``person``, once each: whoever has a call or transfer that was known in ``[start, end)`` and
    that the lake has gained since its version ``known_to``.

    Whoever held the number or account at any time counts: to ask about one too many does no harm.
    """
    people = [pl.LazyFrame(schema={"person": pl.String})]
    for dataset, (column, register) in HOLDERS.items():
        files = lake.files_since(known_to, dataset=dataset)
        if files:
            known_at = pl.col("known_at")
            late = lake.scan_files(dataset, files).filter(known_at >= start, known_at < end)
            holders: pl.LazyFrame = getattr(tables, register)
            people.append(
                holders.select("person", column).join(late.select(column), on=column, how="semi")
            )
    return pl.concat([part.select("person") for part in people]).unique().collect()["person"]
