"""The API of the search."""

from typing import Annotated

from fastapi import Depends

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, ServicesOfApp, Writing
from serving.alerts.search import service
from serving.alerts.search.schemas import Found, SearchRequest
from serving.http.routing import ApiRouter
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/search", tags=["search"])


@router.post("")
def search(
    request: SearchRequest,
    viewer: Annotated[Viewer, Depends(allow_roles(*service.SEARCHERS))],
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Found:
    """Find alerts and suspects by a real number or ID.

    It is kept nowhere; that somebody searched is.
    """
    return service.find_by_identifier(
        session, viewer=viewer, value=request.value, finder=services.finder, at=now
    )
