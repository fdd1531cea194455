"""The page of the queue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from serving.auth import Role, Viewer, allow
from serving.dependencies import Reading
from serving.errors import ProblemError
from serving.watchlists.service import latest_day
from serving.web.templating import render

__all__ = ["router"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow(*Role))]


@router.get("/")
def show_queue(request: Request, viewer: Reader, session: Reading) -> Response:
    """Show the alerts of the latest list's day, the most urgent first."""
    try:
        watchlist = latest_day(session, viewer=viewer)
    except ProblemError:
        watchlist = None
    return render(request, "queue.html", {"viewer": viewer, "watchlist": watchlist})
