"""The API of the search."""

from typing import Annotated

from fastapi import Depends

from serving.auth import Viewer, allow
from serving.dependencies import Now, ServicesOfApp, Writing
from serving.routing import ApiRouter
from serving.search import service
from serving.search.schemas import Found, SearchRequest

__all__ = ["router"]

router = ApiRouter(prefix="/search", tags=["search"])


@router.post("")
def search(
    request: SearchRequest,
    viewer: Annotated[Viewer, Depends(allow(*service.SEARCHERS))],
    session: Writing,
    services: ServicesOfApp,
    now: Now,
) -> Found:
    """Find alerts and suspects by a real number or ID. It is kept nowhere; that somebody searched is."""
    return service.search(session, viewer=viewer, value=request.value, finder=services.finder, at=now)
