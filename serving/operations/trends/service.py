"""Counting alerts by place, hour, type and day, and what came of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from serving.operations.trends.repository import Counted, TrendRepository
from serving.operations.trends.schemas import Cell, Period, Precision, Prevented, Step, Trends
from serving.presentation.wording import LEVELS
from serving.vocabulary.roles import Role, Viewer

__all__ = ["READERS", "compute_trends"]

READERS = (Role.ANALYST, Role.OFFICER, Role.ENGINEER, Role.ADMIN)
RIGHT = frozenset({"stopped", "contact_no_payment", "already_paid"})
JUDGED = RIGHT | {"lawful"}
WEEK = 7
LONGEST_BY_DAY = 28


def compute_trends(session: Session, *, viewer: Viewer, days: Period, now: datetime) -> Trends:
    """Return the first alerts of the ``days`` up to the day of the latest list, as far as
    ``viewer`` may see them.
    """
    found = TrendRepository(session)
    end = next_midnight(found.latest_at() or now)
    start = end - timedelta(days=days)
    alerts = found.first_alerts(start, end, viewer=viewer)
    return Trends(
        start=start,
        end=end,
        days=days,
        alerts=len(alerts),
        communities=len({alert.community_id for alert in alerts}),
        by_hour=count_cells((alert.community_id, str(alert.issued_at.hour)) for alert in alerts),
        by_type=count_cells((alert.community_id, alert.scam_type) for alert in alerts),
        volume=volume_by_stretch(
            alerts, start=start, days=days, step=1 if days <= LONGEST_BY_DAY else WEEK
        ),
        precision=precision_by_stretch(
            alerts, start=start, days=days, step=1 if days <= WEEK else WEEK
        ),
        prevented=prevented_losses(alerts),
    )


def next_midnight(at: datetime) -> datetime:
    """Return the end of the day of ``at``."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def count_cells(places: Iterable[tuple[str, str]]) -> list[Cell]:
    """Return how often each pair of community and hour (or type) occurs."""
    return [
        Cell(community_id=place[0], of=place[1], alerts=count)
        for place, count in sorted(Counter(places).items())
    ]


def volume_by_stretch(
    alerts: Sequence[Counted], *, start: datetime, days: int, step: int
) -> list[Step]:
    """Return the alerts of each stretch of ``step`` days by level.

    A stretch without any has none of any level.
    """
    found = Counter((stretch_of(alert.issued_at, start, step), alert.level) for alert in alerts)
    return [
        Step(
            day=stretch_start(start, place, step).date(),
            days=step,
            by_level={level: found[place, level] for level in LEVELS},
        )
        for place in range(days // step)
    ]


def precision_by_stretch(
    alerts: Sequence[Counted], *, start: datetime, days: int, step: int
) -> list[Precision]:
    """Return how many alerts of each stretch of ``step`` days were judged, and right."""
    stretches = [
        [alert for alert in alerts if stretch_of(alert.issued_at, start, step) == place]
        for place in range(days // step)
    ]
    return [
        Precision(
            day=stretch_start(start, place, step).date(),
            days=step,
            alerts=len(issued),
            judged=sum(alert.result in JUDGED for alert in issued),
            right=sum(alert.result in RIGHT for alert in issued),
        )
        for place, issued in enumerate(stretches)
    ]


def stretch_of(issued_at: datetime, start: datetime, step: int) -> int:
    """Return the number of the stretch of ``step`` days from ``start`` on that a moment lies in."""
    return (issued_at - start) // timedelta(days=step)


def stretch_start(start: datetime, place: int, step: int) -> datetime:
    """Return the first moment of a stretch."""
    return start + timedelta(days=place * step)


def prevented_losses(alerts: Sequence[Counted]) -> Prevented:
    """Return what warnings stopped, and what was lost all the same."""
    stopped = [alert for alert in alerts if alert.result == "stopped"]
    noted = [alert.prevented_cny for alert in stopped if alert.prevented_cny is not None]
    unnoted = [alert.at_stake_cny for alert in stopped if alert.prevented_cny is None]
    typical = [amount_cny for amount_cny in unnoted if amount_cny is not None]
    lost = [alert for alert in alerts if alert.result == "already_paid"]
    return Prevented(
        stopped=len(stopped),
        noted=len(noted),
        noted_cny=sum(noted),
        typical=len(typical),
        typical_cny=sum(typical),
        lost=len(lost),
        lost_cny=sum(alert.paid_cny or 0 for alert in lost),
    )
