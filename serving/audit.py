"""The audit trail: every reveal, export, disposition, login and fresh score, never changed afterwards."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from serving.tables import AuditRow

__all__ = ["Action", "record"]

Action = Literal["login", "logout", "disposition", "export", "reveal", "rescore", "user-added", "user-revoked"]


def record(session: Session, *, at: datetime, actor: str, action: Action, subject: str, **details: Any) -> None:
    """Write that ``actor`` did ``action`` to ``subject`` (a pseudonym or a name of ours, never a raw identifier).

    The entry stands or falls with the transaction of ``session``; commit it before anything is handed out.
    """
    session.add(AuditRow(occurred_at=at, actor=actor, action=action, subject=subject, details=details))
    session.flush()
