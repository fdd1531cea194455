"""The table of what changed."""

from datetime import datetime

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from serving.database.tables import Base

__all__ = ["ChangeRow"]


class ChangeRow(Base):
    """Something that the pages tell their readers about: a ``list``, a ``claim`` or a ``result``.

    ``subject`` is the number of the list or the id of the alert. ``communities`` says how many
    alerts of which communities it is about, so that each reader hears of the own ones only.
    """

    __tablename__ = "changes"
    # A number is never given twice, even after old ones are gone
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(index=True)
    topic: Mapped[str]
    subject: Mapped[str]
    actor: Mapped[str | None]
    communities: Mapped[dict[str, int]] = mapped_column(JSON)
