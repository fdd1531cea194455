"""The registry of an installation, with the key that its models are signed with.

``model.key`` is made with the first training. From then on a model that it did not sign is none.
"""

import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.registry.model_registry import ModelRegistry
from pipelines.settings import Settings
from pipelines.storage.installation.keys import KEY_BYTES, KeyName, open_key, place_key, read_key
from pipelines.storage.installation.memory import read_memory

__all__ = ["MODEL_KEY", "open_registry"]

MODEL_KEY: KeyName = "model.key"


class ModelKey:
    """Signs models."""

    def __init__(self, key: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(key)

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes, /) -> bytes:
        """The signature of ``message``."""
        return self._key.sign(message)


def open_registry(settings: Settings, *, makes_key: bool = False) -> ModelRegistry:
    """The registry of the installation. Where its models are signed, others are refused.

    With ``makes_key`` they are signed from now on: those that are there already, and every one to
    come. Raises ``NotReadyError`` where the key is gone.
    """
    if MODEL_KEY not in read_memory(settings.home).keys:
        if not makes_key:
            return ModelRegistry.of(settings)
        # Remembered once all are signed: cut short before, the next training signs them again.
        path = settings.keys_folder / MODEL_KEY
        if not path.exists():
            place_key(path, secrets.token_bytes(KEY_BYTES))
        ModelRegistry.of(settings, signer=ModelKey(read_key(path))).sign_all()
    return ModelRegistry.of(settings, signer=ModelKey(open_key(settings, MODEL_KEY)))
