"""The key that signs the audit trail, beside the other keys: private in ``audit.key``, public in
``audit.pub`` for whoever checks the trail, and in ``audit.head`` how far the trail went.
"""

import json
import os
import secrets
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from data_contracts.errors import NotReadyError
from pipelines.settings import Settings
from pipelines.storage.installation.keys import KEY_BYTES, place_key, read_key
from serving.database.audit_signature import Head

__all__ = ["AuditKey"]


class AuditKey:
    """Signs entries, and keeps the newest head where the database's masters cannot write."""

    def __init__(self, private_key: Ed25519PrivateKey, *, folder: Path) -> None:
        self._private_key = private_key
        self._folder = folder

    @classmethod
    def open(cls, settings: Settings, *, makes: bool = True) -> Self:
        """Open the key of an installation, made on first use, unless ``makes`` says otherwise; the
        public one lies beside it.

        Where a trail was signed with another key, nothing can be written on with this one. Raises
        ``NotReadyError``, with nothing written, where the key is gone.
        """
        folder = settings.keys_folder
        if not (folder / "audit.key").exists():
            left = [name for name in ("audit.pub", "audit.head") if (folder / name).exists()]
            if left or not makes:
                raise NotReadyError(
                    f"the key {folder / 'audit.key'} is gone: the audit trail was signed with it",
                    remedy="Put audit.key back, mount the folder it lies in, or restore it from "
                    "the file that `forestall keys backup` wrote: `forestall keys restore FILE`.",
                )
            place_key(folder / "audit.key", secrets.token_bytes(KEY_BYTES))
        key = Ed25519PrivateKey.from_private_bytes(read_key(folder / "audit.key"))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        exported = folder / "audit.pub"
        if not exported.exists() or exported.read_bytes() != public:
            _write_whole(exported, public)
        return cls(key, folder=folder)

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._private_key.public_key().public_bytes_raw()

    def sign(self, message: bytes, /) -> bytes:
        """Return the signature of ``message``."""
        return self._private_key.sign(message)

    def kept_head(self) -> Head | None:
        """Return the newest head that was kept, None before the first.

        Raises ``NotReadyError`` where the folder is gone, or what was kept cannot be read.
        """
        path = self._folder / "audit.head"
        try:
            text = path.read_bytes().strip()
        except FileNotFoundError:
            if not self._folder.is_dir():
                raise NotReadyError(
                    f"the folder of keys {self._folder} is gone",
                    remedy="Mount it, or put it back from its backup.",
                ) from None
            return None
        if not text:
            return None
        try:
            kept = json.loads(text)
            return Head(entry_id=int(kept["entry"]), digest=str(kept["digest"]))
        except (ValueError, KeyError, TypeError):
            raise NotReadyError(
                f"{path} cannot be read: whether the newest entries of the audit trail were cut "
                "off cannot be told any more",
                remedy="Hold the trail against an anchor (`forestall audit verify --anchor …`), "
                "note it, and move audit.head away.",
            ) from None

    def keep_head(self, head: Head, /) -> None:
        """Keep a head, unless a newer one is kept by another process.

        It is not flushed: an older head after a crash is still one of the trail.
        """
        with os.fdopen(os.open(self._folder / "audit.lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
            flock(lock, LOCK_EX)
            kept = self.kept_head()
            if kept is None or kept.entry_id < head.entry_id:
                text = json.dumps({"entry": head.entry_id, "digest": head.digest})
                _write_whole(self._folder / "audit.head", text.encode())


def _write_whole(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
