"""Why rows of one file were rejected or warned of, counted, in words and with the first of them."""

from collections import Counter
from dataclasses import dataclass

import polars as pl

from data_contracts.words.rejection_words import describe_reason

__all__ = ["Finding", "count_findings"]

NAMED_ROWS = 5  # so many rows are named for each reason


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One reason for which rows are rejected, or warned of: its code, its words, how many rows, and
    the first of them.
    """

    code: str
    words: str
    words_zh: str
    rows: int
    first_rows: tuple[int, ...]


def count_findings(rows: pl.DataFrame, *, dataset: str) -> tuple[Finding, ...]:
    """The reasons of rows (``_row``, ``reasons``), the most frequent first."""
    each = rows.select("_row", "reasons").explode("reasons").drop_nulls("reasons").sort("_row")
    counts = Counter(each["reasons"].to_list())
    return tuple(
        Finding(
            code=code,
            words=describe_reason(code, dataset=dataset),
            words_zh=describe_reason(code, dataset=dataset, language="zh"),
            rows=number,
            first_rows=tuple(each.filter(pl.col("reasons") == code)["_row"].head(NAMED_ROWS)),
        )
        for code, number in counts.most_common()
    )
