"""The time zone of the installation, and its days."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["SHANGHAI", "local_day_span"]


SHANGHAI = ZoneInfo("Asia/Shanghai")


def local_day_span(at: datetime) -> tuple[datetime, datetime]:
    """Return the first moment of the local day of ``at`` and the first moment after it."""
    start = datetime.combine(at.astimezone(SHANGHAI).date(), time.min, SHANGHAI)
    return start, start + timedelta(days=1)
