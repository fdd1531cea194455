"""The SQL of trends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from serving.access.community_scope import visible_to
from serving.alerts.repository import current_alerts
from serving.database.tables import AlertRow, DispositionRow, WatchlistRow
from serving.vocabulary.roles import Viewer

__all__ = ["TrendRepository"]

Counted = Row[Any]


class TrendRepository:
    """Reads a few columns of many alerts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def latest_at(self) -> datetime | None:
        """Return the moment of the latest list."""
        return self._session.scalar(
            select(func.max(WatchlistRow.at)).where(WatchlistRow.superseded_at.is_(None))
        )

    def first_alerts(self, start: datetime, end: datetime, *, viewer: Viewer) -> Sequence[Counted]:
        """Return the first alerts issued from ``start`` to before ``end``, the oldest first, with
        their last results.

        Columns: ``community_id``, ``issued_at``, ``level``, ``scam_type``, ``at_stake_cny``,
        ``result`` (None where open), ``prevented_cny``, ``paid_cny``.
        """
        statement = visible_to(viewer, current_alerts()).where(
            AlertRow.issued_at >= start, AlertRow.issued_at < end, AlertRow.realert.is_(False)
        )
        columns = statement.with_only_columns(
            AlertRow.community_id,
            AlertRow.issued_at,
            AlertRow.level,
            AlertRow.scam_type,
            AlertRow.at_stake_cny,
            DispositionRow.result,
            DispositionRow.prevented_cny,
            DispositionRow.paid_cny,
            maintain_column_froms=True,
        ).options()
        return self._session.execute(columns.order_by(AlertRow.issued_at, AlertRow.id)).all()
