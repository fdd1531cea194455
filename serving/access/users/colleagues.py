"""Who may take an alert of a community."""

from sqlalchemy.orm import Session

from serving.access.repository import UserRepository
from serving.database.tables import UserRow
from serving.vocabulary.roles import Role

__all__ = ["MAY_TAKE", "eligible_colleagues"]

MAY_TAKE = frozenset({Role.ANALYST, Role.OFFICER, Role.ADMIN})


def eligible_colleagues(session: Session, *, community_id: str, excluding: str = "") -> list[str]:
    """Return the names of those who may take an alert of a community, without ``excluding``."""
    return [
        user.name
        for user in UserRepository(session).all()
        if user.name != excluding and _may_take(user, community_id)
    ]


def _may_take(user: UserRow, community_id: str) -> bool:
    if user.disabled_at is not None or Role(user.role) not in MAY_TAKE:
        return False
    return Role(user.role) is not Role.OFFICER or community_id in {
        own.community_id for own in user.communities
    }
