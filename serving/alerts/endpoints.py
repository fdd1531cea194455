"""The API of alerts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from serving.alerts import service
from serving.alerts.schemas import AlertDetail, AlertId, AlertPage, AlertQuery
from serving.auth import Role, Viewer, allow
from serving.dependencies import Reading
from serving.wording import Language

__all__ = ["router"]

router = APIRouter(prefix="/alerts", tags=["alerts"])
Reader = Annotated[Viewer, Depends(allow(*Role))]


@router.get("")
def list_alerts(query: Annotated[AlertQuery, Query()], viewer: Reader, session: Reading) -> AlertPage:
    """List current alerts page by page; an officer sees only the own communities."""
    return service.alert_page(session, viewer=viewer, query=query)


@router.get("/{alert_id}")
def read_alert(alert_id: AlertId, viewer: Reader, session: Reading) -> AlertDetail:
    """Read one alert with its reasons, its SHAP contributions and what was found about it."""
    return service.alert_detail(session, viewer=viewer, alert_id=alert_id)


@router.get(
    "/{alert_id}/chart.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"example": "<svg …>"}}}},
)
def draw_alert(alert_id: AlertId, viewer: Reader, session: Reading, lang: Language = "zh") -> Response:
    """Draw the SHAP waterfall of one alert."""
    alert = service.alert_detail(session, viewer=viewer, alert_id=alert_id)
    return Response(service.chart_of(alert, lang), media_type="image/svg+xml")
