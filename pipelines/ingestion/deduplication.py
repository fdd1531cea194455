"""Which of the accepted rows are new: the first row of a key is kept, its equals are duplicates,
others conflict.
"""

from collections.abc import Sequence

import polars as pl

__all__ = ["ACCEPTED", "CONFLICT", "DUPLICATE", "classify_duplicates", "classify_latest"]

ACCEPTED, DUPLICATE, CONFLICT = "accepted", "duplicate", "conflict"


def classify_duplicates(
    rows: pl.DataFrame, *, known: pl.DataFrame, key: Sequence[str], values: Sequence[str]
) -> pl.Series:
    """Classify each row as ``accepted``, ``duplicate`` or ``conflict``, in the order of ``rows``.

    ``known`` holds the keys and values that were there before, each key once. The reference of a
    key is its known row, else its first row here; a row with the reference's values is a duplicate,
    with others a conflict. Values that are both missing are equal.
    """
    order = pl.col("_order")
    numbered = (
        rows.select(*key, *values).with_row_index("_order").with_columns(order.cast(pl.Int64))
    )
    earlier = known.select(pl.lit(-1, dtype=pl.Int64).alias("_order"), *key, *values)
    pool = pl.concat([earlier, numbered.select(earlier.columns)])
    repeated_keys = pool.filter(pl.len().over(*key) > 1)  # few; the comparison of values is costly
    same = [
        pl.col(name).eq_missing(pl.col(name).sort_by(order).first().over(*key)) for name in values
    ]
    verdict = (
        pl.when(order == order.min().over(*key))
        .then(pl.lit(ACCEPTED))
        .when(pl.all_horizontal(pl.lit(value=True), *same))
        .then(pl.lit(DUPLICATE))
        .otherwise(pl.lit(CONFLICT))
    )
    classified = repeated_keys.select(order, verdict.alias("verdict"))
    whole = numbered.select(order).join(classified, on="_order", how="left", maintain_order="left")
    return whole["verdict"].fill_null(ACCEPTED)


def classify_latest(rows: pl.DataFrame, *, key: Sequence[str], values: Sequence[str]) -> pl.Series:
    """Classify the rows of a register in which the last row of a key counts.

    An earlier row is a duplicate, whatever may have changed since, such as an address; it is a
    conflict where one of ``values`` differs, which nothing can change.
    """
    reverse = rows.reverse()
    return classify_duplicates(reverse, known=reverse.clear(), key=key, values=values).reverse()
