"""The SQL of outreach lists."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.access.community_scope import visible_to
from serving.alerts.repository import Found, all_alerts
from serving.database.tables import AlertRow
from serving.outreach.tables import OutreachListRow
from serving.vocabulary.roles import Viewer

__all__ = ["OutreachRepository"]


class OutreachRepository:
    """Reads and adds issued lists."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, list_id: str, *, viewer: Viewer) -> OutreachListRow | None:
        """Return the list of this id, if ``viewer`` may see it."""
        return self._session.scalar(
            visible_to(viewer, select(OutreachListRow)).where(OutreachListRow.list_id == list_id)
        )

    def page(
        self, *, viewer: Viewer, community_id: str | None, before: int | None, limit: int
    ) -> Sequence[OutreachListRow]:
        """Return lists, the newest first, of those before number ``before``."""
        statement = visible_to(viewer, select(OutreachListRow))
        if community_id is not None:
            statement = statement.where(OutreachListRow.community_id == community_id)
        if before is not None:
            statement = statement.where(OutreachListRow.id < before)
        return self._session.scalars(
            statement.order_by(OutreachListRow.id.desc()).limit(limit)
        ).all()

    def of_day(self, community_id: str, day: date) -> int:
        """Return how many lists a community has for a day."""
        found = select(func.count()).where(
            OutreachListRow.community_id == community_id, OutreachListRow.day == day
        )
        return self._session.scalar(found) or 0

    def add(self, row: OutreachListRow) -> OutreachListRow:
        """Add a list with its items."""
        self._session.add(row)
        self._session.flush()
        return row

    def alerts_of(self, row: OutreachListRow, *, viewer: Viewer) -> dict[str, Found]:
        """Return the newest revision of each alert of a list and its last disposition, by id."""
        ids = [item.alert_id for item in row.items]
        found = (
            visible_to(viewer, all_alerts()).where(AlertRow.alert_id.in_(ids)).order_by(AlertRow.id)
        )
        return {one[0].alert_id: one for one in self._session.execute(found)}
