"""The API of webhooks, for administrators."""

from typing import Annotated

from fastapi import Depends

from serving.access.auth import allow_managers, allow_roles
from serving.access.dependencies import Now, Reading, ServicesOfApp, Writing
from serving.http.paging import Cursor, Limit
from serving.http.routing import ApiRouter
from serving.notifications.webhooks import service
from serving.notifications.webhooks.schemas import (
    Delivery,
    DeliveryId,
    DeliveryPage,
    DeliveryState,
    NewWebhook,
    WebhookId,
    WebhookPage,
    WebhookWithSecret,
)
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = ApiRouter(prefix="/webhooks", tags=["webhooks"])
Admin = Annotated[Viewer, Depends(allow_roles(Role.ADMIN))]
# A receiver hears of alerts for good: whoever may not give out what lasts adds none
Manager = Annotated[Viewer, Depends(allow_managers(Role.ADMIN))]


@router.get("")
def list_webhooks(
    _viewer: Admin, session: Reading, cursor: Cursor = None, limit: Limit = 50
) -> WebhookPage:
    """List the receivers, the first added first."""
    return service.webhook_page(session, cursor=cursor, limit=limit)


@router.post("", status_code=201)
def add_webhook(
    new: NewWebhook, viewer: Manager, session: Writing, services: ServicesOfApp, now: Now
) -> WebhookWithSecret:
    """Add a receiver of messages about new alerts; the secret in the answer is shown this once.

    Messages are signed after the Standard Webhooks scheme and hold no personal data. They are sent
    again, with growing pauses, until the receiver answers with a 2xx status or they are given up.
    """
    return service.add_webhook(
        session, viewer=viewer, new=new, sealer=services.sealer, settings=services.settings, at=now
    )


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: WebhookId, viewer: Admin, session: Writing, now: Now) -> None:
    """Remove a receiver at once; what waits for it is given up."""
    service.remove_webhook(session, viewer=viewer, webhook_id=webhook_id, at=now)


@router.get("/{webhook_id}/deliveries")
def list_deliveries(
    *,
    webhook_id: WebhookId,
    _viewer: Admin,
    session: Reading,
    state: DeliveryState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DeliveryPage:
    """List the messages to a receiver, the newest first, and what became of them."""
    return service.delivery_page(
        session, webhook_id=webhook_id, state=state, cursor=cursor, limit=limit
    )


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver")
def redeliver(
    webhook_id: WebhookId, delivery_id: DeliveryId, viewer: Admin, session: Writing, now: Now
) -> Delivery:
    """Send a message again from the start, whatever became of it."""
    return service.redeliver_message(
        session, viewer=viewer, webhook_id=webhook_id, delivery_id=delivery_id, at=now
    )
