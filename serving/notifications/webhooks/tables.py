"""The tables of webhooks: the receivers, and the messages to them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from serving.database.tables import Base

__all__ = ["DeliveryRow", "WebhookRow"]

WAITING = text("delivered_at IS NULL AND given_up_at IS NULL")


class WebhookRow(Base):
    """A receiver. Its secret is sealed with a key that the database does not hold."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    levels: Mapped[list[str]]
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]
    added_by: Mapped[str]
    removed_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """One message to one receiver: waiting until ``due_at``, delivered, or given up.

    It is written in the transaction that publishes the alert, so nothing is announced that was not
    published, and nothing published is forgotten. An alert is announced to a receiver once,
    whatever is published again.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "alert_id"),
        Index(
            "ix_webhook_deliveries_waiting",
            "due_at",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id"))
    message_id: Mapped[str] = mapped_column(unique=True)
    alert_id: Mapped[str]
    body: Mapped[str]
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]

    webhook: Mapped[WebhookRow] = relationship(lazy="joined")
