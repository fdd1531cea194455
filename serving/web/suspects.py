"""The pages of the suspect numbers and accounts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.orm import Session

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, Reading, ServicesOfApp, Writing
from serving.alerts import service as alerts
from serving.alerts.people.schemas import RevealRequest
from serving.alerts.suspects import service as suspects
from serving.alerts.suspects.schemas import SuspectKey
from serving.http.paging import Cursor
from serving.presentation.templating import render_page
from serving.vocabulary.alerts import SuspectKind
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = APIRouter()
SuspectReader = Annotated[Viewer, Depends(allow_roles(*suspects.READERS))]
Revealer = Annotated[Viewer, Depends(allow_roles(*suspects.REVEALERS))]

SUSPECTS_A_PAGE = 50


@router.get("/suspects")
def show_suspects(
    request: Request,
    viewer: SuspectReader,
    session: Reading,
    kind: SuspectKind = "number",
    cursor: Cursor = None,
) -> Response:
    """Show the latest suspect numbers or accounts, the likeliest first."""
    page = suspects.suspect_page(session, kind=kind, cursor=cursor, limit=SUSPECTS_A_PAGE)
    return render_page(
        request,
        "suspects.html",
        {"viewer": viewer, "page": page, "kind": kind, "continued": bool(cursor)},
    )


@router.get("/suspects/{key}")
def show_suspect(
    key: SuspectKey, request: Request, viewer: SuspectReader, session: Reading
) -> Response:
    """Show one suspect under its pseudonym."""
    return _suspect_page(request, viewer, session, key=key, value=None)


@router.post("/suspects/{key}")
def reveal_suspect(
    *,
    key: SuspectKey,
    form: Annotated[RevealRequest, Form()],
    request: Request,
    viewer: Revealer,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Response:
    """Show one suspect with the number or account behind the pseudonym; audited with the reason."""
    revealed = suspects.reveal_suspect(
        session,
        viewer=viewer,
        key=key,
        reason=form.reason,
        vault=services.vault,
        settings=services.settings,
        at=now,
    )
    return _suspect_page(request, viewer, session, key=key, value=revealed.value)


def _suspect_page(
    request: Request, viewer: Viewer, session: Session, *, key: str, value: str | None
) -> Response:
    context = {
        "viewer": viewer,
        "suspect": suspects.suspect_detail(session, key=key),
        "named_by": alerts.alerts_naming(session, viewer=viewer, key=key),
        "value": value,
        "may_reveal": viewer.role in suspects.REVEALERS,
    }
    return render_page(request, "suspect.html", context)
