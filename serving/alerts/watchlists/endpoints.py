"""The API of watchlists."""

from typing import Annotated

from fastapi import Depends, Path

from serving.access.auth import allow_roles
from serving.access.dependencies import Reading
from serving.alerts.watchlists import service
from serving.alerts.watchlists.schemas import WatchlistPage, WatchlistWithAlerts
from serving.http.paging import Cursor, Limit
from serving.http.routing import ApiRouter
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/watchlists", tags=["watchlists"])
WatchlistId = Annotated[int, Path(ge=1, lt=2**31, examples=[17])]
Reader = Annotated[Viewer, Depends(allow_roles(*Role))]


@router.get("")
def list_watchlists(
    _viewer: Reader, session: Reading, cursor: Cursor = None, limit: Limit = 50
) -> WatchlistPage:
    """List what was published, the newest first."""
    return service.watchlist_page(session, cursor=cursor, limit=limit)


@router.get("/latest")
def read_latest(viewer: Reader, session: Reading) -> WatchlistWithAlerts:
    """Read the latest list with every alert of its day so far, the most urgent first."""
    return service.latest_day(session, viewer=viewer)


@router.get("/{watchlist_id}")
def read_watchlist(
    watchlist_id: WatchlistId, viewer: Reader, session: Reading
) -> WatchlistWithAlerts:
    """Read one list with exactly the alerts it was published with, by rank."""
    return service.watchlist_with_alerts(session, viewer=viewer, watchlist_id=watchlist_id)
