"""The SQL of dispositions: they are added, never changed."""

from collections.abc import Sequence

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, aliased

from serving.database.tables import AlertRow, DispositionRow

__all__ = ["DispositionRepository", "latest_dispositions"]


def latest_dispositions() -> Select[tuple[str, int]]:
    """Select the last version of each alert that has one, as (alert_id, version)."""
    return select(
        DispositionRow.alert_id, func.max(DispositionRow.version).label("version")
    ).group_by(DispositionRow.alert_id)


class DispositionRepository:
    """Reads and adds dispositions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_alert(self, alert_id: str) -> Sequence[DispositionRow]:
        """Return an alert's dispositions, oldest first."""
        return self._session.scalars(
            select(DispositionRow)
            .where(DispositionRow.alert_id == alert_id)
            .order_by(DispositionRow.version)
        ).all()

    def last_of(self, alert_id: str) -> DispositionRow | None:
        """Return the last word on an alert, None where there is none."""
        return self._session.scalar(
            select(DispositionRow)
            .where(DispositionRow.alert_id == alert_id)
            .order_by(DispositionRow.version.desc())
            .limit(1)
        )

    def add(self, row: DispositionRow) -> DispositionRow:
        """Add a disposition.

        Raises IntegrityError when its version exists already, and the session goes on.
        """
        with self._session.begin_nested():
            self._session.add(row)
            self._session.flush()
        return row

    def with_alerts(self) -> Sequence[Row[tuple[DispositionRow, AlertRow]]]:
        """Return all dispositions, oldest first, each with the newest revision of its alert."""
        newest = select(func.max(AlertRow.id)).group_by(AlertRow.alert_id)
        alert = aliased(AlertRow)
        return self._session.execute(
            select(DispositionRow, alert)
            .join(alert, alert.alert_id == DispositionRow.alert_id)
            .where(alert.id.in_(newest))
            .order_by(DispositionRow.decided_at, DispositionRow.id)
        ).all()
