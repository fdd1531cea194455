"""Finding alerts and suspects by what people know: a number or an ID."""

from datetime import datetime

from sqlalchemy.orm import Session

from serving.alerts.repository import AlertRepository
from serving.alerts.schemas import Alert, summary_of
from serving.alerts.search.schemas import Found
from serving.alerts.suspects.repository import SuspectRepository
from serving.alerts.suspects.service import READERS
from serving.context.ports import Finder
from serving.database.audit_chain import record_action
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Role, Viewer

__all__ = ["SEARCHERS", "find_by_identifier"]

SEARCHERS = (Role.ANALYST, Role.OFFICER, Role.ADMIN)


def find_by_identifier(
    session: Session, *, viewer: Viewer, value: str, finder: Finder | None, at: datetime
) -> Found:
    """Return what ``viewer`` may see of whoever ``value`` belongs to.

    Audited under the pseudonyms, without the value.

    Raises a 503 problem in a process that holds no keys. Commit the session before the answer is
    handed out.
    """
    if finder is None:
        raise ProblemError(
            503, "Nothing can be searched for here.", remedy="Start it with the keys."
        )
    keys = finder(value)
    alerts = AlertRepository(session).of_people(
        [key for key in keys if key.startswith("p")], viewer=viewer
    )
    published = (
        SuspectRepository(session).published(keys) if viewer.role in READERS else frozenset()
    )
    named = sorted({alert.person for alert, _ in alerts} | published)
    for subject in named or ["nobody"]:
        record_action(session, at=at, actor=viewer.name, action="search", subject=subject)
    return Found(
        alerts=[Alert(**summary_of(alert, last)) for alert, last in alerts],
        suspects=sorted(published),
    )
