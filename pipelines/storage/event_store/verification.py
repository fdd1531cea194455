"""Whether the store holds what the lake says: compared with a store made anew."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from features.kernel.segment import KEY
from pipelines.storage.event_store.parts.code_book import CodeBook
from pipelines.storage.event_store.parts.event_columns import EMPTY_EVENTS
from pipelines.storage.event_store.parts.frame_files import read_frame
from pipelines.storage.event_store.parts.manifest import Manifest

__all__ = ["describe_contents", "differing_days"]

# The columns that hold codes, by the book that gave them out.
CODES = {
    "people": ("resident",),
    "numbers": ("peer_code",),
    "accounts": ("payee_code",),
}
BY_NUMBER, BY_ACCOUNT = ("contacts_by_number", "payments_after_contact"), ("payments_by_account",)
DAY_KEY = ["timeline", "day"]


def describe_contents(folder: Path) -> pl.DataFrame:
    """``timeline``, ``day``, ``rows`` and ``digest`` of what a store holds: the same for the
    same events, whatever their codes, their order and the segments that they lie in.
    """
    manifest = Manifest.read(folder)
    books = {kind: CodeBook(folder, parts) for kind, parts in manifest.books.items()}
    parts = [
        describe_segment(name, read_frame(folder / segment.file), books)
        for name, segments in manifest.timelines.items()
        for segment in segments
    ]
    if not parts:
        return pl.DataFrame(
            schema={"timeline": pl.String, "day": pl.Date, "rows": pl.UInt32, "digest": pl.UInt64}
        )
    return (
        pl.concat(parts)
        .group_by(DAY_KEY)
        .agg(pl.col("rows").sum(), pl.col("digest").sum())
        .sort(DAY_KEY)
    )


def describe_segment(name: str, events: pl.DataFrame, books: dict[str, CodeBook]) -> pl.DataFrame:
    """:func:`describe_contents` of one segment."""
    columns = EMPTY_EVENTS[name].columns
    named = events.select(pl.exclude(KEY)).select(columns).with_columns(*names_of(name, books))
    return (
        named.select(
            timeline=pl.lit(name),
            day=pl.col("known_at").dt.date(),
            digest=pl.struct(pl.all()).hash(seed=0),
        )
        .group_by(DAY_KEY)
        .agg(rows=pl.len(), digest=pl.col("digest").sum())
        .select(*DAY_KEY, "rows", "digest")
    )


def names_of(name: str, books: dict[str, CodeBook]) -> Iterator[pl.Expr]:
    """The key of the name in the place of each code."""
    owner = "numbers" if name in BY_NUMBER else "accounts" if name in BY_ACCOUNT else "people"
    columns = {**dict.fromkeys(("owner",), owner)}
    columns |= {column: kind for kind, held in CODES.items() for column in held}
    for column, kind in columns.items():
        if column in EMPTY_EVENTS[name].columns:
            keys = books[kind].rows(["key"], schema=pl.Schema({"key": pl.Int64}))["key"]
            codes = pl.int_range(len(keys), eager=True, dtype=pl.UInt32)
            yield pl.col(column).replace_strict(codes, keys, return_dtype=pl.Int64)


def differing_days(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """``timeline``, ``day``, ``rows`` and ``rows_anew`` where two stores do not hold the same."""
    both = one.join(other, on=DAY_KEY, how="full", coalesce=True, suffix="_anew")
    return (
        both.filter(
            pl.col("rows").ne_missing(pl.col("rows_anew"))
            | pl.col("digest").ne_missing(pl.col("digest_anew"))
        )
        .select(*DAY_KEY, pl.col("rows", "rows_anew").fill_null(0))
        .sort(DAY_KEY)
    )
