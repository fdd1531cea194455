"""Whether this process can do its work."""

from sqlalchemy.orm import Session

from serving.access.dependencies import Services
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.context.ports import HomeState
from serving.database.engine import at_head
from serving.http.errors import ProblemError
from serving.operations.health.schemas import Ready

__all__ = ["check_readiness"]


def check_readiness(session: Session, *, services: Services) -> Ready:
    """Return what can be served.

    A 503 problem if the database's schema is not this program's, or the home cannot be written to.
    """
    if not at_head(services.engine):
        raise ProblemError(
            503,
            "The database has another schema.",
            remedy="Restart with the program that was upgraded.",
        )
    home = services.home_watch() if services.home_watch else HomeState(vault=True)
    if home.problem:
        raise ProblemError(503, home.problem, remedy=home.remedy)
    latest = WatchlistRepository(session).latest()
    return Ready(
        latest_at=latest.at if latest else None,
        vault=services.vault is not None and home.vault,
        rescore=services.rescorer is not None,
    )
