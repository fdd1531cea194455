"""The API of claims."""

from fastapi import Response

from serving.access.dependencies import Decider, Now, ServicesOfApp, Writing
from serving.alerts.schemas import AlertId
from serving.casework.claims import service
from serving.casework.claims.schemas import Assignment, Claim
from serving.http.routing import ApiRouter

__all__ = ["router"]

router = ApiRouter(tags=["claims"])


@router.post("/alerts/{alert_id}/claim", response_model=Claim)
def claim_alert(
    alert_id: AlertId, viewer: Decider, session: Writing, services: ServicesOfApp, now: Now
) -> object:
    """Claim one alert, or renew the own claim. 409 names whoever else has it."""
    return service.claim_alert(
        session, viewer=viewer, alert_id=alert_id, at=now, settings=services.settings
    )


@router.delete("/alerts/{alert_id}/claim", status_code=204)
def release_alert(alert_id: AlertId, viewer: Decider, session: Writing, now: Now) -> Response:
    """Give an alert back."""
    service.release_alert(session, viewer=viewer, alert_id=alert_id, at=now)
    return Response(status_code=204)


@router.put("/alerts/{alert_id}/assignee", response_model=Claim)
def assign_alert(
    *,
    alert_id: AlertId,
    new: Assignment,
    viewer: Decider,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> object:
    """Give an alert to a colleague."""
    return service.assign_alert(
        session, viewer=viewer, alert_id=alert_id, to=new.to, at=now, settings=services.settings
    )
