"""The API of trends."""

from typing import Annotated

from fastapi import Depends

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, Reading
from serving.http.routing import ApiRouter
from serving.operations.trends import service
from serving.operations.trends.schemas import Period, Trends
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/trends", tags=["trends"])
Reader = Annotated[Viewer, Depends(allow_roles(*service.READERS))]


@router.get("")
def read_trends(
    viewer: Reader, session: Reading, now: Now, days: Period = Period.FOUR_WEEKS
) -> Trends:
    """Read where, when and of which kind alerts were, how many were right, and what warnings
    prevented.
    """
    return service.compute_trends(session, viewer=viewer, days=days, now=now)
