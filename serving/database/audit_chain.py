"""The chain of audit entries: each holds the digest of the one before it, so none can be changed
without a trace.

The digest of an entry is SHA-256 over the canonical JSON of all its fields and the digest of the
entry before. The first one follows ``GENESIS``. Whoever keeps the newest digest (the head)
elsewhere can tell later that nothing was cut off the end either.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from serving.database.tables import AuditRow

__all__ = [
    "GENESIS",
    "Action",
    "Break",
    "Verdict",
    "digest_of_entry",
    "record_action",
    "verify_chain",
]

Action = Literal[
    "login",
    "login-failed",
    "logout",
    "password-changed",
    "user-added",
    "user-changed",
    "user-revoked",
    "user-restored",
    "user-reset",
    "user-unlocked",
    "token-issued",
    "token-revoked",
    "claim",
    "release",
    "assign",
    "disposition",
    "follow-up",
    "escalate",
    "merge",
    "snooze",
    "suppress",
    "unsuppress",
    "outreach-result",
    "search",
    "reveal",
    "export",
    "print",
    "rescore",
    "promote",
    "roll-back",
    "mapping-saved",
    "webhook-added",
    "webhook-changed",
    "webhook-removed",
    "replay",
]

GENESIS = "0" * 64
PENDING = "audit entries to be chained"
CHAIN_LOCK = 0x61756469  # one appender at a time on PostgreSQL; any fixed number does
ENTRIES_A_FETCH = 1000


@dataclass(frozen=True, kw_only=True)
class Break:
    """The first entry that does not follow from the one before it."""

    entry_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What ``verify_chain`` found: how many entries are whole, the digest of the last of them, and
    where the chain breaks.
    """

    entries: int
    head: str
    broken: Break | None = None
    head_missing: bool = False

    @property
    def whole(self) -> bool:
        """Say whether every entry is as it was written, and the saved head still stands."""
        return self.broken is None and not self.head_missing


def record_action(
    session: Session, *, at: datetime, actor: str, action: Action, subject: str, **details: Any
) -> None:
    """Write that ``actor`` did ``action`` to ``subject`` (a pseudonym or a name of ours, never a
    raw identifier).

    The entry stands or falls with the transaction of ``session``; commit it before anything is
    handed out. It joins the chain as the last thing before the commit: whoever appends waits for
    nobody else while others wait for them.
    """
    if PENDING not in session.info:
        session.info[PENDING] = []
        event.listen(session, "before_commit", _append)
    plain = json.loads(json.dumps(details, allow_nan=False))
    entry = AuditRow(occurred_at=at, actor=actor, action=action, subject=subject, details=plain)
    session.info[PENDING].append(entry)


def digest_of_entry(entry: AuditRow) -> str:
    """Return the digest that ``entry`` must have, from all its fields and the digest of the one
    before.
    """
    fields = {
        "id": entry.id,
        "occurred_at": entry.occurred_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": entry.details,
        "previous_digest": entry.previous_digest,
    }
    canonical = json.dumps(
        fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def verify_chain(session: Session, *, head: str | None = None) -> Verdict:
    """Follow the chain from its first entry; ``head`` is a digest kept from before that must still
    be part of it.
    """
    last, entries, found = GENESIS, 0, head in {None, GENESIS}
    for entry in _entries(session):
        reason = _fault(entry, last)
        if reason:
            return Verdict(
                entries=entries, head=last, broken=Break(entry_id=entry.id, reason=reason)
            )
        last, entries = entry.digest, entries + 1
        found = found or last == head
    return Verdict(entries=entries, head=last, head_missing=not found)


def _entries(session: Session) -> Iterator[AuditRow]:
    statement = select(AuditRow).order_by(AuditRow.id).execution_options(yield_per=ENTRIES_A_FETCH)
    for entry in session.scalars(statement):
        yield entry
        session.expunge(entry)


def _fault(entry: AuditRow, last: str) -> str | None:
    if entry.previous_digest != last:
        return "the entry before it was removed or replaced"
    if entry.digest != digest_of_entry(entry):
        return "the entry was changed after it was written"
    return None


def _append(session: Session) -> None:
    """Chain what the transaction has recorded."""
    pending = session.info[PENDING]
    if not pending or session.in_nested_transaction():
        return
    # On SQLite a writer is alone from its first statement on
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CHAIN_LOCK})
    last = session.execute(
        select(AuditRow.id, AuditRow.digest).order_by(AuditRow.id.desc()).limit(1)
    ).first()
    last_id, digest = last or (0, GENESIS)
    for position, entry in enumerate(pending, start=last_id + 1):
        entry.id, entry.previous_digest = position, digest
        entry.digest = digest = digest_of_entry(entry)
    session.add_all(pending)
    pending.clear()
