"""The table of claims."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from serving.database.tables import Base

__all__ = ["ClaimRow"]

NOT_ENDED = text("ended_at IS NULL")


class ClaimRow(Base):
    """Somebody who deals with an alert, by own choice or because ``assigned_by`` asked for it.

    Of each alert at most one claim has not ended; the database itself holds to that. A claim that
    has expired stands until somebody else wants the alert.
    """

    __tablename__ = "claims"
    __table_args__ = (
        Index(
            "uq_claims_current",
            "alert_id",
            unique=True,
            sqlite_where=NOT_ENDED,
            postgresql_where=NOT_ENDED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str]
    community_id: Mapped[str]
    claimed_by: Mapped[str]
    assigned_by: Mapped[str | None]
    claimed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
