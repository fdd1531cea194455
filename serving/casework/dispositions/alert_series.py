"""Alert series: the alerts of one person that follow each other closely, and which of them repeats
which.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from serving.alerts.repository import AlertRepository, Found
from serving.context.settings import ServingSettings
from serving.database.tables import AlertRow
from serving.http.errors import ProblemError
from serving.vocabulary.dispositions import SETTLED
from serving.vocabulary.roles import Viewer

__all__ = ["check_merge", "series_of", "unsettled_alerts"]


def series_of(
    session: Session, *, viewer: Viewer, alert: AlertRow, settings: ServingSettings
) -> list[Found]:
    """Return the series that ``alert`` belongs to, itself among its alerts, oldest first.

    Alerts of one person are one series as long as no two neighbours lie more than
    ``series_gap_days`` apart.
    """
    alerts = AlertRepository(session).of_person(alert.person, viewer=viewer)
    gap = timedelta(days=settings.series_gap_days)
    groups: list[list[Found]] = []
    for found in alerts:
        if groups and found[0].issued_at - groups[-1][-1][0].issued_at <= gap:
            groups[-1].append(found)
        else:
            groups.append([found])
    return next(
        (series for series in groups if alert.alert_id in {one.alert_id for one, _ in series}),
        [],
    )


def unsettled_alerts(series: Sequence[Found], *, excluding: str) -> list[Found]:
    """Return the alerts of a series, other than ``excluding``, that still wait for a result."""
    return [
        found
        for found in series
        if found[0].alert_id != excluding and (found[1] is None or found[1].result not in SETTLED)
    ]


def check_merge(session: Session, *, viewer: Viewer, alert: AlertRow, into: str) -> None:
    """Raise a 422 problem unless ``into`` is an earlier alert of the same person."""
    found = AlertRepository(session).get(into, viewer=viewer)
    if found is None or found[0].person != alert.person or found[0].issued_at >= alert.issued_at:
        raise ProblemError(
            422,
            "An alert can be merged only into an earlier alert of the same person.",
            remedy="Choose one of the earlier alerts that its page lists.",
        )
