"""Signatures of registered models: that the version, with the files of this digest, is this home's.

A digest alone shows changed files to who has the digest from elsewhere. Whoever may write both the
files and what names their digest makes the two fit; the signature they cannot make.
"""

import base64
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.registry.model_store import ModelVersion

__all__ = ["ModelSigner", "is_signed", "sign_version"]

PURPOSE = "forestall model 1"  # the key signs nothing else that could be taken for it


class ModelSigner(Protocol):
    """Holds the private key of an installation's models (Ed25519)."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""

    def sign(self, message: bytes, /) -> bytes:
        """The signature of ``message``."""


def sign_version(signer: ModelSigner, version: ModelVersion) -> str:
    """The signature of a version and its digest, as tags and pointers keep it."""
    return base64.b64encode(signer.sign(_message(version))).decode()


def is_signed(version: ModelVersion, *, public_key: bytes) -> bool:
    """Whether the holder of the key signed this version with this digest."""
    try:
        signature = base64.b64decode(version.signature, validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _message(version))
    except (InvalidSignature, ValueError):
        return False
    return True


def _message(version: ModelVersion) -> bytes:
    return "\n".join((PURPOSE, version.name, version.version, version.digest)).encode()
