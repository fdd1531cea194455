"""The page of the engineers: how runs, deliveries and models do, and which model is champion."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.orm import Session

from data_contracts.errors import ConflictError, NotReadyError
from serving.access.auth import allow_roles
from serving.access.dependencies import Now, Reading, ServicesOfApp, Writing
from serving.operations import promotion
from serving.operations import wording as words
from serving.operations.health_issues import differs_from_others, find_health_issues
from serving.operations.outcomes import reason_of, title_of
from serving.operations.promotion import PROMOTERS
from serving.operations.service import read_overview
from serving.presentation.templating import language_of, render_page, see_other
from serving.presentation.translations import N_, get_translator
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = APIRouter(prefix="/operations")
Engineer = Annotated[Viewer, Depends(allow_roles(*PROMOTERS))]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=500)]

REFUSED = N_(
    "The model was not changed: the gates refuse it, or another one stands in line by now. "
    "They say why below."
)
NONE_BEFORE = N_("The model was not changed: there was no champion before it.")


class PromotionForm(BaseModel):
    """What the form under a challenger sends."""

    version: Annotated[str, Field(pattern=r"^\d{1,9}$")]
    reason: Reason


class RollBackForm(BaseModel):
    """What the form under the champion sends."""

    reason: Reason


@router.get("")
def show_operations(
    *, request: Request, viewer: Engineer, session: Reading, services: ServicesOfApp, now: Now
) -> Response:
    """Show how the system does and what of it needs action."""
    return _page(request, viewer, session, services, now)


@router.post("/promote")
def promote_model(
    *,
    request: Request,
    form: Annotated[PromotionForm, Form()],
    viewer: Engineer,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Promote the challenger if every gate lets it pass; audited."""
    try:
        promotion.promote_model(
            session,
            viewer=viewer,
            version=form.version,
            reason=form.reason,
            promoter=services.promoter,
            at=now,
        )
    except ConflictError:
        return _page(request, viewer, session, services, now, problem=REFUSED)
    return see_other("/operations#models")


@router.post("/roll-back")
def roll_back(
    *,
    request: Request,
    form: Annotated[RollBackForm, Form()],
    viewer: Engineer,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Make the champion before the present one champion again; audited."""
    try:
        promotion.roll_back(
            session, viewer=viewer, reason=form.reason, promoter=services.promoter, at=now
        )
    except NotReadyError:
        return _page(request, viewer, session, services, now, problem=NONE_BEFORE)
    return see_other("/operations#models")


def _page(
    request: Request,
    viewer: Viewer,
    session: Session,
    services: ServicesOfApp,
    now: Now,
    *,
    problem: str = "",
) -> Response:
    found = read_overview(session, at=now)
    context = {
        "viewer": viewer,
        "found": found,
        "health_issues": find_health_issues(found, get_translator(language_of(request))),
        "words": words,
        "differs_from_others": differs_from_others,
        "title_of": title_of,
        "reason_of": reason_of,
        "links": services.settings,
        "may_promote": services.promoter is not None,
        "may_try": services.trial is not None,
        "problem": problem,
    }
    return render_page(
        request,
        "operations.html",
        context,
        status=HTTPStatus.CONFLICT if problem else HTTPStatus.OK,
    )
