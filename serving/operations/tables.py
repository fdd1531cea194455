"""The table of what pipelines reported."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from serving.database.tables import Base

__all__ = ["ReportRow"]


class ReportRow(Base):
    """One report of one kind, made at ``at``.

    Of a run, ``content`` is written at its start and again at its end.
    """

    __tablename__ = "operations_reports"
    __table_args__ = (Index("ix_operations_reports_kind_at", "kind", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    content: Mapped[dict[str, Any]]
