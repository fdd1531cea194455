"""One person: the fresh score, and who they are."""

from datetime import datetime

from sqlalchemy.orm import Session

from serving.access.dependencies import Services
from serving.access.reveals import record_reveal
from serving.access.vault import opened_vault
from serving.alerts.people.schemas import RevealedPerson
from serving.alerts.service import visible_alert
from serving.context.ports import IdentityVault, Rescore
from serving.context.settings import AccessSettings
from serving.database.audit_chain import record_action
from serving.database.engine import write_transaction
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Role, Viewer

__all__ = ["REVEALERS", "rescore_person", "reveal_person"]

REVEALERS = (Role.ANALYST, Role.OFFICER, Role.ADMIN)


def rescore_person(services: Services, *, viewer: Viewer, person: str, at: datetime) -> Rescore:
    """Score a person afresh, audited.

    Raises a 503 problem where this process scores nobody or is busy with others, a 404 problem for
    an unknown person.
    """
    if services.rescorer is None:
        raise ProblemError(
            503, "This process does not score.", remedy="Start it with a model and a lake."
        )
    # Explaining with one booster in two threads at once has corrupted memory: one at a time.
    if not services.rescoring.acquire(timeout=services.settings.rescore_wait_s):
        raise ProblemError(
            503,
            "Others are being scored.",
            remedy="Try again in a moment.",
            headers={"Retry-After": "5"},
        )
    try:
        fresh = services.rescorer(person)
    finally:
        services.rescoring.release()
    if fresh is None:
        raise ProblemError(404, "Nobody is known under this pseudonym.")
    # Only now: nobody waits for a writer that is scoring
    with write_transaction(services.engine) as session:
        record_action(
            session, at=at, actor=viewer.name, action="rescore", subject=person, level=fresh.level
        )
    return fresh


def reveal_person(
    session: Session,
    *,
    viewer: Viewer,
    alert_id: str,
    reason: str,
    vault: IdentityVault | None,
    settings: AccessSettings,
    at: datetime,
) -> RevealedPerson:
    """Return the name and the numbers of the person of an alert that ``viewer`` may see.

    Audited with the reason.

    Raises a 404 problem for an alert they may not see or a person whom the vault does not hold, a
    503 problem without a vault, a 429 problem after too many in an hour. Commit the session before
    the answer is handed out.
    """
    alert, _ = visible_alert(session, viewer=viewer, alert_id=alert_id)
    identity = opened_vault(vault).reveal_people([alert.person]).get(alert.person)
    if identity is None:
        raise ProblemError(404, "The vault does not hold what is behind this pseudonym.")
    record_reveal(
        session,
        viewer=viewer,
        subject=alert.person,
        reason=reason,
        settings=settings,
        at=at,
        alert=alert_id,
    )
    return RevealedPerson(person=alert.person, name=identity.name, msisdns=list(identity.msisdns))
