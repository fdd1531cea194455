"""The page of those whom somebody asks again today."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field, ValidationError

from serving.access.dependencies import Decider, Now, Reading, Writing
from serving.casework.follow_ups import service
from serving.casework.follow_ups.endpoints import FollowUpId
from serving.casework.follow_ups.schemas import Done
from serving.http.paging import Cursor
from serving.presentation.templating import render_page, see_other
from serving.vocabulary.times import SHANGHAI
from serving.web.forms import form_problem

__all__ = ["router"]

router = APIRouter(prefix="/follow-ups")
A_PAGE = 50
Version = Annotated[int, Field(ge=0, lt=2**31)]


class DoneForm(BaseModel):
    """What the form of a follow-up sends to close it."""

    version: Version
    outcome: Annotated[str, Field(max_length=20)]
    note: Annotated[str, Field(max_length=8000)] = ""


class MoveForm(BaseModel):
    """What the form of a follow-up sends when it is to wait."""

    version: Version
    due_on: date


@router.get("")
def show_follow_ups(
    *,
    request: Request,
    viewer: Decider,
    session: Reading,
    now: Now,
    cursor: Cursor = None,
    until: date | None = None,
) -> Response:
    """Show who is to be asked again by today, or by another day, the longest due first."""
    today = now.astimezone(SHANGHAI).date()
    page = service.due_page(session, viewer=viewer, day=until or today, cursor=cursor, limit=A_PAGE)
    context = {
        "viewer": viewer,
        "page": page,
        "today": today,
        "until": until or today,
        "continued": bool(cursor),
    }
    return render_page(request, "follow_ups.html", context)


@router.post("/{follow_up_id}/done")
def finish_follow_up(
    follow_up_id: FollowUpId,
    form: Annotated[DoneForm, Form()],
    viewer: Decider,
    session: Writing,
    now: Now,
) -> Response:
    """Close a follow-up. Who is in danger again is shown, so that a new result is recorded."""
    try:
        done = Done.model_validate({"outcome": form.outcome, "note": form.note})
    except ValidationError as error:
        raise form_problem(error) from None
    found = service.finish_follow_up(
        session, viewer=viewer, follow_up_id=follow_up_id, done=done, version=form.version, at=now
    )
    return see_other(
        f"/alerts/{found.alert_id}" if done.outcome in {"in_contact", "paid"} else "/follow-ups"
    )


@router.post("/{follow_up_id}/move")
def move_follow_up(
    follow_up_id: FollowUpId,
    form: Annotated[MoveForm, Form()],
    viewer: Decider,
    session: Writing,
    now: Now,
) -> Response:
    """Move a follow-up to another day."""
    service.move_follow_up(
        session,
        viewer=viewer,
        follow_up_id=follow_up_id,
        due_on=form.due_on,
        version=form.version,
        at=now,
    )
    return see_other("/follow-ups")
