"""Handing an alert up: to whom, and what level it then shows."""

from sqlalchemy.orm import Session

from serving.access.users.colleagues import eligible_colleagues
from serving.casework.dispositions.schemas import Escalation
from serving.http.errors import ProblemError
from serving.vocabulary.alerts import LADDER, URGENCY, Level
from serving.vocabulary.roles import Viewer

__all__ = ["raised_level", "receiver_of"]


def raised_level(shown: Level, wanted: Level | None) -> Level:
    """Return the level after an escalation: one higher, or the one that was chosen.

    A 422 problem for a lower one.
    """
    if wanted is None:
        return LADDER[min(LADDER.index(shown) + 1, len(LADDER) - 1)]
    if URGENCY[wanted] > URGENCY[shown]:
        raise ProblemError(
            422,
            "An escalation cannot lower the level.",
            remedy="Leave the level out to raise it by one.",
        )
    return wanted


def receiver_of(
    session: Session, escalation: Escalation, *, community_id: str, viewer: Viewer
) -> str:
    """Return to whom an alert is handed up; a 422 problem for somebody who may not take it."""
    if escalation.to not in eligible_colleagues(
        session, community_id=community_id, excluding=viewer.name
    ):
        raise ProblemError(
            422,
            "Nobody of this name may take this alert.",
            remedy="Name a colleague who looks after the community.",
        )
    return escalation.to
