"""The page of those who are not alerted for a while."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field, ValidationError

from serving.access.dependencies import Decider, Now, Reading, Writing
from serving.casework.suppressions import service
from serving.casework.suppressions.endpoints import SuppressionId, Suppressor
from serving.casework.suppressions.schemas import Lift
from serving.http.paging import Cursor
from serving.presentation.templating import render_page, see_other
from serving.vocabulary.roles import Role
from serving.web.forms import form_problem

__all__ = ["router"]

router = APIRouter(prefix="/suppressions")
A_PAGE = 50


class LiftForm(BaseModel):
    """What the form to end a suppression sends."""

    reason: Annotated[str, Field(max_length=8000)] = ""


@router.get("")
def show_suppressions(
    request: Request, viewer: Decider, session: Reading, now: Now, cursor: Cursor = None
) -> Response:
    """Show who is not alerted for a while, why, until when and who answers for it."""
    page = service.suppression_page(session, viewer=viewer, at=now, cursor=cursor, limit=A_PAGE)
    may_lift = viewer.role in {Role.ANALYST, Role.ADMIN}
    context = {"viewer": viewer, "page": page, "may_lift": may_lift, "continued": bool(cursor)}
    return render_page(request, "suppressions.html", context)


@router.post("/{suppression_id}/lift")
def lift_suppression(
    suppression_id: SuppressionId,
    form: Annotated[LiftForm, Form()],
    viewer: Suppressor,
    session: Writing,
    now: Now,
) -> Response:
    """End a suppression before its time."""
    try:
        reason = Lift(reason=form.reason).reason
    except ValidationError as error:
        raise form_problem(error) from None
    service.lift_suppression(
        session, viewer=viewer, suppression_id=suppression_id, reason=reason, at=now
    )
    return see_other("/suppressions")
