"""Segments of timelines in files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import polars as pl

from features.kernel.timeline import (
    KEY,
    Segment,
    Timeline,
    event_keys,
    sort_events,
    to_milliseconds,
)
from pipelines.storage.event_store.event_columns import EMPTY_EVENTS, SUMS
from pipelines.storage.event_store.frame_files import read_frame, write_frame
from pipelines.storage.event_store.manifest import SegmentFile

__all__ = ["open_timeline", "write_segment"]


def write_segment(events: pl.LazyFrame, *, folder: Path) -> tuple[SegmentFile, ...]:
    """Write events as one segment; none where there are no events."""
    frame = sort_events(events).collect()
    if frame.is_empty():
        return ()
    known_ms = to_milliseconds(frame["known_at"])
    origin_ms = int(known_ms.min())
    keyed = frame.with_columns(pl.Series(KEY, event_keys(frame, origin_ms=origin_ms)))
    owner = frame["owner"]
    return (
        SegmentFile(
            file=write_frame(keyed, folder=folder),
            origin_ms=origin_ms,
            end_ms=int(known_ms.max()),
            first_owner=int(owner[0]),
            last_owner=int(owner[-1]),
            length=len(frame),
        ),
    )


def open_timeline(name: str, files: Sequence[SegmentFile], *, folder: Path) -> Timeline:
    """The timeline ``name`` of some segments; no file is opened before a window touches it."""
    segments = tuple(
        Segment(
            one.origin_ms,
            one.end_ms,
            partial(read_frame, folder / one.file),
            SUMS[name],
            (one.first_owner, one.last_owner),
            one.length,
        )
        for one in sorted(files, key=lambda one: (one.origin_ms, one.first_owner))
    )
    return Timeline(segments, EMPTY_EVENTS[name], SUMS[name])
