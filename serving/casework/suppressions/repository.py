"""The SQL of suppressions."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from serving.access.community_scope import visible_to
from serving.casework.suppressions.tables import SuppressionRow
from serving.vocabulary.roles import Viewer

__all__ = ["SuppressionRepository"]


class SuppressionRepository:
    """Reads and adds suppressions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, suppression_id: int, *, viewer: Viewer) -> SuppressionRow | None:
        """Return the suppression of this number, if ``viewer`` may see it."""
        return self._session.scalar(_visible(viewer).where(SuppressionRow.id == suppression_id))

    def of_person(self, person: str) -> SuppressionRow | None:
        """Return the suppression of a person that nobody has ended, expired or not."""
        return self._session.scalar(
            select(SuppressionRow).where(
                SuppressionRow.person == person, SuppressionRow.ended_at.is_(None)
            )
        )

    def in_force(
        self,
        at: datetime,
        *,
        viewer: "Viewer | None" = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> Sequence[SuppressionRow]:
        """Return what is in force at ``at``, the newest first, up to number ``before``.

        All of it without a viewer.
        """
        statement = _visible(viewer).where(
            SuppressionRow.ended_at.is_(None), SuppressionRow.expires_at > at
        )
        if before is not None:
            statement = statement.where(SuppressionRow.id < before)
        return self._session.scalars(
            statement.order_by(SuppressionRow.id.desc()).limit(limit)
        ).all()

    def add(self, row: SuppressionRow) -> SuppressionRow:
        """Add a suppression.

        Raises IntegrityError for a person who has one, and the session goes on.
        """
        with self._session.begin_nested():
            self._session.add(row)
            self._session.flush()
        return row


def _visible(viewer: "Viewer | None") -> Select[tuple[SuppressionRow]]:
    statement = select(SuppressionRow)
    return statement if viewer is None else visible_to(viewer, statement)
