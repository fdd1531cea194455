"""Signatures after the Standard Webhooks scheme, so that receivers can check them with the
libraries there are.
"""

import base64
import secrets
from datetime import UTC, datetime

from standardwebhooks import Webhook

__all__ = ["new_signing_secret", "signed_headers"]

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_signing_secret() -> str:
    """Return a fresh secret of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(body: bytes, *, message_id: str, at: datetime, secret: str) -> dict[str, str]:
    """Return the headers that name a message, its moment of sending and the HMAC-SHA-256 over both
    and ``body``, which is UTF-8.
    """
    moment = at.astimezone(UTC)  # the library reads the clock's digits as UTC, whatever their zone
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body.decode()),
    }
