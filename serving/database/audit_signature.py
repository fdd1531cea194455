"""Signatures of audit entries, and what each entry vouches for.

An entry is signed with Ed25519 over its digest, so that nobody without the private key can append,
rewrite or reorder entries, whatever they may do in the database. An entry that speaks of a row
holds the digest of it, so that the row cannot be changed afterwards either. What a signature cannot
show is that the newest entries are gone: for that the signer keeps the head beside its key, and
anchors keep it anywhere else.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import inspect
from sqlalchemy.orm import InstanceState, Session

from serving.database.tables import Base

__all__ = [
    "SIGNER",
    "Head",
    "Signer",
    "anchor_code",
    "anchor_line",
    "digest_of_row",
    "is_signed_by",
    "key_number",
    "read_anchors",
    "sign_digest",
    "signer_of",
]

SIGNER = "audit_signer"  # the execution option of an engine
ENTRY = "forestall audit entry 1"
ANCHOR = "forestall-audit-1"
CODE_DIGITS = 20  # of a digest: 80 bits are more than anybody can match


@dataclass(frozen=True, kw_only=True)
class Head:
    """The newest entry: its number and its digest."""

    entry_id: int
    digest: str


class Signer(Protocol):
    """Holds the private key of the trail, and remembers how far the trail went."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""

    def sign(self, message: bytes, /) -> bytes:
        """Return the signature of ``message``."""

    def kept_head(self) -> Head | None:
        """Return the newest head that was kept, None before the first."""

    def keep_head(self, head: Head, /) -> None:
        """Keep a head, unless a newer one is kept."""


def signer_of(session: Session) -> Signer | None:
    """Return the signer that the engine of ``session`` was given."""
    found: Signer | None = session.get_bind().get_execution_options().get(SIGNER)
    return found


def key_number(public_key: bytes) -> str:
    """Return by what entries name the key they are signed with."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def sign_digest(signer: Signer, digest: str) -> str:
    """Return the signature of an entry of this digest, as the database keeps it."""
    return base64.b64encode(signer.sign(_message(ENTRY, digest))).decode()


def is_signed_by(public_key: bytes, *, digest: str, signature: str) -> bool:
    """Say whether the holder of the key signed an entry of this digest."""
    return _holds(public_key, _message(ENTRY, digest), signature)


def digest_of_row(row: Base) -> dict[str, Any]:
    """Return which row it is, and the SHA-256 of the canonical JSON of all its columns."""
    state: InstanceState[Any] = inspect(row)
    columns = state.mapper.column_attrs
    values = {column.key: _plain(getattr(row, column.key)) for column in columns}
    canonical = json.dumps(
        values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    (key,) = state.identity or (None,)
    table = str(state.mapper.local_table)
    return {"table": table, "id": key, "digest": hashlib.sha256(canonical.encode()).hexdigest()}


def anchor_line(signer: Signer, *, head: Head, at: datetime) -> str:
    """Return the line that says, signed, how far the trail went at ``at``."""
    said = f"{ANCHOR} {at.isoformat(timespec='seconds')} {head.entry_id} {head.digest}"
    return f"{said} {base64.b64encode(signer.sign(_message(said))).decode()}"


def anchor_code(head: Head) -> str:
    """Return the head as a code short enough to be written on paper."""
    digits = head.digest[:CODE_DIGITS]
    return "-".join(digits[start : start + 5] for start in range(0, CODE_DIGITS, 5))


def read_anchors(text: str, *, public_key: bytes) -> list[str] | None:
    """Return the digests of heads, or their beginnings, that an anchor file or a code names; None
    where a line was not signed with the key.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    anchors = []
    for line in lines:
        if line.startswith(ANCHOR):
            said, _, signature = line.rpartition(" ")
            if not _holds(public_key, _message(said), signature):
                return None
            anchors.append(said.rpartition(" ")[2])
        else:
            digits = line.replace("-", "").lower()
            if len(digits) < CODE_DIGITS or set(digits) - set("0123456789abcdef"):
                return None
            anchors.append(digits)
    return anchors or None


def _message(*parts: str) -> bytes:
    return "\n".join(parts).encode()


def _holds(public_key: bytes, message: bytes, signature: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            base64.b64decode(signature, validate=True), message
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Mapping | list | tuple):
        return json.loads(json.dumps(value))
    return value
