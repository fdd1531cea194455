"""The SQL of suspects."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from serving.database.tables import SuspectListRow, SuspectRow

__all__ = ["SuspectRepository"]


class SuspectRepository:
    """Reads and adds published lists of suspects; ``current`` ones are those no newer revision has
    replaced.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def current(self, *, at: datetime) -> SuspectListRow | None:
        """Return the current list of the moment ``at``."""
        return self._session.scalar(
            select(SuspectListRow).where(
                SuspectListRow.at == at, SuspectListRow.superseded_at.is_(None)
            )
        )

    def latest(self) -> SuspectListRow | None:
        """Return the current list of the latest moment."""
        return self._session.scalar(
            select(SuspectListRow)
            .where(SuspectListRow.superseded_at.is_(None))
            .order_by(SuspectListRow.at.desc())
            .limit(1)
        )

    def get_list(self, list_id: int) -> SuspectListRow | None:
        """Return the list of this number, current or not."""
        return self._session.get(SuspectListRow, list_id)

    def page(self, list_id: int, *, kind: str, after_rank: int, limit: int) -> Sequence[SuspectRow]:
        """Return the suspects of one kind on one list, the likeliest first, of those after
        ``after_rank``.
        """
        return self._session.scalars(
            select(SuspectRow)
            .where(
                SuspectRow.list_id == list_id, SuspectRow.kind == kind, SuspectRow.rank > after_rank
            )
            .order_by(SuspectRow.rank)
            .limit(limit)
        ).all()

    def counts(self, list_id: int) -> Mapping[str, int]:
        """Return how many suspects of each kind are on a list."""
        counted = self._session.execute(
            select(SuspectRow.kind, func.count())
            .where(SuspectRow.list_id == list_id)
            .group_by(SuspectRow.kind)
        )
        return {kind: count for kind, count in counted}  # noqa: C416 -- a row is no pair to mypy

    def get(self, key: str) -> SuspectRow | None:
        """Return what was last published about a number or an account."""
        return self._session.scalar(
            select(SuspectRow)
            .join(SuspectRow.suspect_list)
            .options(joinedload(SuspectRow.suspect_list))
            .where(SuspectRow.key == key)
            .order_by(SuspectListRow.at.desc(), SuspectListRow.revision.desc())
            .limit(1)
        )

    def published(self, keys: Sequence[str]) -> frozenset[str]:
        """Return which of ``keys`` were ever published."""
        return frozenset(
            self._session.scalars(select(SuspectRow.key).where(SuspectRow.key.in_(keys)).distinct())
        )

    def add(self, row: SuspectListRow) -> SuspectListRow:
        """Add a list with its suspects."""
        self._session.add(row)
        self._session.flush()
        return row

    def supersede(self, row: SuspectListRow) -> None:
        """Mark a list as replaced by a newer revision."""
        row.superseded_at = self._session.scalar(
            select(func.now(type_=SuspectListRow.superseded_at.type))
        )
        self._session.flush()
