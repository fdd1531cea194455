"""What a snapshot is asked, in the codes that the timelines know."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from features.timeline import Positions, Timeline

__all__ = ["Questions", "hours", "recent_rows", "spread"]


@dataclass(frozen=True, eq=False)
class Questions:
    """Who is asked about, and when: codes and milliseconds, one entry a moment."""

    frame: pl.DataFrame
    owner: Positions
    at_ms: Positions


def hours(span: pl.Expr) -> pl.Expr:
    """A span in hours, whole seconds counted."""
    return span.dt.total_seconds() / 3600


def spread(grouped: pl.DataFrame, asked: Questions) -> pl.DataFrame:
    """Lay grouped rows out again as one row a moment, null where there was nothing."""
    index = pl.DataFrame({"moment": np.arange(len(asked.owner), dtype=np.uint32)})
    return index.join(grouped, on="moment", how="left", maintain_order="left").drop("moment")


def recent_rows(timeline: Timeline, asked: Questions, window: timedelta) -> pl.DataFrame:
    """The events of ``window`` before each moment, with ``moment`` (number of the question) and ``at``."""
    rows = timeline.rows(timeline.slices(asked.owner, asked.at_ms, window))
    return rows.with_columns(at=asked.frame["at"].gather(rows["moment"]))
