"""Boosters from one set of rows: their inputs are binned once, and the boosters grow side by side.

To hold out a part of the rows in turn and to learn from them all takes several boosters of nearly
the same rows. Each is grown by one thread; growing two at once is faster than giving two threads to
each, and the trees are the same.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["Say", "TreeCount", "feature_matrix", "grow_boosters", "held_out_scores", "say_nothing"]

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]  # hears how far a long piece of work has come

REPORTS = 5  # so often the trees are counted aloud


def say_nothing(_: str) -> None:
    """Tell nobody."""


@dataclass(eq=False)
class TreeCount:
    """How many of the ``total`` trees have grown, over all boosters that grow at once.

    ``say`` hears of it five times, each time with what they grow ``of``.
    """

    total: int
    of: str = "boosters"
    say: Say = say_nothing
    grown: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, _: Any) -> None:
        """Count one more tree; LightGBM calls this after each."""
        with self._lock:
            before, self.grown = self.grown, self.grown + 1
            if REPORTS * self.grown // self.total > REPORTS * before // self.total:
                self.say(f"{self.of}: {self.grown} of {self.total} trees")


def feature_matrix(frame: pl.DataFrame, features: tuple[str, ...]) -> Floats:
    """The ``features`` of each row, float64, missing as NaN."""
    return np.asarray(frame.select(pl.col(features).cast(pl.Float64)).to_numpy(), dtype=np.float64)


def grow_boosters(
    rows: pl.DataFrame,
    inputs: Floats,
    parts: Sequence[Flags],
    *,
    features: tuple[str, ...],
    params: Mapping[str, Any],
    rounds: int,
    of: str = "boosters",
    say: Say = say_nothing,
) -> list[Any]:
    """A booster of ``rounds`` trees from each of the ``parts`` of the ``rows``, whose ``inputs``
    are the ``features``; ``rows`` have ``label`` and ``weight``.

    At most ``params["num_threads"]`` grow at a time.
    """
    import lightgbm as lgb

    own = {**params, "num_threads": 1}
    binned = lgb.Dataset(
        inputs,
        rows["label"].to_numpy(),
        weight=rows["weight"].to_numpy(),
        feature_name=list(features),
        params=own,
    ).construct()
    subsets = [binned.subset(np.flatnonzero(part)).construct() for part in parts]
    count = TreeCount(rounds * len(subsets), of=of, say=say)
    with ThreadPoolExecutor(params["num_threads"]) as pool:
        return list(pool.map(lambda data: lgb.train(own, data, rounds, callbacks=[count]), subsets))


def held_out_scores(
    boosters: Sequence[Any], inputs: Floats, fold: npt.NDArray[np.int64], *, threads: int
) -> Floats:
    """The raw score of each row, in log-odds, from the booster that was grown without its
    ``fold``.
    """
    raw = np.zeros(len(inputs))
    for number, booster in enumerate(boosters):
        out = fold == number
        if out.any():
            raw[out] = booster.predict(inputs[out], raw_score=True, num_threads=threads)
    return raw
