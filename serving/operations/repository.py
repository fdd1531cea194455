"""The SQL of what pipelines reported."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from serving.operations.tables import ReportRow

__all__ = ["ReportRepository"]


class ReportRepository:
    """Reads and adds reports."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def newest(self, kind: str) -> ReportRow | None:
        """Return the newest report of a kind."""
        return next(iter(self.latest(kind, limit=1)), None)

    def latest(self, kind: str, *, limit: int) -> Sequence[ReportRow]:
        """Return the newest reports of a kind, the newest first."""
        return self._session.scalars(
            select(ReportRow)
            .where(ReportRow.kind == kind)
            .order_by(ReportRow.at.desc(), ReportRow.id.desc())
            .limit(limit)
        ).all()

    def since(self, kind: str, start: datetime) -> Sequence[ReportRow]:
        """Return the reports of a kind made from ``start`` on, the newest first."""
        return self._session.scalars(
            select(ReportRow)
            .where(ReportRow.kind == kind, ReportRow.at >= start)
            .order_by(ReportRow.at.desc(), ReportRow.id.desc())
        ).all()

    def add(self, kind: str, *, at: datetime, content: dict[str, Any]) -> ReportRow:
        """Add a report."""
        row = ReportRow(kind=kind, at=at, content=content)
        self._session.add(row)
        self._session.flush()
        return row

    def rewrite(self, report_id: int, content: dict[str, Any]) -> None:
        """Replace what a report says."""
        row = self._session.get_one(ReportRow, report_id)
        row.content = content

    def forget(self, kind: str, *, before: datetime) -> None:
        """Remove reports of a kind made before ``before``."""
        self._session.execute(
            delete(ReportRow).where(ReportRow.kind == kind, ReportRow.at < before)
        )
