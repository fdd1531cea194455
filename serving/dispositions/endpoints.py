"""The API of dispositions."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends

from serving.alerts.schemas import AlertId
from serving.auth import Role, Viewer, allow
from serving.dependencies import Now, Reading, ServicesOfApp, Writing
from serving.dispositions import service
from serving.dispositions.schemas import Disposition, NewDisposition

__all__ = ["router"]

Decider = Annotated[Viewer, Depends(allow(Role.ANALYST, Role.OFFICER, Role.ADMIN))]
router = APIRouter(prefix="/alerts/{alert_id}/dispositions", tags=["dispositions"])


@router.get("", response_model=list[Disposition])
def list_dispositions(
    alert_id: AlertId,
    viewer: Decider,
    session: Reading,
) -> object:
    """List what was found about an alert, oldest first."""
    return service.of_alert(session, viewer=viewer, alert_id=alert_id)


@router.post("", status_code=201, response_model=Disposition)
def add_disposition(
    *,
    alert_id: AlertId,
    new: NewDisposition,
    viewer: Decider,
    session: Writing,
    now: Now,
    services: ServicesOfApp,
) -> object:
    """Record what was found. 409 if somebody else recorded a result since the alert was read."""
    max_snooze = timedelta(days=services.settings.max_snooze_days)
    return service.dispose(session, viewer=viewer, alert_id=alert_id, new=new, at=now, max_snooze=max_snooze)
