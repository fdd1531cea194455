"""Segments of timelines in files."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from features.kernel.owner_totals import OwnerTotals
from features.kernel.segment import DAY_MS, KEY, Segment, event_keys, sort_events, to_milliseconds
from features.kernel.timeline import Timeline
from pipelines.storage.event_store.parts.event_columns import EMPTY_EVENTS, SUMS
from pipelines.storage.event_store.parts.frame_files import read_frame, write_frame
from pipelines.storage.event_store.parts.manifest import SegmentFile
from pipelines.storage.event_store.parts.merging import take_shorter

__all__ = ["add_segment", "open_timeline"]

MOST_KEPT = 5_000_000  # events of a timeline whose running totals are kept
TOTALLED_FROM = 200_000  # events of a segment from which on the totals of its owners are kept


def add_segment(
    name: str,
    segments: Sequence[SegmentFile],
    events: pl.DataFrame,
    *,
    start_ms: int,
    folder: Path,
) -> tuple[SegmentFile, ...]:
    """The segments of the timeline ``name`` and behind them ``events`` of the day that begins at
    ``start_ms``.

    What comes minute by minute is merged with what came before it on that day, while that is not
    much more: so a day lies in few segments, and an event is written few times.
    """
    if events.is_empty():
        return tuple(segments)
    kept, merged = take_shorter(
        segments, len(events), only=lambda one: start_ms <= one.origin_ms < start_ms + DAY_MS
    )
    before = [read_frame(folder / one.file).select(events.columns) for one in merged]
    return (*kept, write_segment(name, pl.concat([*before, events]).lazy(), folder=folder))


def write_segment(name: str, events: pl.LazyFrame, *, folder: Path) -> SegmentFile:
    """Write events of the timeline ``name`` as one segment."""
    frame = sort_events(events).collect()
    known_ms = to_milliseconds(frame["known_at"])
    origin_ms = int(known_ms.min())
    end_ms, owners = int(known_ms.max()), (int(frame["owner"][0]), int(frame["owner"][-1]))
    keyed = frame.with_columns(pl.Series(KEY, event_keys(frame, origin_ms=origin_ms)))
    totals = None
    if SUMS[name] and len(frame) >= TOTALLED_FROM:
        segment = Segment(origin_ms, end_ms, frame, SUMS[name], owners)
        totals = write_frame(segment.total_by_owner(), folder=folder)
    return SegmentFile(
        file=write_frame(keyed, folder=folder),
        origin_ms=origin_ms,
        end_ms=end_ms,
        first_owner=owners[0],
        last_owner=owners[1],
        length=len(frame),
        totals=totals,
    )


def open_timeline(name: str, files: Sequence[SegmentFile], *, folder: Path) -> Timeline:
    """The timeline ``name`` of some segments. Their files are mapped into memory at once, so that
    they stay readable after they were removed; their pages are read as windows touch them.
    """
    keeps_totals = sum(one.length for one in files) <= MOST_KEPT
    segments = tuple(
        Segment(
            one.origin_ms,
            one.end_ms,
            read_frame(folder / one.file),
            SUMS[name],
            (one.first_owner, one.last_owner),
            keeps_totals,
            OwnerTotals(read_frame(folder / one.totals)) if one.totals else None,
        )
        for one in sorted(files, key=lambda one: (one.origin_ms, one.first_owner))
    )
    return Timeline(segments, EMPTY_EVENTS[name], SUMS[name])
