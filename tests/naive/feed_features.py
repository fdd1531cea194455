"""Feeds of one person at one moment, by looping over all deliveries known by then."""

from datetime import datetime, timedelta
from typing import Any

from tests.naive.holders import present_rows
from tests.naive.relationships import District

HOUR = timedelta(hours=1)


def silent_h(source: str, deliveries: list[tuple[str, datetime]], at: datetime) -> float:
    """Hours since the first delivery of the last clock hour in which the source delivered."""
    mine = [known_at for name, known_at in deliveries if name == source]
    if not mine:
        return 168.0
    hour = max(mine).replace(minute=0, second=0, microsecond=0)
    opened = min(known_at for known_at in mine if known_at >= hour)
    opened = opened.replace(microsecond=opened.microsecond // 1000 * 1000)
    return min((at - opened) / HOUR, 168.0)


def feed_features(district: District, person: str) -> dict[str, Any]:
    numbers = present_rows(district.numbers, "number", "activated_on")
    accounts = present_rows(district.accounts, "account", "opened_on")
    operators = {row["operator"] for row in numbers if row["person"] == person}
    banks = {row["bank"] for row in accounts if row["person"] == person}
    calls = [silent_h(name, district.call_deliveries, district.at) for name in operators]
    transfers = [silent_h(name, district.transfer_deliveries, district.at) for name in banks]
    return {
        "calls_feed_silent_h": max(calls, default=None),
        "transfers_feed_silent_h": max(transfers, default=None),
        "feeds_missing_n": sum(hours > 30 for hours in calls + transfers),
    }
