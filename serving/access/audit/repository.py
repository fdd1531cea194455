"""The SQL of reading the audit trail."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.database.tables import AuditRow

__all__ = ["AuditRepository"]


class AuditRepository:
    """Reads entries; only ``serving.database.audit_chain`` writes them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(
        self,
        *,
        actor: str | None,
        action: str | None,
        subject: str | None,
        span: tuple[datetime, datetime] | None,
        before: int | None,
        limit: int,
    ) -> Sequence[AuditRow]:
        """Return up to ``limit`` entries, the newest first, of those before number ``before``.

        What is None does not narrow; ``span`` is from, and to before.
        """
        statement = select(AuditRow)
        for column, wanted in (
            (AuditRow.actor, actor),
            (AuditRow.action, action),
            (AuditRow.subject, subject),
        ):
            if wanted is not None:
                statement = statement.where(column == wanted)
        if span is not None:
            statement = statement.where(
                AuditRow.occurred_at >= span[0], AuditRow.occurred_at < span[1]
            )
        if before is not None:
            statement = statement.where(AuditRow.id < before)
        return self._session.scalars(statement.order_by(AuditRow.id.desc()).limit(limit)).all()

    def of_actions(self, *actions: str) -> Sequence[AuditRow]:
        """Return all entries of ``actions``, the newest first."""
        statement = select(AuditRow).where(AuditRow.action.in_(actions))
        return self._session.scalars(statement.order_by(AuditRow.id.desc())).all()
