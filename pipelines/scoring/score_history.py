"""Which scores of a run the history keeps: of people with an alert always, of others at night where
it is worth it.
"""

from collections.abc import Collection, Mapping

import polars as pl

__all__ = ["select_history_scores"]

MIN_NIGHTLY_SCORE = 0.02  # lower at night is not worth a line
MAX_OTHERS = 2000  # of a night, besides those with an alert


def select_history_scores(
    rows: pl.DataFrame, *, alerted: Collection[str], nightly: bool
) -> Mapping[str, float]:
    """``score`` by ``person``, of those ``alerted`` and at night of the likeliest others."""
    own = rows.filter(pl.col("person").is_in(sorted(alerted)))
    others = rows.filter(
        pl.lit(nightly),
        pl.col("score") >= MIN_NIGHTLY_SCORE,
        ~pl.col("person").is_in(sorted(alerted)),
    )
    likely = others.sort("score", "person", descending=[True, False]).head(MAX_OTHERS)
    kept_rows = pl.concat([own.select("person", "score"), likely.select("person", "score")]).sort(
        "person"
    )
    return dict(kept_rows.iter_rows())
