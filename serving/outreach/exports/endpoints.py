"""The API of exports. Its paths must be known before those of single alerts."""

from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, ServicesOfApp, Writing
from serving.alerts.schemas import Alert, AlertFilter
from serving.http.routing import ApiRouter
from serving.outreach.exports import service
from serving.outreach.exports.service import COLUMNS
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/alerts", tags=["alerts"])
Reader = Annotated[Viewer, Depends(allow_roles(*Role))]
Chosen = Annotated[AlertFilter, Query()]
CSV = "text/csv; charset=utf-8"
NDJSON = "application/x-ndjson"
CSV_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}, "example": ",".join(COLUMNS) + "\r\n"}}}
}
NDJSON_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"model": Alert, "description": "One alert a line.", "content": {NDJSON: {}}}
}


@router.get("/export.csv", response_class=StreamingResponse, responses=CSV_RESPONSE)
def export_alerts_as_csv(
    chosen: Chosen, viewer: Reader, session: Writing, services: ServicesOfApp, now: Now
) -> StreamingResponse:
    """Take the chosen alerts away as CSV; a stream of any length. Every call is audited."""
    service.note_export(session, viewer=viewer, chosen=chosen, form="csv", at=now)
    rows = service.alerts_as_csv(services.engine, viewer=viewer, chosen=chosen)
    return StreamingResponse(rows, media_type=CSV, headers=_attachment("alerts.csv"))


@router.get("/export.ndjson", response_class=StreamingResponse, responses=NDJSON_RESPONSE)
def export_alerts_as_ndjson(
    chosen: Chosen, viewer: Reader, session: Writing, services: ServicesOfApp, now: Now
) -> StreamingResponse:
    """Take the chosen alerts away as JSON, one to a line; a stream of any length.

    Every call is audited.
    """
    service.note_export(session, viewer=viewer, chosen=chosen, form="ndjson", at=now)
    rows = service.alerts_as_ndjson(services.engine, viewer=viewer, chosen=chosen)
    return StreamingResponse(rows, media_type=NDJSON, headers=_attachment("alerts.ndjson"))


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
