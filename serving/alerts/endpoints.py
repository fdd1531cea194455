"""The API of alerts."""

from typing import Annotated, Any

from fastapi import Depends, Query, Response

from serving.access.auth import allow_roles
from serving.access.dependencies import Reading
from serving.alerts import service
from serving.alerts.schemas import AlertDetail, AlertId, AlertPage, AlertQuery, ScorePoint
from serving.http.routing import ApiRouter
from serving.presentation.translations import get_translator
from serving.vocabulary.languages import Language
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

SVG = "image/svg+xml"
PICTURE: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"content": {SVG: {"example": "<svg …>"}}}},
}

router = ApiRouter(prefix="/alerts", tags=["alerts"])
Reader = Annotated[Viewer, Depends(allow_roles(*Role))]


@router.get("")
def list_alerts(
    query: Annotated[AlertQuery, Query()], viewer: Reader, session: Reading
) -> AlertPage:
    """List current alerts page by page; an officer sees only the own communities."""
    return service.alert_page(session, viewer=viewer, query=query)


@router.get("/{alert_id}")
def read_alert(alert_id: AlertId, viewer: Reader, session: Reading) -> AlertDetail:
    """Read one alert with its reasons, its SHAP contributions and what was found about it."""
    return service.alert_detail(session, viewer=viewer, alert_id=alert_id)


@router.get("/{alert_id}/scores")
def read_scores(alert_id: AlertId, viewer: Reader, session: Reading) -> list[ScorePoint]:
    """Read how likely the person was in an episode since a month before the alert, oldest first."""
    alert = service.alert_detail(session, viewer=viewer, alert_id=alert_id)
    return service.score_history(session, alert=alert)


@router.get("/{alert_id}/chart.svg", **PICTURE)
def draw_alert(
    alert_id: AlertId, viewer: Reader, session: Reading, lang: Language = "zh"
) -> Response:
    """Draw the SHAP waterfall of one alert."""
    alert = service.alert_detail(session, viewer=viewer, alert_id=alert_id)
    return Response(service.contribution_svg(alert, get_translator(lang)), media_type=SVG)


@router.get("/{alert_id}/timeline.svg", **PICTURE)
def draw_timeline(
    alert_id: AlertId, viewer: Reader, session: Reading, lang: Language = "zh"
) -> Response:
    """Draw the calls, texts and movements of money before one alert."""
    alert = service.alert_detail(session, viewer=viewer, alert_id=alert_id)
    return Response(service.timeline_svg(alert, get_translator(lang)), media_type=SVG)


@router.get("/{alert_id}/scores.svg", **PICTURE)
def draw_scores(
    alert_id: AlertId, viewer: Reader, session: Reading, lang: Language = "zh"
) -> Response:
    """Draw how likely the person was in an episode over time."""
    alert = service.alert_detail(session, viewer=viewer, alert_id=alert_id)
    return Response(
        service.score_svg(session, viewer=viewer, alert=alert, say=get_translator(lang)),
        media_type=SVG,
    )
