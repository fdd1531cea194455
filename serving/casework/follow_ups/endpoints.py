"""The API of follow-ups."""

from typing import Annotated

from fastapi import Path, Query, Response

from serving.access.dependencies import Decider, Now, Reading, Writing
from serving.casework.follow_ups import service
from serving.casework.follow_ups.schemas import Done, FollowUp, FollowUpPage, Move
from serving.http.etags import MATCH_RESPONSES, IfMatchRow, etag_of, version_of
from serving.http.fields import IsoDay
from serving.http.paging import Cursor, Limit
from serving.http.routing import ApiRouter
from serving.vocabulary.times import SHANGHAI

__all__ = ["FollowUpId", "router"]

FollowUpId = Annotated[int, Path(ge=1, lt=2**31, examples=[5])]
router = ApiRouter(prefix="/follow-ups", tags=["follow-ups"])


@router.get("")
def list_follow_ups(
    *,
    viewer: Decider,
    session: Reading,
    now: Now,
    due_by: Annotated[
        IsoDay | None, Query(description="Due on this day or before; leave it out for today.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> FollowUpPage:
    """List whom to ask again: open follow-ups that are due, the longest due first."""
    day = due_by or now.astimezone(SHANGHAI).date()
    return service.due_page(session, viewer=viewer, day=day, cursor=cursor, limit=limit)


@router.get("/{follow_up_id}")
def read_follow_up(
    follow_up_id: FollowUpId, viewer: Decider, session: Reading, response: Response
) -> FollowUp:
    """Read one follow-up. Its ETag is what a change has to name as If-Match."""
    found = service.get_follow_up(session, viewer=viewer, follow_up_id=follow_up_id)
    response.headers["ETag"] = etag_of(found.version)
    return found


@router.post("/{follow_up_id}/done", responses=MATCH_RESPONSES)
def finish_follow_up(
    *,
    follow_up_id: FollowUpId,
    done: Done,
    viewer: Decider,
    session: Writing,
    now: Now,
    response: Response,
    if_match: IfMatchRow = None,
) -> FollowUp:
    """Close a follow-up with what was found."""
    found = service.finish_follow_up(
        session,
        viewer=viewer,
        follow_up_id=follow_up_id,
        done=done,
        version=version_of(if_match),
        at=now,
    )
    response.headers["ETag"] = etag_of(found.version)
    return found


@router.post("/{follow_up_id}/move", responses=MATCH_RESPONSES)
def move_follow_up(
    *,
    follow_up_id: FollowUpId,
    to: Move,
    viewer: Decider,
    session: Writing,
    now: Now,
    response: Response,
    if_match: IfMatchRow = None,
) -> FollowUp:
    """Move a follow-up to another day."""
    found = service.move_follow_up(
        session,
        viewer=viewer,
        follow_up_id=follow_up_id,
        due_on=to.due_on,
        version=version_of(if_match),
        at=now,
    )
    response.headers["ETag"] = etag_of(found.version)
    return found
