"""The API of the queue."""

from typing import Annotated

from fastapi import Depends, Query

from serving.access.auth import allow_roles
from serving.access.dependencies import Decider, Now, Reading, ServicesOfApp, Writing
from serving.casework.claims.schemas import Claim
from serving.casework.queue import service
from serving.casework.queue.schemas import Queue, QueueQuery
from serving.http.routing import ApiRouter
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/queue", tags=["queue"])


@router.get("")
def read_queue(
    query: Annotated[QueueQuery, Query()],
    viewer: Annotated[Viewer, Depends(allow_roles(*Role))],
    session: Reading,
    services: ServicesOfApp,
    now: Now,
) -> Queue:
    """Read what waits for somebody, the most urgent first, and what changed since the last list."""
    return service.build_queue(
        session, viewer=viewer, query=query, at=now, settings=services.settings
    )


@router.post("/next", response_model=Claim)
def take_next(viewer: Decider, session: Writing, services: ServicesOfApp, now: Now) -> object:
    """Claim the most urgent alert that nobody has. Two who ask at once get different ones."""
    return service.take_next(session, viewer=viewer, at=now, settings=services.settings)
