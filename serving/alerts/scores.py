"""The SQL of the history of scores."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.orm import Session

from serving.database.tables import ScoreRow, WatchlistRow

__all__ = ["ScoreRepository"]


class ScoreRepository:
    """Adds the scores of a list and reads those of a person.

    A list that was replaced takes its scores with it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, watchlist_id: int, scores: Mapping[str, float]) -> None:
        """Add the scores of a list, by person."""
        rows = [
            {"watchlist_id": watchlist_id, "person": person, "score": score}
            for person, score in scores.items()
        ]
        if rows:
            self._session.execute(insert(ScoreRow), rows)

    def of_person(self, person: str, *, since: datetime) -> Sequence[Row[tuple[datetime, float]]]:
        """Return when the person was scored, and how, from ``since`` on, oldest first."""
        return self._session.execute(
            select(WatchlistRow.at, ScoreRow.score)
            .join(WatchlistRow, WatchlistRow.id == ScoreRow.watchlist_id)
            .where(
                ScoreRow.person == person,
                WatchlistRow.at >= since,
                WatchlistRow.superseded_at.is_(None),
            )
            .order_by(WatchlistRow.at, WatchlistRow.id)
        ).all()

    def of_people(
        self, people: Sequence[str], *, since: datetime
    ) -> Sequence[Row[tuple[str, int, datetime, float]]]:
        """Return (person, list, moment, score) of these people since ``since``, oldest first."""
        return self._session.execute(
            select(ScoreRow.person, WatchlistRow.id, WatchlistRow.at, ScoreRow.score)
            .join(WatchlistRow, WatchlistRow.id == ScoreRow.watchlist_id)
            .where(
                ScoreRow.person.in_(people),
                WatchlistRow.at >= since,
                WatchlistRow.superseded_at.is_(None),
            )
            .order_by(WatchlistRow.at, WatchlistRow.id)
        ).all()

    def forget(self, *, before: datetime) -> None:
        """Delete the scores of lists of before a moment."""
        old = select(WatchlistRow.id).where(WatchlistRow.at < before)
        self._session.execute(delete(ScoreRow).where(ScoreRow.watchlist_id.in_(old)))
