"""A segment: events of a span of time in one piece, sorted by owner and moment.

This is the one fast kernel beneath every feature. For ``q`` query points over ``n`` events a
windowed sum costs ``q · log n``, whatever the length of the window, and nothing is ever looked at
that was not known before the moment in question. ``tests/naive`` holds the slow and obvious version
of each operation.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from features.kernel.owner_totals import OwnerTotals, total_by_owner

__all__ = [
    "DAY_MS",
    "FAR_FUTURE_MS",
    "KEY",
    "KNOWN_MS",
    "MAX_SEGMENT_SPAN",
    "Floats",
    "Positions",
    "Segment",
    "Slices",
    "event_keys",
    "known_within",
    "moment_ms",
    "sort_events",
    "to_hundredths",
    "to_milliseconds",
    "to_ms",
]

Positions = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Slices = tuple[Positions, Positions]

DAY_MS = 86_400_000
FAR_FUTURE_MS = 1 << 60
# A key is the owner's code and the milliseconds since the segment begins: 34 bits hold 198 days,
# and leave room for 500 million owners.
MOMENT_BITS = 34
MAX_SEGMENT_SPAN = timedelta(milliseconds=1 << MOMENT_BITS) - timedelta(days=1)
KEY = "key"  # the column that holds the keys of a stored segment
KNOWN_MS = pl.col("known_at").dt.epoch("us") // 1000  # as :func:`to_milliseconds` counts
# Below this share of a segment's events it is cheaper to add up the rows of the slices one by one
# than to lay out the running totals of all.
FEW_ROWS = 0.2


def to_milliseconds(moments: pl.Series) -> Positions:
    """Whole milliseconds since 1970, rounded down: that leaves the order towards any whole
    millisecond as it is.
    """
    return np.asarray(moments.dt.epoch("us").to_numpy() // 1000, dtype=np.int64)


def moment_ms(at: datetime) -> int:
    """A moment as the timelines count it: milliseconds since 1970."""
    return int(to_milliseconds(pl.Series([at]))[0])


def known_within(start_ms: int, end_ms: int) -> pl.Expr:
    """Whether an event was known in ``[start_ms, end_ms)``, milliseconds since 1970."""
    return KNOWN_MS.is_between(start_ms, end_ms, closed="left")


def to_hundredths(expr: pl.Expr) -> pl.Expr:
    """Numbers of at most two decimals as whole hundredths, null as none."""
    return (expr.cast(pl.Float64).fill_null(0.0) * 100).round().cast(pl.Int64)


def sort_events(events: pl.LazyFrame) -> pl.LazyFrame:
    """Events in the order of a timeline: by owner and moment, ties as they come."""
    return events.sort("owner", "known_at", maintain_order=True)


def event_keys(events: pl.DataFrame, *, origin_ms: int) -> Positions:
    """The sort key of each event, in a segment that begins at ``origin_ms``."""
    return np.asarray(
        (events["owner"].cast(pl.Int64).to_numpy() << MOMENT_BITS)
        | (to_milliseconds(events["known_at"]) - origin_ms)
    )


@dataclass(frozen=True, eq=False)
class Segment:
    """Events of a span of time, sorted by ``owner`` and ``known_at``.

    The moments of all of them lie in ``[origin_ms, end_ms]``, at most ``MAX_SEGMENT_SPAN`` apart.
    Where the events have a column ``KEY``, it holds their keys. ``owners`` are the least and the
    greatest code. Of a large store the running totals of all segments would fill the memory: then
    none ``keeps_totals``. ``by_owner`` are what each owner's events come to, where that was added
    up beforehand.
    """

    origin_ms: int
    end_ms: int
    events: pl.DataFrame
    added: Mapping[str, pl.Expr]
    owners: tuple[int, int]
    keeps_totals: bool = True
    by_owner: OwnerTotals | None = None

    @cached_property
    def keys(self) -> Positions:
        """The sort key of each event."""
        if KEY in self.events.columns:
            return self.events[KEY].to_numpy()
        return event_keys(self.events, origin_ms=self.origin_ms)

    @cached_property
    def totals(self) -> Mapping[str, Positions]:
        """Running totals in hundredths: of each column of ``added`` one value more than events."""
        return {name: self._running_total(name) for name in self.added}

    def total_by_owner(self) -> pl.DataFrame:
        """What each owner's events come to, for :class:`OwnerTotals`."""
        events = self.events.select("owner", known_ms=KNOWN_MS)
        amounts = self._amounts(self.added, self.events)
        return total_by_owner(pl.concat([events, amounts], how="horizontal"))

    def lies_within(self, at_ms: Positions, window: timedelta) -> npt.NDArray[np.bool_]:
        """At which moments the window before holds the whole segment."""
        return (at_ms - to_ms(window) <= self.origin_ms) & (at_ms > self.end_ms)

    def _running_total(self, name: str) -> Positions:
        """One of the :attr:`totals`."""
        amounts = self._amounts([name], self.events)[name]
        return np.concatenate(([0], amounts.cum_sum().to_numpy()))

    def _amounts(self, names: Iterable[str], rows: pl.DataFrame) -> pl.DataFrame:
        """What each row adds to each of ``names``."""
        names = tuple(names)
        named = [to_hundredths(self.added[name]).alias(name) for name in names]
        return rows.with_columns(named).select(*names)

    def count_before(self, owner: Positions, at_ms: Positions) -> Positions:
        """How many events, counted from the start of the segment, lie strictly before ``at`` for
        each owner.
        """
        offset = np.clip(at_ms - self.origin_ms, 0, (1 << MOMENT_BITS) - 1)
        return np.searchsorted(self.keys, (owner << MOMENT_BITS) | offset, side="left")

    def slices(self, owner: Positions, at_ms: Positions, window: timedelta) -> Slices:
        """Start and end positions of the events known in ``[at - window, at)`` for each owner."""
        return (
            self.count_before(owner, at_ms - to_ms(window)),
            self.count_before(owner, at_ms),
        )

    def of_owners(self, owner: Positions | None) -> pl.DataFrame:
        """The events of some owners, in order; None: of all."""
        if owner is None:
            return self.events
        codes = np.unique(owner)
        bounds = (codes << MOMENT_BITS, (codes + 1) << MOMENT_BITS)
        places, _ = spread_slices(
            (np.searchsorted(self.keys, bounds[0]), np.searchsorted(self.keys, bounds[1]))
        )
        return self.events[pl.Series(places)]

    def owners_within(self, start_ms: int, end_ms: int) -> pl.Series:
        """The owners of the events known in ``[start_ms, end_ms)``, once each."""
        if self.by_owner is not None and start_ms <= self.origin_ms and self.end_ms < end_ms:
            return self.by_owner.owners
        known = self.events.lazy().filter(known_within(start_ms, end_ms))
        return known.select(pl.col("owner").unique()).collect()["owner"]

    def first_ms(self, owner: Positions, at_ms: Positions, window: timedelta) -> Positions:
        """The moment of the owner's first event in ``[at - window, at)``; the greatest whole number
        where there is none.
        """
        if self.by_owner is not None and self.lies_within(at_ms, window).all():
            return self.by_owner.first_ms(owner)
        start, end = self.slices(owner, at_ms, window)
        seen = end > start
        first = np.full(len(owner), np.iinfo(np.int64).max)
        first[seen] = self.known_ms(start[seen])
        return first

    def known_ms(self, positions: Positions) -> Positions:
        """The moment of the events at ``positions``, milliseconds since 1970."""
        return np.asarray((self.keys[positions] & ((1 << MOMENT_BITS) - 1)) + self.origin_ms)

    def window_sums(
        self, names: Mapping[timedelta, Sequence[str]], *, owner: Positions, at_ms: Positions
    ) -> Iterator[tuple[timedelta, Mapping[str, Positions]]]:
        """For each window the sum of each of its ``names`` over the events known in ``[at - window,
        at)``: one value a query point, in hundredths.
        """
        end = first = None
        for window, wanted in names.items():
            opened_ms, whole = at_ms - to_ms(window), self.lies_within(at_ms, window)
            if self.by_owner is not None and whole.all():
                yield window, self.by_owner.sums(wanted, owner)
                continue
            end = self.count_before(owner, at_ms) if end is None else end
            if (opened_ms > self.origin_ms).any():
                start = self.count_before(owner, opened_ms)
            else:  # windows that hold the whole segment begin with the owner's first event
                first = self.count_before(owner, opened_ms) if first is None else first
                start = first
            if self.by_owner is None or not whole.any():
                yield window, self.sums(wanted, (start, end))
                continue
            # Of those that the window holds whole no event is read.
            sums = self.sums(wanted, (np.where(whole, end, start), end))
            totals = self.by_owner.sums(wanted, owner[whole])
            for name in wanted:
                sums[name][whole] = totals[name]
            yield window, sums

    def sums(self, names: Iterable[str], slices: Slices) -> dict[str, Positions]:
        """The sum of each of ``names`` over each slice, in hundredths."""
        start, end = slices
        kept = "totals" in self.__dict__
        if not kept and int((end - start).sum()) <= FEW_ROWS * len(self.keys):
            return self._sums_of_rows(names, slices)
        if kept or self.keeps_totals:
            return {name: self.totals[name][end] - self.totals[name][start] for name in names}
        found = {}
        for name in names:
            total = self._running_total(name)
            found[name] = total[end] - total[start]
        return found

    def _sums_of_rows(self, names: Iterable[str], slices: Slices) -> dict[str, Positions]:
        places, lengths = spread_slices(slices)
        filled = lengths > 0
        found = {name: np.zeros(len(lengths), dtype=np.int64) for name in names}
        if filled.any():
            roots = {root for name in names for root in self.added[name].meta.root_names()}
            rows = self.events.select("owner", *sorted(roots - {"owner"}))[pl.Series(places)]
            first = (np.cumsum(lengths) - lengths)[filled]
            for name, amounts in self._amounts(names, rows).to_dict().items():
                found[name][filled] = np.add.reduceat(amounts.to_numpy(), first)
        return found

    def rows(self, slices: Slices, point: npt.NDArray[np.uint32]) -> pl.DataFrame:
        """Every event of every slice, with the ``point`` that the slice belongs to."""
        places, lengths = spread_slices(slices)
        return self.events[pl.Series(places)].with_columns(
            point=pl.Series(np.repeat(point, lengths))
        )


def to_ms(span: timedelta) -> int:
    """A span in whole milliseconds."""
    return span // timedelta(milliseconds=1)


def spread_slices(slices: Slices) -> Slices:
    """The position of every event of every slice, and the length of each slice."""
    start, end = slices
    lengths = end - start
    offset = np.arange(int(lengths.sum()), dtype=np.int64) - np.repeat(
        np.cumsum(lengths) - lengths, lengths
    )
    return np.repeat(start, lengths) + offset, lengths
