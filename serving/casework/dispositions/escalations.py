"""Handing an alert up: to whom, and what level it then shows."""

from sqlalchemy.orm import Session

from serving.access.auth import Role, Viewer
from serving.access.repository import UserRepository
from serving.casework.dispositions.schemas import Escalation
from serving.database.tables import AlertRow, DispositionRow, UserRow
from serving.http.errors import ProblemError
from serving.store import URGENCY, Level

__all__ = ["colleagues", "raised_level", "receiver_of", "shown_level"]

LADDER: tuple[Level, ...] = ("blue", "yellow", "orange", "red")
MAY_TAKE = frozenset({Role.ANALYST, Role.OFFICER, Role.ADMIN})


def shown_level(alert: AlertRow, last: DispositionRow | None) -> Level:
    """Return the level an alert shows: the one it was published with, or the one it was raised to."""
    level = (last.level if last else None) or alert.level
    return next(step for step in LADDER if step == level)


def raised_level(shown: Level, wanted: Level | None) -> Level:
    """Return the level after an escalation: one higher, or the one asked for; a 422 problem for a lower one."""
    if wanted is None:
        return LADDER[min(LADDER.index(shown) + 1, len(LADDER) - 1)]
    if URGENCY[wanted] > URGENCY[shown]:
        raise ProblemError(
            422, "An escalation cannot lower the level.", remedy="Leave the level out to raise it by one."
        )
    return wanted


def colleagues(session: Session, *, community_id: str, beside: str = "") -> list[str]:
    """Return the names of those who may take an alert of a community, without ``beside``."""
    return [
        user.name for user in UserRepository(session).all() if user.name != beside and _may_take(user, community_id)
    ]


def receiver_of(session: Session, escalation: Escalation, *, community_id: str, viewer: Viewer) -> str:
    """Return to whom an alert is handed up; a 422 problem for somebody who may not take it."""
    if escalation.to not in colleagues(session, community_id=community_id, beside=viewer.name):
        raise ProblemError(
            422, "Nobody of this name may take this alert.", remedy="Name a colleague who looks after the community."
        )
    return escalation.to


def _may_take(user: UserRow, community_id: str) -> bool:
    if user.disabled_at is not None or Role(user.role) not in MAY_TAKE:
        return False
    return Role(user.role) is not Role.OFFICER or community_id in {own.community_id for own in user.communities}
