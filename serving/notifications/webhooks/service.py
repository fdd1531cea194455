"""Adding and removing receivers, and looking after their messages."""

from datetime import datetime

from sqlalchemy.orm import Session

from serving.context.ports import Sealer
from serving.context.settings import WebhookSettings
from serving.database.audit_chain import record_action
from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from serving.notifications.webhooks.address import check_url
from serving.notifications.webhooks.delivery import binding_of
from serving.notifications.webhooks.repository import WebhookRepository
from serving.notifications.webhooks.schemas import (
    Delivery,
    DeliveryPage,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookPage,
    WebhookWithSecret,
)
from serving.notifications.webhooks.signature import new_signing_secret
from serving.notifications.webhooks.tables import DeliveryRow, WebhookRow
from serving.vocabulary.roles import Viewer

__all__ = ["add_webhook", "delivery_page", "redeliver_message", "remove_webhook", "webhook_page"]


def add_webhook(
    session: Session,
    *,
    viewer: Viewer,
    new: NewWebhook,
    sealer: Sealer | None,
    settings: WebhookSettings,
    at: datetime,
) -> WebhookWithSecret:
    """Add a receiver with a fresh secret, audited.

    Raises a 422 problem for an address that no message may go to, a 503 problem in a process
    without a key to keep secrets with.
    """
    check_url(new.url, settings=settings)
    if sealer is None:
        raise ProblemError(
            503, "No secret can be kept by this process.", remedy="Start it with the vault's key."
        )
    secret = new_signing_secret()
    row = WebhookRepository(session).add(
        WebhookRow(
            url=new.url,
            levels=sorted(set(new.levels)),
            sealed_secret=sealer.seal(secret, bound_to=binding_of(new.url)),
            added_at=at,
            added_by=viewer.name,
        )
    )
    record_action(
        session, at=at, actor=viewer.name, action="webhook-added", subject=str(row.id), url=row.url
    )
    return WebhookWithSecret(**Webhook.model_validate(row).model_dump(), secret=secret)


def webhook_page(session: Session, *, cursor: str | None, limit: int) -> WebhookPage:
    """Return one page of receivers, in the order they were added."""
    after = decode_cursor(cursor, int)[0] if cursor else 0
    rows = WebhookRepository(session).page(after=after, limit=limit + 1)
    shown = rows[:limit]
    return WebhookPage(
        items=[Webhook.model_validate(row) for row in shown],
        next_cursor=encode_cursor(shown[-1].id) if len(rows) > limit else None,
    )


def remove_webhook(session: Session, *, viewer: Viewer, webhook_id: int, at: datetime) -> None:
    """Remove a receiver and give up what waits for it, audited.

    A 404 problem where there is none.
    """
    row = _receiver(session, webhook_id)
    row.removed_at = at
    WebhookRepository(session).give_up(
        webhook_id, due_before=None, at=at, reason="the receiver was removed"
    )
    record_action(
        session,
        at=at,
        actor=viewer.name,
        action="webhook-removed",
        subject=str(webhook_id),
        url=row.url,
    )


def delivery_page(
    session: Session,
    *,
    webhook_id: int,
    state: DeliveryState | None,
    cursor: str | None,
    limit: int,
) -> DeliveryPage:
    """Return one page of a receiver's messages, the newest first.

    A 404 problem where there is no such receiver.
    """
    _receiver(session, webhook_id)
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows = WebhookRepository(session).deliveries(
        webhook_id, state=state, before=before, limit=limit + 1
    )
    shown = rows[:limit]
    return DeliveryPage(
        items=[_delivery(row) for row in shown],
        next_cursor=encode_cursor(shown[-1].id) if len(rows) > limit else None,
    )


def redeliver_message(
    session: Session, *, viewer: Viewer, webhook_id: int, delivery_id: int, at: datetime
) -> Delivery:
    """Send a message again from the start, whatever became of it, audited.

    A 404 problem where there is none.
    """
    _receiver(session, webhook_id)
    row = WebhookRepository(session).delivery(delivery_id)
    if row is None or row.webhook_id != webhook_id:
        raise ProblemError(404, "There is no such message to this receiver.")
    row.attempts, row.due_at, row.delivered_at, row.given_up_at = 0, at, None, None
    session.flush()
    subject = str(webhook_id)
    record_action(
        session,
        at=at,
        actor=viewer.name,
        action="webhook-changed",
        subject=subject,
        sent_again=row.message_id,
    )
    return _delivery(row)


def _receiver(session: Session, webhook_id: int) -> WebhookRow:
    row = WebhookRepository(session).get(webhook_id)
    if row is None:
        raise ProblemError(404, "There is no such webhook.")
    return row


def _delivery(row: DeliveryRow) -> Delivery:
    state: DeliveryState = (
        "delivered" if row.delivered_at else "given_up" if row.given_up_at else "waiting"
    )
    own = {name: getattr(row, name) for name in Delivery.model_fields if name != "state"}
    return Delivery(**own, state=state)
