"""Taking alerts, giving them back, and asking a colleague to take one.

No alert is ever with two people.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from serving.access.users.colleagues import eligible_colleagues
from serving.alerts.service import visible_alert
from serving.casework.claims.repository import ClaimRepository
from serving.casework.claims.tables import ClaimRow
from serving.context.settings import ServingSettings
from serving.database.audit_chain import Action, record_action
from serving.database.tables import AlertRow
from serving.http.errors import ProblemError
from serving.notifications.live.service import announce_change
from serving.vocabulary.roles import Role, Viewer

__all__ = [
    "announce_result",
    "assign_alert",
    "claim_alert",
    "current_claim",
    "release_alert",
    "renew_claim",
    "take_alert",
]


def claim_alert(
    session: Session, *, viewer: Viewer, alert_id: str, at: datetime, settings: ServingSettings
) -> ClaimRow:
    """Claim one alert, or renew one's own claim on it; a 409 problem names whoever else has it."""
    alert, _ = visible_alert(session, viewer=viewer, alert_id=alert_id)
    taken = take_alert(session, alert, viewer=viewer, at=at, settings=settings)
    if taken is not None:
        return taken
    claim = current_claim(session, alert_id=alert_id, at=at)
    if claim is None:  # it ended after the attempt to take the alert
        raise ProblemError(409, "Somebody else had this alert until now.", remedy="Try again.")
    if claim.claimed_by != viewer.name:
        raise _already_claimed(claim)
    _prolong(claim, at=at, settings=settings)
    return claim


def take_alert(
    session: Session, alert: AlertRow, *, viewer: Viewer, at: datetime, settings: ServingSettings
) -> ClaimRow | None:
    """Claim an alert; None where somebody has it, oneself included."""
    row = ClaimRow(
        alert_id=alert.alert_id,
        community_id=alert.community_id,
        claimed_by=viewer.name,
        claimed_at=at,
        expires_at=at + timedelta(minutes=settings.claim_minutes),
    )
    try:
        ClaimRepository(session).add(row)
    except IntegrityError:  # the database holds at most one claim of an alert
        return None
    _note(session, row, "claim", viewer=viewer, at=at)
    return row


def release_alert(session: Session, *, viewer: Viewer, alert_id: str, at: datetime) -> None:
    """Give an alert back.

    A 409 problem for somebody else's, which only an administrator can take away.
    """
    visible_alert(session, viewer=viewer, alert_id=alert_id)
    claim = current_claim(session, alert_id=alert_id, at=at)
    if claim is None:
        return
    if claim.claimed_by != viewer.name and viewer.role is not Role.ADMIN:
        raise _already_claimed(claim)
    ClaimRepository(session).end(claim, at=at)
    _note(session, claim, "release", viewer=viewer, at=at, holder=claim.claimed_by)


def assign_alert(
    session: Session,
    *,
    viewer: Viewer,
    alert_id: str,
    to: str,
    at: datetime,
    settings: ServingSettings,
) -> ClaimRow:
    """Give an alert to a colleague, who has it until the assignment expires.

    Raises a 422 problem for a name that may not take this alert, a 409 problem for an alert that a
    third person has.
    """
    alert, _ = visible_alert(session, viewer=viewer, alert_id=alert_id)
    if to not in eligible_colleagues(session, community_id=alert.community_id):
        raise ProblemError(
            422,
            "Nobody of this name may take this alert.",
            remedy="Name a colleague who looks after the community.",
        )
    claims = ClaimRepository(session)
    claim = claims.current(alert_id, at=at)
    if claim is not None:
        if claim.claimed_by not in {viewer.name, to} and viewer.role is not Role.ADMIN:
            raise _already_claimed(claim)
        claims.end(claim, at=at)
    row = ClaimRow(
        alert_id=alert_id,
        community_id=alert.community_id,
        claimed_by=to,
        assigned_by=viewer.name,
        claimed_at=at,
        expires_at=at + timedelta(hours=settings.assignment_hours),
    )
    try:
        claims.add(row)
    except IntegrityError:
        raise ProblemError(409, "Somebody else took this alert at this very moment.") from None
    _note(session, row, "assign", viewer=viewer, at=at, to=to)
    return row


def renew_claim(
    session: Session, *, viewer: Viewer, alert_id: str, at: datetime, settings: ServingSettings
) -> None:
    """Prolong the viewer's own claim on an alert; leave anybody else's as it is."""
    claim = current_claim(session, alert_id=alert_id, at=at)
    if claim is not None and claim.claimed_by == viewer.name:
        _prolong(claim, at=at, settings=settings)


def announce_result(
    session: Session, *, alert_id: str, community_id: str, settled: bool, by: str, at: datetime
) -> None:
    """Announce a new result of an alert to the open pages; end its claim once it is settled."""
    announce_change(
        session, topic="result", subject=alert_id, at=at, communities={community_id: 1}, actor=by
    )
    claim = current_claim(session, alert_id=alert_id, at=at)
    if settled and claim is not None:
        ClaimRepository(session).end(claim, at=at)


def current_claim(session: Session, *, alert_id: str, at: datetime) -> ClaimRow | None:
    """Return the claim that is valid at ``at``, None where nobody has the alert."""
    return ClaimRepository(session).current(alert_id, at=at)


def _prolong(row: ClaimRow, *, at: datetime, settings: ServingSettings) -> None:
    row.expires_at = max(row.expires_at, at + timedelta(minutes=settings.claim_minutes))


def _note(
    session: Session, row: ClaimRow, action: Action, *, viewer: Viewer, at: datetime, **details: Any
) -> None:
    record_action(session, at=at, actor=viewer.name, action=action, subject=row.alert_id, **details)
    announce_change(
        session,
        topic="claim",
        subject=row.alert_id,
        at=at,
        communities={row.community_id: 1},
        actor=viewer.name,
    )


def _already_claimed(claim: ClaimRow) -> ProblemError:
    return ProblemError(
        409,
        "Somebody else has this alert.",
        remedy="Take the next one, or ask them to give it back.",
        claimed_by=claim.claimed_by,
        expires_at=claim.expires_at.isoformat(),
    )
