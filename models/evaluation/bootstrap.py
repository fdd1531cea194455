"""How far chance alone could carry a figure: whole people drawn again and again, with all that is
theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["DRAWS", "Interval", "Resamples", "Total", "percentile_interval", "sum_once"]

Floats = npt.NDArray[np.float64]
Total = Callable[[pl.DataFrame, pl.Expr], Floats]  # the sum of a value over rows, once or a draw

DRAWS = 1_000
LOW, HIGH = 0.05, 0.95  # a 90 % interval


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high`` goes the figure in nine draws of ten."""

    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Whether ``value`` lies within, the ends included."""
        return self.low <= value <= self.high


@dataclass(frozen=True, eq=False)
class Resamples:
    """``draws`` times as many people as there are, drawn with replacement; the same seed draws the
    same people.

    A person's alerts and losses go together: what happens to a person is one observation, not many.
    """

    people: pl.Series
    draws: int = DRAWS
    seed: int = 0

    def totals(self, rows: pl.DataFrame, value: pl.Expr) -> Floats:
        """The sum of ``value`` over the rows of the people drawn, one a draw; every ``person`` must
        be known.
        """
        sums = np.zeros(len(self._places))
        found = rows.select("person", value=value.cast(pl.Float64)).drop_nulls("value")
        np.add.at(sums, self._placed(found), found["value"].to_numpy())
        return np.asarray(self._times @ sums)

    def medians(self, rows: pl.DataFrame, column: str) -> Floats:
        """The lower median of ``column`` over the rows of the people drawn, NaN in a draw without
        any.
        """
        found = rows.select("person", column).drop_nulls(column).sort(column)
        if found.is_empty():
            return np.full(self.draws, np.nan)
        reached = np.cumsum(self._times[:, self._placed(found)], axis=1)
        total = reached[:, -1:]
        middle = np.argmax(reached * 2 >= total, axis=1)
        return np.where(total[:, 0] > 0, found[column].cast(pl.Float64).to_numpy()[middle], np.nan)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {person: place for place, person in enumerate(self.people.unique().sort())}

    @cached_property
    def _times(self) -> Floats:
        """How often each person was drawn: draws times people."""
        count = len(self._places)
        if not count:
            return np.zeros((self.draws, 0))
        rng = np.random.default_rng(self.seed)
        return rng.multinomial(count, np.full(count, 1 / count), size=self.draws).astype(np.float64)

    def _placed(self, rows: pl.DataFrame) -> npt.NDArray[np.intp]:
        return np.array([self._places[person] for person in rows["person"]], dtype=np.intp)


def sum_once(rows: pl.DataFrame, value: pl.Expr) -> Floats:
    """The plain sum, in the form of a single draw."""
    return np.array([rows.select("person", value=value.cast(pl.Float64))["value"].sum()])


def percentile_interval(values: Floats) -> Interval | None:
    """The 90 % interval of a figure's draws; draws in which it does not exist are left out, None if
    it never does.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [LOW, HIGH])
    return Interval(float(low), float(high))
