"""The API of the audit trail, for administrators."""

from typing import Annotated

from fastapi import Depends, Query

from serving.access.audit.schemas import AuditPage, AuditQuery
from serving.access.audit.service import audit_page
from serving.access.auth import allow_roles
from serving.access.dependencies import Reading
from serving.http.routing import ApiRouter
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(tags=["audit"])


@router.get("/audit")
def list_entries(
    _viewer: Annotated[Viewer, Depends(allow_roles(Role.ADMIN))],
    session: Reading,
    query: Annotated[AuditQuery, Query()],
) -> AuditPage:
    """List who did what, the newest first."""
    return audit_page(session, query=query)
