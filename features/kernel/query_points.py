"""What a snapshot is asked, in the codes that the timelines know."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from features.kernel.timeline import Positions, Timeline

__all__ = ["Questions", "hours", "latest_of_threads", "recent_rows", "spread", "with_naming"]


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


def latest_of_threads(timeline: Timeline, asked: Questions, window: timedelta) -> pl.DataFrame:
    """The last event of each thread heard of in ``window`` before each moment: it speaks for the thread.

    Beside what :func:`recent_rows` adds, ``thread_age_h`` and ``silent_h``: hours since its first event and since this.
    """
    last = pl.col("next_known_at").is_null() | (pl.col("next_known_at") >= pl.col("at"))
    return (
        recent_rows(timeline, asked, window)
        .filter(last)
        .with_columns(
            thread_age_h=hours(pl.col("at") - pl.col("thread_started_at")),
            silent_h=hours(pl.col("at") - pl.col("known_at")),
        )
    )


def with_naming(rows: pl.DataFrame, named: pl.DataFrame, *, code: str) -> pl.DataFrame:
    """``rows`` with ``named``: whether a case known before ``at`` names the number or account of ``code``."""
    return rows.join(named, left_on=code, right_on="code", how="left", maintain_order="left").with_columns(
        named=(pl.col("named_at") < pl.col("at")).fill_null(False)
    )
