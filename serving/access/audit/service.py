"""Reading the audit trail."""

from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from serving.access.audit.repository import AuditRepository
from serving.access.audit.schemas import AuditPage, AuditQuery, Entry
from serving.http.paging import decode_cursor, encode_cursor
from serving.vocabulary.times import SHANGHAI

__all__ = ["audit_page"]


def audit_page(session: Session, *, query: AuditQuery) -> AuditPage:
    """Return one page of the trail, the newest entries first.

    Raises a 400 problem for a foreign cursor.
    """
    span = None
    if query.day is not None:
        start = datetime.combine(query.day, time.min, SHANGHAI)
        span = start, start + timedelta(days=1)
    (before,) = decode_cursor(query.cursor, int) if query.cursor else (None,)
    rows = AuditRepository(session).page(
        actor=query.actor or None,
        action=query.action,
        subject=query.subject or None,
        span=span,
        before=before,
        limit=query.limit + 1,
    )
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return AuditPage(
        items=[Entry.model_validate(row) for row in shown],
        next_cursor=encode_cursor(shown[-1].id) if more else None,
    )
