"""The SQL of alerts. Who may see which community is decided here, for every reader alike."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.orm import Session, contains_eager

from serving.dispositions.repository import latest_dispositions
from serving.tables import AlertRow, DispositionRow, WatchlistRow

__all__ = ["AlertRepository"]


class AlertRepository:
    """Reads alerts, each with its list and its last disposition."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def recent(self, since: datetime) -> Sequence[Row[AlertRow, DispositionRow]]:
        """Return current alerts issued at or after ``since`` or snoozed beyond it, oldest first."""
        return self._session.execute(
            current_alerts()
            .where(or_(AlertRow.issued_at >= since, DispositionRow.snoozed_until > since))
            .order_by(AlertRow.issued_at, AlertRow.id)
        ).all()


def all_alerts() -> Select[AlertRow, DispositionRow]:
    """Select alerts of every revision, with their lists and their last dispositions (None where there is none)."""
    last = latest_dispositions().subquery()
    return (
        select(AlertRow, DispositionRow)
        .join(AlertRow.watchlist)
        .options(contains_eager(AlertRow.watchlist))
        .outerjoin(last, last.c.alert_id == AlertRow.alert_id)
        .outerjoin(
            DispositionRow,
            and_(DispositionRow.alert_id == last.c.alert_id, DispositionRow.version == last.c.version),
        )
    )


def current_alerts() -> Select[AlertRow, DispositionRow]:
    """Select the alerts of lists that no newer revision has replaced."""
    return all_alerts().where(WatchlistRow.superseded_at.is_(None))
