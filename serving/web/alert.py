"""The page of one alert."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from serving.alerts import service as alerts
from serving.alerts.schemas import AlertId
from serving.auth import Role, Viewer, allow
from serving.dependencies import Now, Reading, ServicesOfApp
from serving.suspects import service as suspects
from serving.talks.service import talk_script
from serving.web.dispositions import handling_of
from serving.web.templating import language_of, render

__all__ = ["router"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow(*Role))]


@router.get("/alerts/{alert_id}")
def show_alert(
    *, alert_id: AlertId, request: Request, viewer: Reader, session: Reading, services: ServicesOfApp, now: Now
) -> Response:
    """Show one alert: why, how sure, what to say, what was found."""
    alert = alerts.alert_detail(session, viewer=viewer, alert_id=alert_id)
    context = {
        "viewer": viewer,
        "alert": alert,
        "chart": alerts.chart_of(alert, language_of(request)),
        "talk": talk_script(alert.scam_type),
        "published": suspects.published(session, keys=[*alert.suspect_numbers, *alert.suspect_accounts])
        if viewer.role in suspects.READERS
        else frozenset(),
        "act_by": alert.issued_at + timedelta(minutes=services.settings.act_within_minutes[alert.level]),
        "may_decide": viewer.role is not Role.ENGINEER,
        "handling": handling_of(session, viewer=viewer, alert=alert, services=services, at=now),
    }
    return render(request, "alert.html", context)
