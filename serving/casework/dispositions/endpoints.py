"""The API of dispositions."""

from fastapi import Response

from serving.access.dependencies import Decider, Now, Reading, ServicesOfApp, Writing
from serving.alerts.schemas import AlertId, Disposition
from serving.casework.dispositions import service
from serving.casework.dispositions.schemas import NewDisposition
from serving.http.etags import MATCH_RESPONSES, IfMatch, etag_of, version_of
from serving.http.routing import ApiRouter

__all__ = ["router"]

router = ApiRouter(prefix="/alerts/{alert_id}/dispositions", tags=["dispositions"])


@router.get("", response_model=list[Disposition])
def list_dispositions(
    alert_id: AlertId, viewer: Decider, session: Reading, response: Response
) -> object:
    """List what was found about an alert, oldest first.

    The ETag is what the next one has to name as If-Match.
    """
    found = service.dispositions_of(session, viewer=viewer, alert_id=alert_id)
    response.headers["ETag"] = etag_of(len(found))
    return found


@router.post("", status_code=201, response_model=Disposition, responses=MATCH_RESPONSES)
def add_disposition(
    *,
    alert_id: AlertId,
    new: NewDisposition,
    viewer: Decider,
    session: Writing,
    now: Now,
    services: ServicesOfApp,
    response: Response,
    if_match: IfMatch = None,
) -> object:
    """Record what was found. 412 if somebody else recorded a result since the alert was read:
    nothing is overwritten.

    `If-Match` is the ETag of the alert's dispositions, `"0"` before the first one.
    """
    row = service.record_disposition(
        session,
        viewer=viewer,
        alert_id=alert_id,
        new=new,
        version=version_of(if_match),
        at=now,
        settings=services.settings,
        source="api",
    )
    response.headers["ETag"] = etag_of(row.version)
    return row
