"""The page of one alert: is this real, and what do I do."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, Reading, Services, ServicesOfApp, Writing
from serving.alerts import service as alerts
from serving.alerts.people import service as people
from serving.alerts.people.schemas import RevealedPerson, RevealRequest
from serving.alerts.schemas import AlertDetail, AlertId
from serving.alerts.suspects import service as suspects
from serving.casework.call_scripts.service import call_script_for, opening_words
from serving.casework.claims import service as claims
from serving.database.engine import read_transaction, write_transaction
from serving.presentation.templating import render_page
from serving.vocabulary.alerts import SUSPECT_REPUTATION
from serving.vocabulary.dispositions import SETTLED
from serving.vocabulary.roles import Role, Viewer
from serving.web.dispositions import handling_of

__all__ = ["router"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow_roles(*Role))]
Revealer = Annotated[Viewer, Depends(allow_roles(*people.REVEALERS))]
FIRST_EVENTS = 15  # of the timeline's table; the others unfold


@router.get("/alerts/{alert_id}")
def show_alert(
    *,
    alert_id: AlertId,
    request: Request,
    viewer: Reader,
    session: Reading,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show one alert: why, how sure, what happened, what to say, what was found."""
    # Before ``session`` reads: it would wait for it
    _keep_claim(services, viewer=viewer, alert_id=alert_id, at=now)
    return _page(request, viewer, session, services, alert_id=alert_id, at=now, revealed=None)


@router.post("/alerts/{alert_id}/reveal")
def reveal_person(
    *,
    alert_id: AlertId,
    form: Annotated[RevealRequest, Form()],
    request: Request,
    viewer: Revealer,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show one alert with who the person is, this once; audited with the reason."""
    revealed = people.reveal_person(
        session,
        viewer=viewer,
        alert_id=alert_id,
        reason=form.reason,
        vault=services.vault,
        settings=services.settings,
        at=now,
    )
    claims.renew_claim(
        session, viewer=viewer, alert_id=alert_id, at=now, settings=services.settings
    )
    return _page(request, viewer, session, services, alert_id=alert_id, at=now, revealed=revealed)


def _page(
    request: Request,
    viewer: Viewer,
    session: Session,
    services: Services,
    *,
    alert_id: str,
    at: datetime,
    revealed: RevealedPerson | None,
) -> Response:
    alert = alerts.alert_detail(session, viewer=viewer, alert_id=alert_id)
    handling = handling_of(session, viewer=viewer, alert=alert, services=services, at=at)
    claim = claims.current_claim(session, alert_id=alert_id, at=at)
    level = (alert.dispositions[-1].level if alert.dispositions else None) or alert.level
    context: dict[str, Any] = {
        "address": f"/alerts/{alert_id}",
        "viewer": viewer,
        "alert": alert,
        "now": at,
        "handling": handling,
        "script": call_script_for(alert.scam_type, already_paid=alert.already_paid_cny is not None),
        "opening_words": opening_words,
        "level": level,
        "act_by": alert.issued_at + timedelta(minutes=services.settings.act_within_minutes[level]),
        "settled": alert.status in SETTLED,
        "claim": claim,
        "mine": claim is not None and claim.claimed_by == viewer.name,
        "may_take": viewer.role is not Role.ENGINEER,
        "may_reveal": viewer.role in people.REVEALERS and services.vault is not None,
        "revealed": revealed,
        "colleagues": handling["colleagues"],
        "earlier": alerts.earlier_alerts(session, viewer=viewer, alert=alert),
        "scores": alerts.score_history(session, alert=alert),
        "events": list(reversed(alert.timeline)),
        "first_events": FIRST_EVENTS,
        "paid_out": alerts.payments_out(alert.timeline, until=alert.issued_at),
        "suspect_reputation": SUSPECT_REPUTATION,
        "suspects": [*alert.suspect_numbers, *alert.suspect_accounts],
        "published": _published(session, viewer, alert),
        "named_by": _named_by(session, viewer, alert),
    }
    return render_page(request, "alert.html", context)


def _published(session: Session, viewer: Viewer, alert: AlertDetail) -> frozenset[str]:
    """Return the numbers and accounts of the page that ``viewer`` can look up."""
    if viewer.role not in suspects.READERS:
        return frozenset()
    named = {
        *alert.suspect_numbers,
        *alert.suspect_accounts,
        *(event.peer for event in alert.timeline),
    }
    return suspects.published_keys(session, keys=sorted(named))


def _named_by(session: Session, viewer: Viewer, alert: AlertDetail) -> dict[str, list[Any]]:
    """Return the other alerts that name each suspect, as far as ``viewer`` may see them."""
    return {
        key: [
            one
            for one in alerts.alerts_naming(session, viewer=viewer, key=key)
            if one.person != alert.person
        ]
        for key in (*alert.suspect_numbers, *alert.suspect_accounts)
    }


def _keep_claim(services: Services, *, viewer: Viewer, alert_id: str, at: datetime) -> None:
    """Renew one's own claim when one looks at the alert, once half of its time has gone."""
    half = timedelta(minutes=services.settings.claim_minutes) / 2
    with read_transaction(services.engine, communities=viewer.communities) as session:
        claim = claims.current_claim(session, alert_id=alert_id, at=at)
        going = (
            claim is not None and claim.claimed_by == viewer.name and claim.expires_at - at < half
        )
    if going:
        with write_transaction(services.engine, communities=viewer.communities) as session:
            claims.renew_claim(
                session, viewer=viewer, alert_id=alert_id, at=at, settings=services.settings
            )
