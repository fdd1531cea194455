"""The pages about deliveries: what an outcome means and what mends it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, Reading, ServicesOfApp
from serving.operations import wording as words
from serving.operations.outcomes import explain_outcome, reason_of
from serving.operations.promotion import PROMOTERS
from serving.operations.service import read_overview
from serving.presentation.templating import language_of, render_page
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = APIRouter(prefix="/operations/deliveries")
Engineer = Annotated[Viewer, Depends(allow_roles(*PROMOTERS))]
Name = Annotated[str, Query(max_length=60)]


@router.get("/{code}")
def show_outcome(
    *,
    request: Request,
    code: str,
    viewer: Engineer,
    session: Reading,
    services: ServicesOfApp,
    now: Now,
    dataset: Name = "",
    source: Name = "",
) -> Response:
    """Show what an outcome of a dataset's source means and what mends it."""
    found = explain_outcome(
        read_overview(session, at=now),
        code,
        dataset=dataset,
        source=source,
        language=language_of(request),
        explainer=services.explainer,
    )
    context = {
        "viewer": viewer,
        "found": found,
        "words": words,
        "reason_of": reason_of,
        "may_try": services.trial is not None,
    }
    return render_page(request, "outcome.html", context)
