"""The SQL of watchlists."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.database.tables import WatchlistRow

__all__ = ["WatchlistRepository"]


class WatchlistRepository:
    """Reads and adds published lists; no newer revision has replaced a ``current`` one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def current(self, *, at: datetime, kind: str) -> WatchlistRow | None:
        """Return the current revision of the list of (at, kind)."""
        return self._session.scalar(
            select(WatchlistRow).where(
                WatchlistRow.at == at,
                WatchlistRow.kind == kind,
                WatchlistRow.superseded_at.is_(None),
            )
        )

    def first_number(self, *, at: datetime, kind: str) -> int | None:
        """Return the number of the first revision of the list of (at, kind)."""
        of_list = select(func.min(WatchlistRow.id))
        return self._session.scalar(of_list.where(WatchlistRow.at == at, WatchlistRow.kind == kind))

    def data_version(self, *, at: datetime) -> str | None:
        """Return the version of the data that the newest list of a moment was made from."""
        made_from = select(WatchlistRow.data_version).where(WatchlistRow.at == at)
        return self._session.scalar(made_from.order_by(WatchlistRow.id.desc()).limit(1))

    def get(self, watchlist_id: int) -> WatchlistRow | None:
        """Return the list of this number, current or not."""
        return self._session.get(WatchlistRow, watchlist_id)

    def latest(self) -> WatchlistRow | None:
        """Return the current list of the latest moment.

        Of two at one moment the one published last.
        """
        return self._session.scalar(
            select(WatchlistRow)
            .where(WatchlistRow.superseded_at.is_(None))
            .order_by(WatchlistRow.at.desc(), WatchlistRow.id.desc())
            .limit(1)
        )

    def has_any(self, *, start: datetime, end: datetime) -> bool:
        """Whether a list of a moment in ``[start, end)`` was published."""
        of_span = select(WatchlistRow.id).where(WatchlistRow.at >= start, WatchlistRow.at < end)
        return self._session.scalar(of_span.limit(1)) is not None

    def page(self, *, before: int | None, limit: int) -> Sequence[WatchlistRow]:
        """Return current lists, the last published first, of those before number ``before``."""
        statement = select(WatchlistRow).where(WatchlistRow.superseded_at.is_(None))
        if before is not None:
            statement = statement.where(WatchlistRow.id < before)
        return self._session.scalars(statement.order_by(WatchlistRow.id.desc()).limit(limit)).all()

    def add(self, row: WatchlistRow) -> WatchlistRow:
        """Add a list with its alerts."""
        self._session.add(row)
        self._session.flush()
        return row

    def supersede(self, row: WatchlistRow) -> None:
        """Mark a list as replaced by a newer revision."""
        row.superseded_at = self._session.scalar(
            select(func.now(type_=WatchlistRow.superseded_at.type))
        )
        self._session.flush()
