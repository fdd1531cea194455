"""Reading watchlists."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from serving.alerts.repository import AlertRepository, Found
from serving.alerts.schemas import Alert, summary_of
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.alerts.watchlists.schemas import Watchlist, WatchlistPage, WatchlistWithAlerts
from serving.database.tables import WatchlistRow
from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from serving.vocabulary.roles import Viewer
from serving.vocabulary.times import local_day_span

__all__ = ["latest_day", "watchlist_page", "watchlist_with_alerts"]


def watchlist_page(session: Session, *, cursor: str | None, limit: int) -> WatchlistPage:
    """Return one page of the current lists, the last published first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows = WatchlistRepository(session).page(before=before, limit=limit + 1)
    shown = rows[:limit]
    return WatchlistPage(
        items=[Watchlist.model_validate(row) for row in shown],
        next_cursor=encode_cursor(shown[-1].id) if len(rows) > limit else None,
    )


def watchlist_with_alerts(
    session: Session, *, viewer: Viewer, watchlist_id: int
) -> WatchlistWithAlerts:
    """Return one list, current or not, by rank; a 404 problem where there is none."""
    watchlist = WatchlistRepository(session).get(watchlist_id)
    if watchlist is None:
        raise ProblemError(404, "There is no watchlist of this number.")
    return _with_alerts(
        watchlist, AlertRepository(session).of_watchlist(watchlist_id, viewer=viewer)
    )


def latest_day(session: Session, *, viewer: Viewer) -> WatchlistWithAlerts:
    """Return the latest list with every alert of its day so far, the most urgent first.

    An intraday list holds only what is new; what the nightly list and earlier ticks of the day said
    still stands. Raises a 404 problem before anything was published.
    """
    latest = WatchlistRepository(session).latest()
    if latest is None:
        raise ProblemError(
            404, "No watchlist has been published yet.", remedy="Run forestall score."
        )
    start, end = local_day_span(latest.at)
    return _with_alerts(latest, AlertRepository(session).issued_between(start, end, viewer=viewer))


def _with_alerts(watchlist: WatchlistRow, found: Sequence[Found]) -> WatchlistWithAlerts:
    header = Watchlist.model_validate(watchlist).model_dump()
    return WatchlistWithAlerts(
        **header, alerts=[Alert(**summary_of(alert, decision)) for alert, decision in found]
    )
