"""The table of answers kept for repeated requests."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.database.tables import Base

__all__ = ["KeptAnswerRow"]


class KeptAnswerRow(Base):
    """The answer to a write that carried a key.

    Of the key only a digest is kept. The answer is sealed with the key and the sender's secret, neither of which the
    database holds: it can contain a token or a number that is shown once.
    """

    __tablename__ = "kept_answers"
    __table_args__ = (UniqueConstraint("actor", "key_digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str]
    key_digest: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int]
    sealed: Mapped[bytes]
    kept_at: Mapped[datetime] = mapped_column(index=True)
