"""Boosters from one set of rows: their inputs are binned once, and the boosters grow side by side.

To hold out a part of the rows in turn and to learn from them all takes several boosters of nearly
the same rows. Each is grown by one thread; growing two at once is faster than giving two threads to
each, and the trees are the same.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from features.catalogue.definitions import FEATURES

__all__ = [
    "Flags",
    "GrowParts",
    "Say",
    "TrainingRows",
    "TreeCount",
    "Tuning",
    "feature_matrix",
    "grow_boosters",
    "grow_part",
    "grow_side_by_side",
    "held_out_scores",
    "say_nothing",
]

# LightGBM's threads wait for one another by spinning: with other programs on the same cores a fit
# of a second can take minutes. OpenMP reads this once, as LightGBM is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]  # hears how far a long piece of work has come

REPORTS = 5  # so often the trees are counted aloud


def say_nothing(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Tuning:
    """Parameters of the boosters.

    With about a hundred episodes to learn from, what matters is to learn little from each: random
    cuts (extra trees) and a heavy penalty on leaf weights.
    """

    rounds: int = 400
    learning_rate: float = 0.05
    num_leaves: int = 31
    min_data_in_leaf: int = 20
    feature_fraction: float = 0.25
    bagging_fraction: float = 0.8
    lambda_l2: float = 50.0
    monotone: bool = False
    folds: int = 3
    threads: int = 2

    def constraints(self, features: Sequence[str]) -> dict[str, Any]:
        """LightGBM's parameters by which, if ``monotone``, the score of a risk never falls while
        one of ``features`` grows that only raises it, all others being equal.
        """
        if not self.monotone:
            return {}
        rising = {feature.name for feature in FEATURES if feature.only_raises}
        return {"monotone_constraints": [int(name in rising) for name in features]}

    def params(self, *, seed: int) -> dict[str, Any]:
        """LightGBM's parameters; the same seed on the same rows gives the same trees."""
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_data_in_leaf,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "lambda_l2": self.lambda_l2,
            "extra_trees": True,
            "num_threads": self.threads,
            "deterministic": True,
            "force_col_wise": True,  # else LightGBM times both ways and takes the faster
            "seed": seed,
            "verbose": -1,
        }


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


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows that boosters grow from, with LightGBM's ``params`` and the number of trees of each.

    They can be pickled; the bins are made anew where they arrive, and are the same.
    """

    inputs: Floats
    labels: Floats
    weights: Floats
    features: tuple[str, ...]
    params: Mapping[str, Any]
    rounds: int

    @cached_property
    def binned(self) -> Any:
        """The inputs in bins, made once for all parts."""
        import lightgbm as lgb

        return lgb.Dataset(
            self.inputs,
            self.labels,
            weight=self.weights,
            feature_name=list(self.features),
            params=dict(self.params),
        ).construct()

    def subset(self, part: Flags) -> Any:
        """The rows of a part, in the same bins."""
        return self.binned.subset(np.flatnonzero(part)).construct()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "binned"}


class GrowParts(Protocol):
    """Who grows the boosters."""

    def __call__(
        self, rows: TrainingRows, parts: Sequence[Flags], /, *, threads: int, of: str, say: Say
    ) -> list[Any]:
        """A booster from each of the ``parts`` of the ``rows``, at most ``threads`` at a time here;
        ``say`` hears how far they are with what they grow ``of``.
        """


def grow_part(rows: TrainingRows, part: Flags) -> Any:
    """A booster from the rows of a part."""
    import lightgbm as lgb

    return lgb.train(dict(rows.params), rows.subset(part), rows.rounds)


def grow_side_by_side(
    rows: TrainingRows, parts: Sequence[Flags], /, *, threads: int, of: str, say: Say
) -> list[Any]:
    """See :class:`GrowParts`: in this process, each by one thread."""
    import lightgbm as lgb

    subsets = [rows.subset(part) for part in parts]
    count = TreeCount(rows.rounds * len(subsets), of=of, say=say)
    with ThreadPoolExecutor(threads) as pool:
        return list(
            pool.map(
                lambda data: lgb.train(dict(rows.params), data, rows.rounds, callbacks=[count]),
                subsets,
            )
        )


def grow_boosters(
    rows: pl.DataFrame,
    inputs: Floats,
    parts: Sequence[Flags],
    *,
    features: tuple[str, ...],
    params: Mapping[str, Any],
    rounds: int,
    of: str = "boosters",
    grow: GrowParts = grow_side_by_side,
    say: Say = say_nothing,
) -> list[Any]:
    """A booster of ``rounds`` trees from each of the ``parts`` of the ``rows``, whose ``inputs``
    are the ``features``; ``rows`` have ``label`` and ``weight``.

    ``grow`` grows them: here at most ``params["num_threads"]`` at a time.
    """
    training_rows = TrainingRows(
        inputs=inputs,
        labels=rows["label"].to_numpy().astype(np.float64),
        weights=rows["weight"].to_numpy().astype(np.float64),
        features=features,
        params={**params, "num_threads": 1},
        rounds=rounds,
    )
    return grow(training_rows, parts, threads=params["num_threads"], of=of, say=say)


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
