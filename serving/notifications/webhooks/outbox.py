"""The messages to receivers, written down in the transaction that publishes the alerts."""

import json
from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy.orm import Session

from serving.database.tables import AlertRow
from serving.notifications.webhooks.repository import WebhookRepository
from serving.notifications.webhooks.tables import DeliveryRow, WebhookRow

__all__ = ["EVENT", "enqueue_alerts", "payload_of"]

EVENT = "alert.published"


def enqueue_alerts(session: Session, alerts: Sequence[AlertRow]) -> None:
    """Add a message to every receiver for each of ``alerts`` whose level it wants; a receiver gets
    one message an alert.
    """
    webhooks = WebhookRepository(session)
    for webhook in webhooks.all():
        wanted = [alert for alert in alerts if alert.level in webhook.levels]
        announced = webhooks.announced(webhook.id, {alert.alert_id for alert in wanted})
        webhooks.add_deliveries(
            [_message(webhook, alert) for alert in wanted if alert.alert_id not in announced]
        )


def payload_of(alert: AlertRow) -> str:
    """Return the message about an alert as JSON: nothing that says who it is about."""
    document = {
        "type": EVENT,
        "timestamp": alert.issued_at.isoformat(),
        "data": {
            "alert_id": alert.alert_id,
            "level": alert.level,
            "scam_type": alert.scam_type,
            "community_id": alert.community_id,
            "issued_at": alert.issued_at.isoformat(),
        },
    }
    return json.dumps(document, separators=(",", ":"))


def _message(webhook: WebhookRow, alert: AlertRow) -> DeliveryRow:
    return DeliveryRow(
        webhook_id=webhook.id,
        message_id=f"msg_{uuid4().hex}",
        alert_id=alert.alert_id,
        body=payload_of(alert),
        due_at=alert.issued_at,
        attempts=0,
    )
