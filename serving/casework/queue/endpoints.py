"""The API of the queue."""

from typing import Annotated

from fastapi import Depends, Query

from serving.access.auth import Role, Viewer, allow
from serving.access.dependencies import Now, Reading, ServicesOfApp
from serving.casework.queue import service
from serving.casework.queue.schemas import Queue, QueueQuery
from serving.http.routing import ApiRouter

__all__ = ["router"]

router = ApiRouter(prefix="/queue", tags=["queue"])


@router.get("")
def read_queue(
    query: Annotated[QueueQuery, Query()],
    viewer: Annotated[Viewer, Depends(allow(*Role))],
    session: Reading,
    services: ServicesOfApp,
    now: Now,
) -> Queue:
    """Read what waits for somebody, the most urgent first, and what changed since the last list."""
    return service.queue_of(session, viewer=viewer, query=query, at=now, settings=services.settings)
