"""Secrets of sessions and tokens, and the digest that the database keeps of one."""

import hashlib
import secrets

__all__ = ["digest_of", "new_secret"]


def new_secret() -> str:
    """Return a fresh token of 256 random bits."""
    return "fst_" + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return what the database keeps of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()
