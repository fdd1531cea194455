"""Keeping the answer to a write, and giving it again to whoever repeats the write with the same
key.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from serving.database.tables import KeptAnswerRow
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Viewer

__all__ = [
    "Answer",
    "Attempt",
    "InFlight",
    "ReplayedError",
    "Sender",
    "fingerprint_of",
    "keep_answer",
    "replay_answer",
]

NONCE_BYTES = 12


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A write that carries a ``key``; ``secret`` is what the sender is known by, ``fingerprint``
    what was sent.
    """

    key: str
    secret: str
    fingerprint: str

    @property
    def key_digest(self) -> str:
        """What the database keeps of the key."""
        return hashlib.sha256(self.key.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who sends a write, and what they may see: an answer opens to nobody who may see otherwise."""

    actor: str
    scope: str

    @classmethod
    def of(cls, viewer: Viewer) -> Self:
        """Return the sender that ``viewer`` is now."""
        communities = None if viewer.communities is None else sorted(viewer.communities)
        return cls(actor=viewer.name, scope=json.dumps([viewer.role, communities]))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered to a write."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ReplayedError(Exception):
    """Not a fault: the write was done before, and this is what was answered."""

    def __init__(self, answer: Answer, *, actor: str) -> None:
        super().__init__("answered before")
        self.answer = answer
        self.actor = actor


@dataclass(frozen=True)
class InFlight:
    """The keys whose writes are being worked on by this process."""

    _keys: set[tuple[str, str]] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def only(self, sender: str, key: str) -> Iterator[None]:
        """Hold a sender's key for the block.

        Raises a 409 problem while another request holds it.
        """
        claim = (sender, key)
        with self._lock:
            if claim in self._keys:
                raise _in_flight()
            self._keys.add(claim)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(claim)


def fingerprint_of(*, method: str, target: str, body: bytes) -> str:
    """Return the digest of a request; ``target`` is its path with the query."""
    return hashlib.sha256(json.dumps([method, target]).encode() + b"\n" + body).hexdigest()


def replay_answer(
    session: Session, *, attempt: Attempt, sender: Sender, at: datetime, kept_for: timedelta
) -> None:
    """Raise ReplayedError with the answer that ``attempt`` got before; return if there is none.

    Raises a 422 problem for a key that came with another request, a 409 problem for one that came
    under another token, or when the sender might see something else.
    """
    row = session.scalar(
        select(KeptAnswerRow).where(
            KeptAnswerRow.actor == sender.actor,
            KeptAnswerRow.key_digest == attempt.key_digest,
            KeptAnswerRow.kept_at > at - kept_for,
        )
    )
    if row is None:
        return
    if row.fingerprint != attempt.fingerprint:
        raise ProblemError(
            422,
            "This Idempotency-Key came with another request before.",
            remedy="Send a fresh key with each new write.",
        )
    raise ReplayedError(_unsealed(row, attempt, sender=sender), actor=sender.actor)


def keep_answer(
    session: Session,
    *,
    attempt: Attempt,
    sender: Sender,
    answer: Answer,
    at: datetime,
    kept_for: timedelta,
) -> None:
    """Keep ``answer`` in the transaction of the write itself, and forget those that are older than
    ``kept_for``.

    Raises a 409 problem if another process has answered the same key meanwhile; the write is then
    undone.
    """
    session.execute(delete(KeptAnswerRow).where(KeptAnswerRow.kept_at <= at - kept_for))
    session.add(
        KeptAnswerRow(
            actor=sender.actor,
            key_digest=attempt.key_digest,
            fingerprint=attempt.fingerprint,
            status=answer.status,
            sealed=_sealed(answer, attempt, sender=sender),
            kept_at=at,
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise _in_flight() from None


def _sealed(answer: Answer, attempt: Attempt, *, sender: Sender) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    content = json.dumps(dict(answer.headers)).encode() + b"\n" + answer.body
    return nonce + _cipher(attempt, sender=sender).encrypt(
        nonce, content, attempt.fingerprint.encode()
    )


def _unsealed(row: KeptAnswerRow, attempt: Attempt, *, sender: Sender) -> Answer:
    nonce, content = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
    try:
        opened = _cipher(attempt, sender=sender).decrypt(
            nonce, content, attempt.fingerprint.encode()
        )
    except InvalidTag:
        raise ProblemError(
            409,
            "This write was done before, under another token, login or scope of yours.",
            remedy="Read what it changed; its answer opens only to whom it was given.",
        ) from None
    headers, _, body = opened.partition(b"\n")
    return Answer(status=row.status, headers=json.loads(headers), body=body)


def _cipher(attempt: Attempt, *, sender: Sender) -> AESGCM:
    salt = f"{sender.actor}\n{sender.scope}".encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"forestall kept answer")
    return AESGCM(derived.derive(f"{attempt.secret}\n{attempt.key}".encode()))


def _in_flight() -> ProblemError:
    return ProblemError(
        409,
        "The same write is being worked on.",
        remedy="Wait a moment, then send it again with the same key.",
    )
