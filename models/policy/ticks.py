"""The ticks of a span, day by day: the same people at the same moments as the running system asks
about.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl

from data_contracts.errors import SettingsError
from features.event_index import EventIndex
from features.kernel.segment import Positions
from features.whom_to_ask import query_points_after_events, query_points_for_everyone

__all__ = ["parse_tick", "query_points_by_day"]

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
DAY = timedelta(days=1)


def parse_tick(text: str) -> timedelta:
    """``15m``, ``1h`` or ``1d`` as a span that divides a day. Raises ``SettingsError`` for anything
    else.
    """
    unit = UNITS.get(text[-1:])
    number = text[:-1]
    span = timedelta(**{unit: int(number)}) if unit and number.isdecimal() else timedelta(0)
    if span <= timedelta(0) or DAY % span:
        raise SettingsError(
            f"a tick of {text!r} cannot be used",
            remedy="Give one that divides a day: 5m, 15m, 1h, 6h, 1d.",
        )
    return span


def query_points_by_day(
    event_index: EventIndex,
    *,
    start: datetime,
    end: datetime,
    tick: str,
    owner: Positions | None = None,
) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """``person``, ``at`` of each calendar day of ``[start, end)``, with the moment it begins.

    Everybody is asked about at ``start`` and at each midnight; at each later tick of the clock
    those of whom a reason to ask again became known since the tick before. With ``owner`` that goes
    for the people of these codes alone.
    """
    span = parse_tick(tick)
    while start < end:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        until = min(midnight, end)
        touched = query_points_after_events(
            event_index, start=start - span, end=until, every=tick, owner=owner
        )
        later = touched.filter((pl.col("at") > start) & (pl.col("at") < until))
        everyone = query_points_for_everyone(event_index, at=start, owner=owner)
        yield start, pl.concat([everyone, later])
        start = midnight
