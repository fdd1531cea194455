"""Numbers for records whose source has none that are its own: made from what a record says, so that
the same record has the same number in every export.
"""

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

__all__ = ["number_records"]

_DIGEST_BYTES = 8
_BETWEEN = "\x1f"


def number_records(content: pl.DataFrame, *, of_people: Sequence[str]) -> pl.Series:
    """Return a number for each row of ``content``.

    Equal rows are told apart by an occurrence number, so two equal rows stay two. ``of_people`` are
    the columns that identify somebody: they count for what is equal, and are no part of the number,
    from which they could otherwise be guessed.
    """
    open_columns = [name for name in content.columns if name not in of_people]
    text = content.select(
        pl.all().cast(pl.String, strict=False).str.strip_chars().fill_null("")
    ).with_columns(_content=pl.concat_str(open_columns or [pl.lit("")], separator=_BETWEEN))
    occurrence = text.select(
        pl.int_range(1, pl.len() + 1).over("_content", *of_people).alias("occurrence")
    )["occurrence"]
    digests = [
        blake2b(one.encode(), digest_size=_DIGEST_BYTES).hexdigest() for one in text["_content"]
    ]
    return pl.select(
        pl.concat_str(
            pl.lit("H"), pl.Series(digests, dtype=pl.String), pl.lit("-"), occurrence
        ).alias("record_id")
    ).to_series()
