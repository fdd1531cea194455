"""Writing down what the pages tell their readers about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from serving.notifications.live.repository import ChangeRepository
from serving.notifications.live.tables import ChangeRow

__all__ = ["Topic", "announce_change"]

Topic = Literal["list", "claim", "result"]


def announce_change(
    session: Session,
    *,
    topic: Topic,
    subject: str,
    at: datetime,
    communities: Mapping[str, int],
    actor: str | None = None,
) -> None:
    """Announce a change to the open pages, once the transaction of ``session`` is committed.

    ``subject`` is the number of a list or the id of an alert; ``communities`` counts the alerts it
    is about.
    """
    row = ChangeRow(
        topic=topic, subject=subject, happened_at=at, communities=dict(communities), actor=actor
    )
    ChangeRepository(session).add(row)
