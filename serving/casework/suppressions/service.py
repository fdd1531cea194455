"""Keeping a person from being alerted for a while, and ending that."""

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from serving.access.users.colleagues import eligible_colleagues
from serving.alerts.service import visible_alert
from serving.casework.suppressions.repository import SuppressionRepository
from serving.casework.suppressions.schemas import NewSuppression, Suppression, SuppressionPage
from serving.casework.suppressions.tables import SuppressionRow
from serving.context.settings import ServingSettings
from serving.database.audit_chain import record_action
from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from serving.vocabulary.roles import Viewer

__all__ = ["lift_suppression", "suppress_person", "suppression_of", "suppression_page"]


def suppress_person(
    session: Session,
    *,
    viewer: Viewer,
    new: NewSuppression,
    at: datetime,
    settings: ServingSettings,
) -> SuppressionRow:
    """Keep the person of an alert from being alerted until it expires, unless new money moves.

    Audited.

    Raises a 404 problem for an alert ``viewer`` may not see, a 422 problem for an owner or an
    expiry that cannot be meant, a 409 problem for a person who is suppressed already.
    """
    alert, _ = visible_alert(session, viewer=viewer, alert_id=new.alert_id)
    owner = new.owner or viewer.name
    if owner != viewer.name and owner not in eligible_colleagues(
        session, community_id=alert.community_id
    ):
        raise ProblemError(
            422,
            "Nobody of this name can answer for it.",
            remedy="Name a colleague, or leave it out.",
        )
    longest = timedelta(days=settings.max_suppression_days)
    if not at < new.expires_at <= at + longest:
        raise ProblemError(
            422,
            "A person can be suppressed from now on, but not for so long.",
            remedy="Choose another time.",
        )
    suppressions = SuppressionRepository(session)
    present = suppressions.of_person(alert.person)
    if present and present.expires_at > at:
        raise _already()
    if present:  # it had expired; the next one takes its place
        present.ended_at, present.ended_by, present.ended_why = (
            present.expires_at,
            viewer.name,
            "",
        )
        session.flush()
    row = SuppressionRow(
        person=alert.person,
        alert_id=alert.alert_id,
        community_id=alert.community_id,
        reason=new.reason,
        owner=owner,
        created_at=at,
        created_by=viewer.name,
        expires_at=new.expires_at,
    )
    try:
        suppressions.add(row)
    except IntegrityError:  # two at one moment
        raise _already() from None
    expiry = new.expires_at.isoformat()
    record_action(
        session,
        at=at,
        actor=viewer.name,
        action="suppress",
        subject=alert.person,
        owner=owner,
        until=expiry,
    )
    return row


def lift_suppression(
    session: Session, *, viewer: Viewer, suppression_id: int, reason: str, at: datetime
) -> SuppressionRow:
    """End a suppression before its time, audited.

    Raises a 404 problem where there is none that ``viewer`` may see, a 409 problem for one that is
    over already.
    """
    row = SuppressionRepository(session).get(suppression_id, viewer=viewer)
    if row is None:
        raise ProblemError(404, "There is no such suppression in your communities.")
    if row.ended_at is not None or row.expires_at <= at:
        raise ProblemError(409, "This suppression is over already.", remedy="Load the list again.")
    row.ended_at, row.ended_by, row.ended_why = at, viewer.name, reason
    session.flush()
    record_action(session, at=at, actor=viewer.name, action="unsuppress", subject=row.person)
    return row


def suppression_of(session: Session, *, person: str, at: datetime) -> SuppressionRow | None:
    """Return the suppression of a person that is in force, None where there is none."""
    row = SuppressionRepository(session).of_person(person)
    return row if row and row.expires_at > at else None


def suppression_page(
    session: Session, *, viewer: Viewer, at: datetime, cursor: str | None = None, limit: int = 200
) -> SuppressionPage:
    """Return one page of what is in force, the newest first, as far as ``viewer`` may see it."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows = SuppressionRepository(session).in_force(
        at, viewer=viewer, before=before, limit=limit + 1
    )
    return SuppressionPage(
        items=[Suppression.model_validate(row) for row in rows[:limit]],
        next_cursor=encode_cursor(rows[limit - 1].id) if len(rows) > limit else None,
    )


def _already() -> ProblemError:
    return ProblemError(
        409,
        "This person is suppressed already.",
        remedy="Lift the suppression that stands before making another.",
    )
