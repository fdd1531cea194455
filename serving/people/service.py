"""The fresh score of one person, one at a time."""

from datetime import datetime

from serving.audit import record
from serving.auth import Viewer
from serving.database import writing
from serving.dependencies import Services
from serving.errors import ProblemError
from serving.ports import Rescore

__all__ = ["rescore"]


def rescore(services: Services, *, viewer: Viewer, person: str, at: datetime) -> Rescore:
    """Score a person afresh, audited.

    Raises a 503 problem where this process scores nobody or is busy with others, a 404 problem for an unknown person.
    """
    if services.rescorer is None:
        raise ProblemError(503, "This process does not score.", remedy="Start it with a model and a lake.")
    # Explaining with one booster in two threads at once has corrupted memory: one at a time.
    if not services.rescoring.acquire(timeout=services.settings.rescore_wait_s):
        raise ProblemError(
            503, "Others are being scored.", remedy="Try again in a moment.", headers={"Retry-After": "5"}
        )
    try:
        fresh = services.rescorer(person)
    finally:
        services.rescoring.release()
    if fresh is None:
        raise ProblemError(404, "Nobody is known under this pseudonym.")
    with writing(services.engine) as session:  # only now: nobody waits for a writer that is scoring
        record(session, at=at, actor=viewer.name, action="rescore", subject=person, level=fresh.level)
    return fresh
