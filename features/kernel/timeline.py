"""Events by owner and moment: a window is a slice, and a windowed sum the difference of two running
totals.

A timeline lies in one segment or in several, as when days are added one by one: a sum over a window
is then the sum over the segments that the window touches, and no other segment is opened.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.kernel.segment import (
    DAY_MS,
    FAR_FUTURE_MS,
    MAX_SEGMENT_SPAN,
    Floats,
    Positions,
    Segment,
    known_within,
    moment_ms,
    sort_events,
    to_milliseconds,
    to_ms,
)

__all__ = ["Timeline"]


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
        at_ms = moment_ms(at)
        return sum(
            len(segment.events)
            if segment.end_ms < at_ms
            else segment.events.lazy()
            .select(known_within(segment.origin_ms, at_ms).sum())
            .collect()
            .item()
            for segment in self.segments
        )

    def known_between(
        self,
        start: datetime,
        end: datetime | None = None,
        *,
        where: pl.Expr | None = None,
        owner: Positions | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """The events known in ``[start, end)``, or all since, segment after segment.

        Of these only those of some owners, those for which ``where`` holds, and some ``columns``:
        no more than one segment lies in memory besides them, and no column is read in vain.
        """
        low, end_ms = moment_ms(start), FAR_FUTURE_MS if end is None else moment_ms(end)
        chosen = [known_within(low, end_ms), *([] if where is None else [where])]
        wanted = self.empty.columns if columns is None else columns
        found = [
            one.of_owners(owner).lazy().filter(chosen).select(wanted).collect()
            for one in self._overlapping(low, end_ms)
        ]
        return pl.concat([self.empty.select(wanted), *found])

    def owners_between(self, start: datetime, end: datetime) -> pl.Series:
        """The owners of the events known in ``[start, end)``, once each."""
        low, end_ms = moment_ms(start), moment_ms(end)
        found = [one.owners_within(low, end_ms) for one in self._overlapping(low, end_ms)]
        return pl.concat([self.empty["owner"], *found]).unique().sort()

    def _overlapping(self, start_ms: int, end_ms: int) -> Iterator[Segment]:
        """The segments that may hold events known in ``[start_ms, end_ms)``."""
        for segment in self.segments:
            if segment.origin_ms < end_ms and segment.end_ms >= start_ms:
                yield segment

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
            sums = segment.window_sums(names, owner=owner[place], at_ms=at_ms[place])
            for window, values in sums:
                for name, value in values.items():
                    found[window][name][place] += value
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
            mine = segment.first_ms(owner[place], at_ms[place], horizon)
            first[place] = np.minimum(first[place], mine)
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
