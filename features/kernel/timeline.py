"""Events by owner and moment: a window is a slice, and a windowed sum the difference of two running
totals.

This is the one fast kernel beneath every feature. For ``q`` query points over ``n`` events a
windowed sum costs ``q · log n``, whatever the length of the window, and nothing is ever looked at
that was not known before the moment in question. ``tests/naive`` holds the slow and obvious version
of each operation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["Timeline", "to_hundredths", "to_milliseconds"]

Positions = npt.NDArray[np.int64]

# Milliseconds since 1970 fit until the year 2109; 21 bits remain for two million owners a bucket.
MOMENT_BITS = 42
FAR_PAST_MS = 0
DAY_MS = 86_400_000


def to_milliseconds(moments: pl.Series) -> Positions:
    """Whole milliseconds since 1970, rounded down: that leaves the order towards any whole
    millisecond as it is.
    """
    return np.asarray(moments.dt.epoch("us").to_numpy() // 1000, dtype=np.int64)


def to_hundredths(expr: pl.Expr) -> pl.Expr:
    """Numbers of at most two decimals as whole hundredths, null as none."""
    return (expr.cast(pl.Float64).fill_null(0.0) * 100).round().cast(pl.Int64)


@dataclass(frozen=True, eq=False)
class Timeline:
    """Events sorted by ``owner`` (dense code, 0-based) and ``known_at``, with running totals of
    some columns.

    ``events`` keeps every column it was built from. Totals are counted in whole hundredths: so a
    sum of money is exact, and the same whatever else lies before it in the timeline. Build one with
    :meth:`of`.
    """

    events: pl.DataFrame
    keys: Positions
    totals: Mapping[str, npt.NDArray[np.int64]]

    @classmethod
    def of(cls, events: pl.LazyFrame, *, sums: Mapping[str, pl.Expr] | None = None) -> "Timeline":
        """Sort ``events`` (columns ``owner``, ``known_at``, …) and add up each expression of
        ``sums`` in that order.

        Nulls add nothing. Ties keep the order of the input.
        """
        sums = sums or {}
        frame = events.sort("owner", "known_at", maintain_order=True).collect()
        added = frame.select(to_hundredths(expr).alias(name) for name, expr in sums.items())
        totals = {name: np.concatenate(([0], added[name].cum_sum().to_numpy())) for name in sums}
        keys = (frame["owner"].cast(pl.Int64).to_numpy() << MOMENT_BITS) | to_milliseconds(
            frame["known_at"]
        )
        return cls(events=frame, keys=keys, totals=totals)

    def count_before(self, owner: Positions, at_ms: Positions) -> Positions:
        """How many events, counted from the start of the timeline, lie strictly before ``at`` for
        each owner.
        """
        return np.searchsorted(
            self.keys, (owner << MOMENT_BITS) | np.maximum(at_ms, FAR_PAST_MS), side="left"
        )

    def slices(
        self, owner: Positions, at_ms: Positions, window: timedelta
    ) -> tuple[Positions, Positions]:
        """Start and end positions of the events known in ``[at - window, at)`` for each owner."""
        start_ms = at_ms - np.int64(window // timedelta(milliseconds=1))
        return self.count_before(owner, start_ms), self.count_before(owner, at_ms)

    def known_ms(self, positions: Positions) -> Positions:
        """The moment of the events at ``positions``, milliseconds since 1970."""
        return np.asarray(self.keys[positions] & ((1 << MOMENT_BITS) - 1))

    def age_days(
        self, owner: Positions, at_ms: Positions, horizon: timedelta
    ) -> npt.NDArray[np.float64]:
        """Days since the owner's first event within ``horizon`` before ``at``, NaN where there is
        none.
        """
        start, end = self.slices(owner, at_ms, horizon)
        seen = end > start
        age = np.full(len(owner), np.nan)
        age[seen] = (at_ms[seen] - self.known_ms(start[seen])) / DAY_MS
        return age

    def sums(self, name: str, slices: tuple[Positions, Positions]) -> npt.NDArray[np.float64]:
        """The sum of ``name`` over each slice."""
        start, end = slices
        total = self.totals[name]
        return np.asarray((total[end] - total[start]) / 100)

    def last(self, columns: Sequence[str], slices: tuple[Positions, Positions]) -> pl.DataFrame:
        """``columns`` of the last event of each slice, null where the slice is empty."""
        start, end = slices
        picked = pl.Series(np.where(end > start, end - 1, -1)).replace(-1, None)
        return self.events.select(columns).select(pl.all().gather(picked))

    def rows(self, slices: tuple[Positions, Positions]) -> pl.DataFrame:
        """Every event of every slice, with ``point``: the number of the slice it belongs to
        (UInt32).

        An event that lies in several slices comes once for each.
        """
        start, end = slices
        lengths = end - start
        point = np.repeat(np.arange(len(start), dtype=np.uint32), lengths)
        offset = np.arange(len(point), dtype=np.int64) - np.repeat(
            np.cumsum(lengths) - lengths, lengths
        )
        return self.events[pl.Series(np.repeat(start, lengths) + offset)].with_columns(
            point=pl.Series(point)
        )
