"""The SQL of what changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from serving.notifications.live.tables import ChangeRow

__all__ = ["ChangeRepository"]


class ChangeRepository:
    """Adds changes and reads them in order; old ones are forgotten."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: ChangeRow) -> ChangeRow:
        """Add a change."""
        self._session.add(row)
        self._session.flush()
        return row

    def after(self, number: int, *, limit: int) -> Sequence[ChangeRow]:
        """Return the changes after ``number`` in order, at most ``limit``."""
        return self._session.scalars(
            select(ChangeRow).where(ChangeRow.id > number).order_by(ChangeRow.id).limit(limit)
        ).all()

    def last(self) -> int:
        """Return the number of the last change, 0 before the first."""
        return self._session.scalar(select(func.max(ChangeRow.id))) or 0

    def forget(self, *, before: datetime) -> None:
        """Delete changes before a moment, but never the last one: numbers go on from it."""
        newest = select(func.max(ChangeRow.id)).scalar_subquery()
        self._session.execute(
            delete(ChangeRow).where(ChangeRow.happened_at < before, ChangeRow.id < newest)
        )
