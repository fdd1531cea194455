"""Whether this process can do its work."""

from sqlalchemy.orm import Session

from serving.database import at_head
from serving.dependencies import Services
from serving.errors import ProblemError
from serving.health.schemas import Ready
from serving.watchlists.repository import WatchlistRepository

__all__ = ["ready"]


def ready(session: Session, *, services: Services) -> Ready:
    """Return what can be served; a 503 problem if the database's schema is not this program's."""
    if not at_head(services.engine):
        raise ProblemError(
            503, "The database has another schema.", remedy="Restart with the program that was upgraded."
        )
    latest = WatchlistRepository(session).latest()
    return Ready(
        latest_at=latest.at if latest else None,
        vault=services.vault is not None,
        rescore=services.rescorer is not None,
    )
