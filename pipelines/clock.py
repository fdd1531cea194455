"""The time zone of every moment, and the present moment."""

from datetime import datetime
from zoneinfo import ZoneInfo

__all__ = ["SHANGHAI", "ZONE", "wall_clock"]

ZONE = "Asia/Shanghai"
SHANGHAI = ZoneInfo(ZONE)


def wall_clock() -> datetime:
    """Return the present moment in Shanghai's time."""
    return datetime.now(SHANGHAI)
