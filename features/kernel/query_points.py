"""Query points (person and moment) in the codes of the timelines, and joins from them to events."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from features.kernel.segment import Positions
from features.kernel.timeline import Timeline

__all__ = [
    "QueryPoints",
    "latest_of_relationships",
    "one_row_per_point",
    "recent_events",
    "to_hours",
    "with_named",
]


@dataclass(frozen=True, eq=False)
class QueryPoints:
    """The query points of a point-in-time join: the code of a person, and a moment in ms, each."""

    frame: pl.DataFrame
    owner: Positions
    at_ms: Positions


def to_hours(span: pl.Expr) -> pl.Expr:
    """A span in hours, whole seconds counted."""
    return span.dt.total_seconds() / 3600


def one_row_per_point(grouped: pl.DataFrame, points: QueryPoints) -> pl.DataFrame:
    """Lay grouped rows out again as one row a moment, null where there was nothing."""
    index = pl.DataFrame({"point": np.arange(len(points.owner), dtype=np.uint32)})
    return index.join(grouped, on="point", how="left", maintain_order="left").drop("point")


def recent_events(timeline: Timeline, points: QueryPoints, window: timedelta) -> pl.DataFrame:
    """The events of ``window`` before each moment, with ``point`` (number of the query point) and
    ``at``.
    """
    rows = timeline.rows(owner=points.owner, at_ms=points.at_ms, window=window)
    return rows.with_columns(at=points.frame["at"].gather(rows["point"]))


def latest_of_relationships(
    timeline: Timeline, endings: Timeline, points: QueryPoints, window: timedelta, *, code: str
) -> pl.DataFrame:
    """The last event of each relationship heard of in ``window`` before each moment: it speaks for
    the relationship.

    ``code`` is the column of the counterparty. Where an event of ``endings`` follows, the
    counterparty is no longer new to the person then, and the relationship drops out. Beside what
    :func:`recent_events` adds, ``relationship_age_h`` and ``silent_h``: hours since its first event
    and since this.
    """
    heard = recent_events(timeline, points, window)
    relationship = ["point", code, "relationship_started_at"]
    ended = (
        recent_events(endings, points, window)
        .group_by(relationship)
        .agg(ended_n=pl.col("relationship_n").max())
    )
    return (
        heard.unique(relationship, keep="last", maintain_order=True)
        .join(ended, on=relationship, how="left", maintain_order="left")
        .filter((pl.col("ended_n") < pl.col("relationship_n")).fill_null(True))
        .drop("ended_n")
        .with_columns(
            relationship_age_h=to_hours(pl.col("at") - pl.col("relationship_started_at")),
            silent_h=to_hours(pl.col("at") - pl.col("known_at")),
        )
    )


def with_named(rows: pl.DataFrame, named: pl.DataFrame, *, code: str) -> pl.DataFrame:
    """``rows`` with ``named``: whether a case known before ``at`` names the number or account of
    ``code``.
    """
    return rows.join(
        named, left_on=code, right_on="code", how="left", maintain_order="left"
    ).with_columns(named=(pl.col("named_at") < pl.col("at")).fill_null(False))
