"""The API of claims."""

from typing import Annotated

from fastapi import Depends, Response

from serving.access.auth import Role, Viewer, allow
from serving.access.dependencies import Now, ServicesOfApp, Writing
from serving.alerts.schemas import AlertId
from serving.casework.claims import service
from serving.casework.claims.schemas import Assignment, Claim
from serving.http.routing import ApiRouter

__all__ = ["router"]

router = ApiRouter(tags=["claims"])
Taker = Annotated[Viewer, Depends(allow(Role.ANALYST, Role.OFFICER, Role.ADMIN))]


@router.post("/queue/next", response_model=Claim)
def take_next(viewer: Taker, session: Writing, services: ServicesOfApp, now: Now) -> object:
    """Claim the most urgent alert that is with nobody. Two who ask at once get different ones."""
    return service.take_next(session, viewer=viewer, at=now, settings=services.settings)


@router.post("/alerts/{alert_id}/claim", response_model=Claim)
def claim_alert(alert_id: AlertId, viewer: Taker, session: Writing, services: ServicesOfApp, now: Now) -> object:
    """Claim one alert, or renew the own claim. 409 names whoever else has it."""
    return service.claim(session, viewer=viewer, alert_id=alert_id, at=now, settings=services.settings)


@router.delete("/alerts/{alert_id}/claim", status_code=204)
def release_alert(alert_id: AlertId, viewer: Taker, session: Writing, now: Now) -> Response:
    """Give an alert back."""
    service.release(session, viewer=viewer, alert_id=alert_id, at=now)
    return Response(status_code=204)


@router.put("/alerts/{alert_id}/assignee", response_model=Claim)
def assign_alert(
    *, alert_id: AlertId, new: Assignment, viewer: Taker, session: Writing, services: ServicesOfApp, now: Now
) -> object:
    """Give an alert to a colleague."""
    return service.assign(session, viewer=viewer, alert_id=alert_id, to=new.to, at=now, settings=services.settings)
