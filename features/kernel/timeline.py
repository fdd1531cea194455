"""Events by owner and moment: a window is a slice, and a windowed sum the difference of two running
totals.

This is the one fast kernel beneath every feature. For ``q`` query points over ``n`` events a
windowed sum costs ``q · log n``, whatever the length of the window, and nothing is ever looked at
that was not known before the moment in question. ``tests/naive`` holds the slow and obvious version
of each operation.

A timeline lies in one segment or in several, as when days are added one by one: a sum over a window
is then the sum over the segments that the window touches, and no other segment is opened.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = [
    "KEY",
    "MAX_SEGMENT_SPAN",
    "Segment",
    "Slices",
    "Timeline",
    "event_keys",
    "moment_ms",
    "sort_events",
    "to_hundredths",
    "to_milliseconds",
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
    Where the events have a column ``KEY``, it holds their keys. ``owners`` are the
    least and the greatest code. Of a large store the running totals of all segments would fill the
    memory: then none ``keeps_totals``.
    """

    origin_ms: int
    end_ms: int
    events: pl.DataFrame
    added: Mapping[str, pl.Expr]
    owners: tuple[int, int]
    keeps_totals: bool = True

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

    def known_ms(self, positions: Positions) -> Positions:
        """The moment of the events at ``positions``, milliseconds since 1970."""
        return np.asarray((self.keys[positions] & ((1 << MOMENT_BITS) - 1)) + self.origin_ms)

    def sums(self, names: Iterable[str], slices: Slices) -> Mapping[str, Positions]:
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

    def _sums_of_rows(self, names: Iterable[str], slices: Slices) -> Mapping[str, Positions]:
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


@dataclass(frozen=True, eq=False)
class Timeline:
    """Events by ``owner`` (dense code, 0-based) and ``known_at``, in segments, with named sums.

    Totals are counted in whole hundredths: so a sum of money is exact, and the same whatever else
    lies before it in the timeline. Build one with :meth:`of`. ``empty`` has the columns of its
    events.
    """

    segments: Sequence[Segment]
    empty: pl.DataFrame
    added: Mapping[str, pl.Expr] = field(default_factory=dict)

    @classmethod
    def of(cls, events: pl.LazyFrame, *, sums: Mapping[str, pl.Expr] | None = None) -> "Timeline":
        """One segment from ``events`` (columns ``owner``, ``known_at``, …), with a named sum of
        each expression of ``sums``.

        Nulls add nothing. Ties keep the order of the input. Raises ``ValueError`` where the events
        are further apart than ``MAX_SEGMENT_SPAN``.
        """
        frame = sort_events(events).collect()
        added = sums or {}
        if frame.is_empty():
            return cls((), frame, added)
        known_ms = to_milliseconds(pl.Series([frame["known_at"].min(), frame["known_at"].max()]))
        owners = (int(frame["owner"][0]), int(frame["owner"][-1]))
        segment = Segment(int(known_ms[0]), int(known_ms[1]), frame, added, owners)
        if known_ms[1] - known_ms[0] > to_ms(MAX_SEGMENT_SPAN):
            raise ValueError(f"events lie more than {MAX_SEGMENT_SPAN} apart")
        return cls((segment,), frame.clear(), added)

    @property
    def events(self) -> pl.DataFrame:
        """All events, segment after segment."""
        return self._joined([segment.events for segment in self.segments])

    @property
    def first_known_at(self) -> datetime | None:
        """When the first event became known, None without any."""
        origin_ms = min((segment.origin_ms for segment in self.segments), default=0)
        firsts = (
            segment.events["known_at"].min()
            for segment in self.segments
            if segment.origin_ms == origin_ms
        )
        return min((first for first in firsts if isinstance(first, datetime)), default=None)

    def count_before(self, at: datetime) -> int:
        """How many events were known before ``at``."""
        at_ms, known_ms = moment_ms(at), pl.col("known_at").dt.epoch("us") // 1000
        return sum(
            len(segment.events)
            if segment.end_ms < at_ms
            else segment.events.lazy().select((known_ms < at_ms).sum()).collect().item()
            for segment in self.segments
        )

    def known_between(
        self,
        start: datetime,
        end: datetime | None = None,
        *,
        where: pl.Expr | None = None,
        owner: Positions | None = None,
    ) -> pl.DataFrame:
        """The events known in ``[start, end)``, or all since, segment after segment.

        Of these only those of some owners, and those for which ``where`` holds: no more than one
        segment lies in memory besides them.
        """
        low, end_ms = moment_ms(start), FAR_FUTURE_MS if end is None else moment_ms(end)
        known_ms = pl.col("known_at").dt.epoch("us") // 1000
        chosen = [known_ms >= low, known_ms < end_ms, *([] if where is None else [where])]
        return self._joined(
            [
                segment.of_owners(owner).filter(chosen)
                for segment in self.segments
                if segment.origin_ms < end_ms and segment.end_ms >= low
            ]
        )

    def owners_between(self, start: datetime, end: datetime) -> pl.Series:
        """The owners of the events known in ``[start, end)``, once each."""
        low, end_ms = moment_ms(start), moment_ms(end)
        known_ms = pl.col("known_at").dt.epoch("us") // 1000
        found = [
            segment.events.lazy()
            .filter(known_ms >= low, known_ms < end_ms)
            .select(pl.col("owner").unique())
            .collect()["owner"]
            for segment in self.segments
            if segment.origin_ms < end_ms and segment.end_ms >= low
        ]
        return pl.concat([self.empty["owner"], *found]).unique().sort()

    def of_owners(self, owner: Positions) -> pl.DataFrame:
        """All events of some owners, in the order of a timeline."""
        found = self._joined([segment.of_owners(owner) for segment in self.segments])
        return sort_events(found.lazy()).collect() if len(self.segments) > 1 else found

    def _joined(self, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
        columns = self.empty.columns
        return pl.concat([self.empty, *(frame.select(columns) for frame in frames)])

    def sums(
        self, names: Iterable[str], *, owner: Positions, at_ms: Positions, window: timedelta
    ) -> Mapping[str, Floats]:
        """The sum of each of ``names`` over the events known in ``[at - window, at)``: one value a
        query point.
        """
        return self.window_sums({window: tuple(names)}, owner=owner, at_ms=at_ms)[window]

    def window_sums(
        self,
        names: Mapping[timedelta, Sequence[str]],
        *,
        owner: Positions,
        at_ms: Positions,
    ) -> Mapping[timedelta, Mapping[str, Floats]]:
        """The same for several windows, and the ``names`` that are asked of each."""
        found = {
            window: {name: np.zeros(len(owner), dtype=np.int64) for name in wanted}
            for window, wanted in names.items()
        }
        for segment, place in self._touched(owner, at_ms, max(names, default=timedelta(0))):
            mine, moments = owner[place], at_ms[place]
            end, first = segment.count_before(mine, moments), None
            for window, wanted in names.items():
                opened_ms = moments - to_ms(window)
                if (opened_ms > segment.origin_ms).any():
                    start = segment.count_before(mine, opened_ms)
                else:  # windows that hold the whole segment begin with the owner's first event
                    first = segment.count_before(mine, opened_ms) if first is None else first
                    start = first
                for name, values in segment.sums(wanted, (start, end)).items():
                    found[window][name][place] += values
        return {
            window: {name: values / 100 for name, values in sums.items()}
            for window, sums in found.items()
        }

    def rows(self, *, owner: Positions, at_ms: Positions, window: timedelta) -> pl.DataFrame:
        """Every event known in ``[at - window, at)`` of each query point, with ``point``: the
        number of the query point (UInt32). Those of a point are in order of their moments.

        An event that lies in several windows comes once for each.
        """
        parts = [
            segment.rows(segment.slices(owner[place], at_ms[place], window), place)
            for segment, place in self._touched(owner, at_ms, window)
        ]
        empty = self.empty.with_columns(point=pl.lit(None, dtype=pl.UInt32))
        rows = pl.concat([empty, *(part.select(empty.columns) for part in parts)])
        if len(parts) > 1:
            rows = rows.sort("point", "known_at", maintain_order=True)
        return rows

    def age_days(self, *, owner: Positions, at_ms: Positions, horizon: timedelta) -> Floats:
        """Days since the owner's first event within ``horizon`` before ``at``, NaN where there is
        none.
        """
        first = np.full(len(owner), np.iinfo(np.int64).max)
        for segment, place in self._touched(owner, at_ms, horizon):
            start, end = segment.slices(owner[place], at_ms[place], horizon)
            seen = end > start
            mine = place[seen]
            first[mine] = np.minimum(first[mine], segment.known_ms(start[seen]))
        return np.where(first < np.iinfo(np.int64).max, (at_ms - first) / DAY_MS, np.nan)

    def latest_ms(self, *, owner: Positions, at_ms: Positions, window: timedelta) -> Positions:
        """The moment of the owner's last event in ``[at - window, at)``, milliseconds since 1970,
        below zero where there is none.
        """
        latest = np.full(len(owner), -1, dtype=np.int64)
        for segment, place in self._touched(owner, at_ms, window):
            start, end = segment.slices(owner[place], at_ms[place], window)
            seen = end > start
            mine = place[seen]
            latest[mine] = np.maximum(latest[mine], segment.known_ms(end[seen] - 1))
        return latest

    def _touched(
        self, owner: Positions, at_ms: Positions, window: timedelta
    ) -> Iterator[tuple[Segment, npt.NDArray[np.uint32]]]:
        """Each segment that windows reach into, with the numbers of the query points whose do."""
        span_ms = to_ms(window)
        if not len(at_ms):
            return
        low, high = int(at_ms.min()) - span_ms, int(at_ms.max())
        least, most = int(owner.min()), int(owner.max())
        for segment in self.segments:
            first, last = segment.owners
            if (
                segment.origin_ms < high
                and segment.end_ms >= low
                and first <= most
                and last >= least
            ):
                inside = (at_ms > segment.origin_ms) & (at_ms - span_ms <= segment.end_ms)
                inside &= (owner >= first) & (owner <= last)
                place = np.flatnonzero(inside).astype(np.uint32)
                if len(place):
                    yield segment, place
