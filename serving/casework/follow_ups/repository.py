"""The SQL of follow-ups."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from serving.access.community_scope import may_see, visible_to
from serving.alerts.disposition_repository import latest_dispositions
from serving.casework.follow_ups.tables import FollowUpRow
from serving.database.tables import AlertRow, DispositionRow
from serving.vocabulary.roles import Viewer

__all__ = ["FollowUpRepository", "Planned"]

Planned = Row[tuple[FollowUpRow, AlertRow, DispositionRow]]


class FollowUpRepository:
    """Reads and changes follow-ups, each with its alert and the last disposition of it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, follow_up_id: int, *, viewer: Viewer) -> Planned | None:
        """Return the follow-up of this number, if ``viewer`` may see it."""
        return self._session.execute(_visible(viewer).where(FollowUpRow.id == follow_up_id)).first()

    def open_until(
        self, day: date, *, viewer: Viewer, after: tuple[date, int] | None = None, limit: int = 500
    ) -> Sequence[Planned]:
        """Return the open follow-ups due on ``day`` or before, the longest due first."""
        statement = _visible(viewer).where(
            FollowUpRow.closed_at.is_(None), FollowUpRow.due_on <= day
        )
        if after is not None:
            due_on, row_id = after
            later = and_(FollowUpRow.due_on == due_on, FollowUpRow.id > row_id)
            statement = statement.where(or_(FollowUpRow.due_on > due_on, later))
        return self._session.execute(
            statement.order_by(FollowUpRow.due_on, FollowUpRow.id).limit(limit)
        ).all()

    def count_open_until(self, day: date, *, viewer: Viewer, community_id: str) -> int:
        """Return how many open follow-ups of a community are due on ``day`` or before."""
        if not may_see(viewer, community_id):
            return 0
        due = select(func.count()).where(
            FollowUpRow.closed_at.is_(None),
            FollowUpRow.due_on <= day,
            FollowUpRow.community_id == community_id,
        )
        return self._session.scalar(due) or 0

    def of_alert(self, alert_id: str) -> Sequence[FollowUpRow]:
        """Return an alert's follow-ups by day."""
        return self._session.scalars(
            select(FollowUpRow)
            .where(FollowUpRow.alert_id == alert_id)
            .order_by(FollowUpRow.due_on, FollowUpRow.id)
        ).all()

    def add(self, rows: Sequence[FollowUpRow]) -> None:
        """Add follow-ups."""
        self._session.add_all(rows)
        self._session.flush()


def _visible(viewer: Viewer) -> Select[tuple[FollowUpRow, AlertRow, DispositionRow]]:
    newest = select(func.max(AlertRow.id)).group_by(AlertRow.alert_id)
    last = latest_dispositions().subquery()
    statement = (
        select(FollowUpRow, AlertRow, DispositionRow)
        .join(AlertRow, and_(AlertRow.alert_id == FollowUpRow.alert_id, AlertRow.id.in_(newest)))
        .join(last, last.c.alert_id == FollowUpRow.alert_id)
        .join(
            DispositionRow,
            and_(
                DispositionRow.alert_id == last.c.alert_id, DispositionRow.version == last.c.version
            ),
        )
    )
    return visible_to(viewer, statement)
