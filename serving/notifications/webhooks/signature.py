"""Signatures after the Standard Webhooks scheme, so that receivers can check them with the
libraries there are.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

__all__ = ["new_signing_secret", "signed_headers"]

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_signing_secret() -> str:
    """Return a fresh secret of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(body: bytes, *, message_id: str, at: datetime, secret: str) -> dict[str, str]:
    """Return the headers that name a message, its moment of sending and the HMAC-SHA-256 over both
    and ``body``.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
