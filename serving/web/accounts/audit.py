"""The page of the audit trail."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, Field

from serving.access.audit.schemas import AuditQuery
from serving.access.audit.service import audit_page
from serving.access.audit.wording import ACTIONS, describe_details
from serving.access.auth import allow_roles
from serving.access.dependencies import Reading
from serving.database.audit_chain import Action
from serving.http.paging import Cursor
from serving.presentation.templating import render_page
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = APIRouter()
ENTRIES_A_PAGE = 50


def none_if_empty(value: object) -> object:
    """Take a field of a form that was left empty for one that was not sent."""
    return None if value == "" else value


class AuditFilter(BaseModel):
    """What the filter of the page sends; a field left empty does not narrow."""

    actor: Annotated[str, Field(max_length=200)] = ""
    action: Annotated[Action | None, BeforeValidator(none_if_empty)] = None
    subject: Annotated[str, Field(max_length=200)] = ""
    day: Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = ""
    cursor: Cursor = None


@router.get("/audit")
def show_audit(
    request: Request,
    viewer: Annotated[Viewer, Depends(allow_roles(Role.ADMIN))],
    session: Reading,
    wanted: Annotated[AuditFilter, Query()],
) -> Response:
    """Show who did what, the newest first."""
    fields = {name: value for name, value in wanted.model_dump().items() if value}
    page = audit_page(session, query=AuditQuery(**fields, limit=ENTRIES_A_PAGE))
    older = urlencode({**fields, "cursor": page.next_cursor}) if page.next_cursor else None
    context = {
        "viewer": viewer,
        "page": page,
        "wanted": wanted,
        "older": older,
        "actions": ACTIONS,
        "describe_details": describe_details,
    }
    return render_page(request, "audit.html", context)
