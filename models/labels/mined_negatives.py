"""Negatives mined from many: a first model looks at more moments than a second one learns from,
and those that it takes for fraud are all kept.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["mine_negatives"]


def mine_negatives(
    pool: pl.DataFrame,
    raw: npt.NDArray[np.float64],
    *,
    number: int,
    likely_share: float = 0.5,
    seed: int = 0,
) -> pl.DataFrame:
    """``number`` rows of a ``pool`` of negative samples, in its order: a ``likely_share`` of them
    those with the highest ``raw`` score, the others drawn from the rest.

    ``weight`` and ``sampling_weight`` of what was drawn grow, so that all rows together stand for
    as many moments as the pool does.
    """
    likely = min(len(pool), round(number * likely_share))
    is_likely = np.zeros(len(pool), dtype=np.bool_)
    is_likely[np.argsort(-raw, kind="stable")[:likely]] = True
    numbered = pool.with_row_index("row").with_columns(likely=pl.Series(is_likely))
    kept, rest = numbered.filter("likely"), numbered.filter(~pl.col("likely"))
    some = rest.sample(min(len(rest), number - likely), seed=seed)
    stood, stand = (float(part["sampling_weight"].sum()) for part in (rest, some))
    times = stood / max(1.0, stand)
    grown = some.with_columns(pl.col("weight", "sampling_weight") * times)
    return pl.concat([kept, grown]).sort("row").drop("row", "likely")
