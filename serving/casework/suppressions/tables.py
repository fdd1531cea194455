"""The table of suppressions."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from serving.database.tables import Base

__all__ = ["SuppressionRow"]

NOT_ENDED = text("ended_at IS NULL")


class SuppressionRow(Base):
    """A person who is not to be alerted until ``expires_at``, unless new money moves.

    A person has one at a time.

    ``ended_at`` is when it was lifted, or when the next one took the place of an expired one.
    """

    __tablename__ = "suppressions"
    __table_args__ = (
        Index(
            "uq_suppressions_standing",
            "person",
            unique=True,
            sqlite_where=NOT_ENDED,
            postgresql_where=NOT_ENDED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(index=True)
    alert_id: Mapped[str]
    community_id: Mapped[str]
    reason: Mapped[str]
    owner: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_why: Mapped[str | None]
