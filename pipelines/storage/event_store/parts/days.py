"""Local days as numbers: how many lie between 1970 and them."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.clock import ZONE

__all__ = ["day_number", "day_of", "day_start", "known_day"]

EPOCH = date(1970, 1, 1)


def known_day() -> pl.Expr:
    """The local day on which an event became known."""
    return pl.col("known_at").dt.date().cast(pl.Int32)


def day_number(day: date) -> int:
    """The number of a day."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The day of a number."""
    return EPOCH + timedelta(days=number)


def day_start(number: int) -> datetime:
    """The moment at which a day begins."""
    return datetime.combine(day_of(number), time(), ZoneInfo(ZONE))
