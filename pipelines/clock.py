"""The time zone of every moment, the end of a day in it, and the present moment."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["SHANGHAI", "ZONE", "end_of_day", "wall_clock"]

ZONE = "Asia/Shanghai"
SHANGHAI = ZoneInfo(ZONE)


def end_of_day(day: date) -> datetime:
    """Return the first moment after a day in Shanghai."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=SHANGHAI)


def wall_clock() -> datetime:
    """Return the present moment in Shanghai's time."""
    return datetime.now(SHANGHAI)
