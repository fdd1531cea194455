"""The tables of outreach lists."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from serving.database.tables import Base

__all__ = ["OutreachItemRow", "OutreachListRow"]


class OutreachListRow(Base):
    """An issued list: who took it, when, in which form, and until when it is valid.

    Names and numbers are not kept here; whoever shows the list again asks the vault again.
    """

    __tablename__ = "outreach_lists"
    __table_args__ = (Index("ix_outreach_lists_community_id_day", "community_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[str]
    day: Mapped[date]
    form: Mapped[str]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
    expires_at: Mapped[datetime]

    items: Mapped[list["OutreachItemRow"]] = relationship(
        order_by="OutreachItemRow.position", lazy="selectin"
    )


class OutreachItemRow(Base):
    """One person of a list, with how many results the alert had when the list was made
    (``version``).
    """

    __tablename__ = "outreach_items"

    list: Mapped[int] = mapped_column(ForeignKey("outreach_lists.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str]
    person: Mapped[str]
    version: Mapped[int]
