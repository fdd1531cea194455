"""The form under an alert, the people to ask again, and those who are not alerted for a while."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from pydantic import BaseModel, Field

from serving.alerts.schemas import AlertId
from serving.auth import Role, Viewer, allow
from serving.dependencies import Now, ServicesOfApp, Writing
from serving.dispositions import service as dispositions
from serving.dispositions.schemas import NewDisposition, Note, Result
from serving.web.templating import see_other

__all__ = ["router"]

router = APIRouter()
Decider = Annotated[Viewer, Depends(allow(Role.ANALYST, Role.OFFICER, Role.ADMIN))]


class DispositionForm(BaseModel):
    """What the form under an alert sends."""

    result: Result
    note: Note = ""
    version: Annotated[int, Field(ge=0)]
    snooze_days: Annotated[int, Field(ge=0, le=3650)] = 0


@router.post("/alerts/{alert_id}/dispositions")
def decide(
    *,
    alert_id: AlertId,
    form: Annotated[DispositionForm, Form()],
    viewer: Decider,
    session: Writing,
    now: Now,
    services: ServicesOfApp,
) -> Response:
    """Record what was found and show the alert again."""
    new = NewDisposition(
        result=form.result,
        note=form.note,
        snoozed_until=now + timedelta(days=form.snooze_days) if form.snooze_days else None,
    )
    dispositions.dispose(
        session,
        viewer=viewer,
        alert_id=alert_id,
        new=new,
        version=form.version,
        at=now,
        settings=services.settings,
        source="screen",
    )
    return see_other(f"/alerts/{alert_id}")
