"""The SQL of metrics."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.database.tables import AlertRow, WatchlistRow

__all__ = ["HealthRepository"]


class HealthRepository:
    """Counts what was published."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def alerts_by_level(self, start: datetime, end: datetime) -> Mapping[str, int]:
        """Return how many current alerts were issued from ``start`` to before ``end``, by level."""
        counted = self._session.execute(
            select(AlertRow.level, func.count())
            .join(AlertRow.watchlist)
            .where(
                WatchlistRow.superseded_at.is_(None),
                AlertRow.issued_at >= start,
                AlertRow.issued_at < end,
            )
            .group_by(AlertRow.level)
        )
        return {level: count for level, count in counted}  # noqa: C416 -- a row is no pair to mypy
