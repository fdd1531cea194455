"""Windows over events, one loop a question. An event is (owner, known_at, value)."""

from datetime import datetime, timedelta

Event = tuple[int, datetime, float]


def within(events: list[Event], owner: int, at: datetime, window: timedelta) -> list[Event]:
    """The owner's events known in ``[at - window, at)``, oldest first."""
    return sorted(
        (e for e in events if e[0] == owner and at - window <= e[1] < at), key=lambda e: e[1]
    )


def total(events: list[Event], owner: int, at: datetime, window: timedelta) -> float:
    return sum(value for _, _, value in within(events, owner, at, window))


def age_days(events: list[Event], owner: int, at: datetime, horizon: timedelta) -> float | None:
    seen = within(events, owner, at, horizon)
    return (at - seen[0][1]) / timedelta(days=1) if seen else None
