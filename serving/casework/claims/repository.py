"""The SQL of claims."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from serving.casework.claims.tables import ClaimRow

__all__ = ["ClaimRepository"]


class ClaimRepository:
    """Reads, adds and ends claims."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def current(self, alert_id: str, *, at: datetime) -> ClaimRow | None:
        """Return the claim that is valid at ``at``, None where nobody has the alert."""
        return self._session.scalar(
            select(ClaimRow).where(
                ClaimRow.alert_id == alert_id, ClaimRow.ended_at.is_(None), ClaimRow.expires_at > at
            )
        )

    def add(self, row: ClaimRow) -> ClaimRow:
        """Add a claim in the place of an expired one.

        Raises IntegrityError where the alert has a valid one.
        """
        self._session.execute(
            update(ClaimRow)
            .where(
                ClaimRow.alert_id == row.alert_id,
                ClaimRow.ended_at.is_(None),
                ClaimRow.expires_at <= row.claimed_at,
            )
            .values(ended_at=ClaimRow.expires_at)
        )
        with self._session.begin_nested():
            self._session.add(row)
            self._session.flush()
        return row

    def end(self, row: ClaimRow, *, at: datetime) -> None:
        """End a claim."""
        row.ended_at = at
        self._session.flush()
