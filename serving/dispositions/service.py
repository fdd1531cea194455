"""Recording what was found."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data_contracts.errors import ConflictError
from serving.alerts.service import visible_alert
from serving.audit import record
from serving.auth import Viewer
from serving.dispositions.repository import DispositionRepository
from serving.dispositions.schemas import NewDisposition
from serving.errors import ProblemError
from serving.tables import DispositionRow

__all__ = ["dispose", "of_alert"]


def dispose(
    session: Session, *, viewer: Viewer, alert_id: str, new: NewDisposition, at: datetime, max_snooze: timedelta
) -> DispositionRow:
    """Record what ``viewer`` found about an alert, audited.

    Raises a 404 problem for an alert they may not see, ConflictError if the alert has moved on since it was read, a 422
    problem for a snooze in the past or beyond ``max_snooze``.
    """
    alert, _ = visible_alert(session, viewer=viewer, alert_id=alert_id)
    dispositions = DispositionRepository(session)
    if new.version != len(dispositions.of_alert(alert_id)):
        raise _moved_on()
    if new.snoozed_until and not at < new.snoozed_until <= at + max_snooze:
        raise ProblemError(422, f"An alert can be put off from now on, for {max_snooze.days} days at most.")
    row = DispositionRow(
        alert_id=alert_id,
        version=new.version + 1,
        person=alert.person,
        result=new.result,
        note=new.note,
        snoozed_until=new.snoozed_until,
        decided_at=at,
        decided_by=viewer.name,
    )
    try:
        dispositions.add(row)
    except IntegrityError:  # two writers at one moment on PostgreSQL; on SQLite the second one waits and reads
        raise _moved_on() from None
    record(session, at=at, actor=viewer.name, action="disposition", subject=alert_id, result=new.result)
    return row


def of_alert(session: Session, *, viewer: Viewer, alert_id: str) -> Sequence[DispositionRow]:
    """Return what was found about an alert, oldest first; a 404 problem for an alert they may not see."""
    visible_alert(session, viewer=viewer, alert_id=alert_id)
    return DispositionRepository(session).of_alert(alert_id)


def _moved_on() -> ConflictError:
    return ConflictError(
        "Somebody else has recorded a result meanwhile.", remedy="Read the alert again, then decide with its version."
    )
