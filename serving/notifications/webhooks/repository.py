"""The SQL of webhooks and their messages."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from serving.notifications.webhooks.tables import DeliveryRow, WebhookRow

__all__ = ["WebhookRepository"]

STATES: dict[str, ColumnElement[bool]] = {
    "waiting": DeliveryRow.delivered_at.is_(None) & DeliveryRow.given_up_at.is_(None),
    "delivered": DeliveryRow.delivered_at.is_not(None),
    "given_up": DeliveryRow.given_up_at.is_not(None),
}


class WebhookRepository:
    """Reads and changes receivers and the messages to them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: WebhookRow) -> WebhookRow:
        """Add a receiver."""
        self._session.add(row)
        self._session.flush()
        return row

    def get(self, webhook_id: int) -> WebhookRow | None:
        """Return a receiver that is not removed."""
        row = self._session.get(WebhookRow, webhook_id)
        return row if row and row.removed_at is None else None

    def page(self, *, after: int, limit: int) -> Sequence[WebhookRow]:
        """Return receivers in the order they were added, of those after ``after``."""
        return self._session.scalars(
            select(WebhookRow)
            .where(WebhookRow.removed_at.is_(None), WebhookRow.id > after)
            .order_by(WebhookRow.id)
            .limit(limit)
        ).all()

    def all(self) -> Sequence[WebhookRow]:
        """Return every receiver that is not removed."""
        return self._session.scalars(
            select(WebhookRow).where(WebhookRow.removed_at.is_(None))
        ).all()

    def announced(self, webhook_id: int, alert_ids: Collection[str]) -> frozenset[str]:
        """Return which alerts a receiver has a message about."""
        return frozenset(
            self._session.scalars(
                select(DeliveryRow.alert_id).where(
                    DeliveryRow.webhook_id == webhook_id, DeliveryRow.alert_id.in_(alert_ids)
                )
            )
        )

    def add_deliveries(self, rows: Sequence[DeliveryRow]) -> None:
        """Add messages."""
        self._session.add_all(rows)
        self._session.flush()

    def deliveries(
        self, webhook_id: int, *, state: str | None, before: int | None, limit: int
    ) -> Sequence[DeliveryRow]:
        """Return messages to a receiver, the newest first, of those before ``before``."""
        statement = select(DeliveryRow).where(DeliveryRow.webhook_id == webhook_id)
        if state is not None:
            statement = statement.where(STATES[state])
        if before is not None:
            statement = statement.where(DeliveryRow.id < before)
        return self._session.scalars(statement.order_by(DeliveryRow.id.desc()).limit(limit)).all()

    def delivery(self, delivery_id: int) -> DeliveryRow | None:
        """Return a message."""
        return self._session.get(DeliveryRow, delivery_id)

    def give_up(
        self, webhook_id: int, *, due_before: datetime | None, at: datetime, reason: str
    ) -> None:
        """Give up the messages to a receiver that wait since before ``due_before``.

        None: all that wait.
        """
        statement = update(DeliveryRow).where(
            DeliveryRow.webhook_id == webhook_id, STATES["waiting"]
        )
        if due_before is not None:
            statement = statement.where(DeliveryRow.due_at < due_before)
        self._session.execute(statement.values(given_up_at=at, last_error=reason))

    def due_receivers(self, now: datetime) -> Sequence[int]:
        """Return which receivers have a message that is due."""
        return self._session.scalars(
            select(DeliveryRow.webhook_id)
            .where(STATES["waiting"], DeliveryRow.due_at <= now)
            .distinct()
        ).all()

    def next_due(self, webhook_id: int, *, now: datetime) -> DeliveryRow | None:
        """Return and lock the receiver's message that is due longest, passing over what another
        process has locked.
        """
        return self._session.scalar(
            select(DeliveryRow)
            .where(
                DeliveryRow.webhook_id == webhook_id, STATES["waiting"], DeliveryRow.due_at <= now
            )
            .order_by(DeliveryRow.due_at, DeliveryRow.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=DeliveryRow)
        )
