"""The table of follow-ups."""

from datetime import date, datetime

from sqlalchemy.orm import Mapped, mapped_column

from serving.database.tables import Base

__all__ = ["FollowUpRow"]


class FollowUpRow(Base):
    """A day on which somebody asks a person again.

    It is open until it is closed, with an outcome or without need.

    ``version`` counts the changes; of two changes to one version the second fails.
    """

    __tablename__ = "follow_ups"

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str] = mapped_column(index=True)
    person: Mapped[str]
    community_id: Mapped[str]
    due_on: Mapped[date] = mapped_column(index=True)
    version: Mapped[int] = mapped_column()
    planned_at: Mapped[datetime]
    planned_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    outcome: Mapped[str | None]
    note: Mapped[str]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- SQLAlchemy declares it
