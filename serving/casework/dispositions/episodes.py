"""Episodes: the alerts of one person that follow each other closely, and which of them repeats
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

__all__ = ["check_merge", "episode_of", "unsettled_alerts"]


def episode_of(
    session: Session, *, viewer: Viewer, alert: AlertRow, settings: ServingSettings
) -> list[Found]:
    """Return the alerts of the episode that ``alert`` belongs to, itself among them, oldest first.

    Alerts of one person are one episode as long as no two neighbours lie more than ``episode_days``
    apart.
    """
    alerts = AlertRepository(session).of_person(alert.person, viewer=viewer)
    gap = timedelta(days=settings.episode_days)
    episodes: list[list[Found]] = []
    for found in alerts:
        if episodes and found[0].issued_at - episodes[-1][-1][0].issued_at <= gap:
            episodes[-1].append(found)
        else:
            episodes.append([found])
    return next(
        (episode for episode in episodes if alert.alert_id in {one.alert_id for one, _ in episode}),
        [],
    )


def unsettled_alerts(episode: Sequence[Found], *, excluding: str) -> list[Found]:
    """Return the alerts of the episode, other than ``excluding``, that still wait for a result."""
    return [
        found
        for found in episode
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
