"""How long the sources that serve a person have been silent."""

import polars as pl

from features.event_index import EventIndex
from features.kernel.query_points import QueryPoints

__all__ = ["feed_features"]


def feed_features(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """``calls_feed_silent_h``, ``transfers_feed_silent_h`` (null without a source),
    ``feeds_missing_n``.
    """
    calls_silent_h, calls_late = event_index.call_feeds.longest_silence(points)
    transfers_silent_h, transfers_late = event_index.transfer_feeds.longest_silence(points)
    return pl.DataFrame(
        {
            "calls_feed_silent_h": calls_silent_h,
            "transfers_feed_silent_h": transfers_silent_h,
            "feeds_missing_n": calls_late + transfers_late,
        }
    ).with_columns(pl.col("calls_feed_silent_h", "transfers_feed_silent_h").fill_nan(None))
