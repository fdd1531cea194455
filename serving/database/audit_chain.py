"""The chain of audit entries: each holds the digest of the one before it and is signed, so none can
be changed, forged or slipped in without a trace.

The digest of an entry is SHA-256 over the canonical JSON of all its fields and the digest of the
entry before. The first one follows ``GENESIS``. A trail that began without signatures goes on with
an entry that is signed itself and says what stood before it, the results among it; from there on
every entry is signed. Whoever keeps the newest digest (the head) elsewhere can tell later that
nothing was cut off the end either.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from data_contracts.errors import SettingsError
from serving.database.audit_signature import (
    Head,
    Signer,
    digest_of_row,
    key_number,
    sign_digest,
    signer_of,
)
from serving.database.tables import AuditRow, Base, DispositionRow

__all__ = [
    "ERASING",
    "GENESIS",
    "Action",
    "ResultDigest",
    "begin_signing",
    "digest_of_entry",
    "is_signed",
    "read_rows",
    "record_action",
]

log = logging.getLogger("serving.database")

Action = Literal[
    "login",
    "login-failed",
    "logout",
    "password-changed",
    "factor-set",
    "factor-removed",
    "factor-recovered",
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
    "reveals-unusual",
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
    "signing-began",
    "erased-by-age",
    "person-erased",
    "person-exported",
]

GENESIS = "0" * 64
ERASING: tuple[Action, ...] = (
    "erased-by-age",
    "person-erased",
)  # say which results are rightly gone
PENDING = "audit entries to be chained"
CHAIN_LOCK = 0x61756469  # one appender at a time on PostgreSQL; any fixed number does
ROWS_A_FETCH = 1000
APPENDED = "the head after the transaction"

R = TypeVar("R", AuditRow, DispositionRow)


def record_action(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: Action,
    subject: str,
    row: Base | None = None,
    **details: Any,
) -> None:
    """Write that ``actor`` did ``action`` to ``subject`` (a pseudonym or a name of ours, never a
    raw identifier). The entry vouches for ``row`` as it is committed.

    The entry stands or falls with the transaction of ``session``; commit it before anything is
    handed out. It joins the chain as the last thing before the commit: whoever appends waits for
    nobody else while others wait for them.
    """
    if PENDING not in session.info:
        session.info[PENDING] = []
        event.listen(session, "before_commit", _append)
        event.listen(session, "after_commit", _keep_head)
    plain = json.loads(json.dumps(details, allow_nan=False))
    entry = AuditRow(occurred_at=at, actor=actor, action=action, subject=subject, details=plain)
    session.info[PENDING].append((entry, row))


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
    if entry.signed_by is not None:
        fields |= {"state": entry.state, "signed_by": entry.signed_by}
    canonical = json.dumps(
        fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


class ResultDigest:
    """The digest of many results, in the order they were written."""

    def __init__(self) -> None:
        self.count = self.last_id = 0
        self._hash = hashlib.sha256()

    def add(self, result: DispositionRow) -> None:
        """Take one result more."""
        self.count, self.last_id = self.count + 1, result.id
        self._hash.update(digest_of_row(result)["digest"].encode())

    def hexdigest(self) -> str:
        """Return the digest of those taken."""
        return self._hash.hexdigest()


def read_rows(session: Session, table: type[R]) -> Iterator[R]:
    """Yield the rows of a table in the order they were written, few at a time."""
    statement = select(table).order_by(table.id).execution_options(yield_per=ROWS_A_FETCH)
    for row in session.scalars(statement):
        yield row
        session.expunge(row)


def begin_signing(session: Session, *, at: datetime) -> bool:
    """Write the entry from which on all are signed; say whether there was none before.

    It vouches for the trail and the results as they stand. Where a head was kept before, the signed
    part of the trail is gone: then nothing is written over it.
    """
    signer = signer_of(session)
    if signer is None or signer.kept_head() is not None or _last_signed_by(session) is not None:
        return False
    results = ResultDigest()
    for result in read_rows(session, DispositionRow):
        results.add(result)
    record_action(
        session,
        at=at,
        actor="forestall",
        action="signing-began",
        subject=key_number(signer.public_key),
        results=results.count,
        last_result=results.last_id,
        results_digest=results.hexdigest(),
    )
    return True


def is_signed(session: Session) -> bool:
    """Say whether the trail has signed entries."""
    return _last_signed_by(session) is not None


def _last_signed_by(session: Session) -> str | None:
    newest = select(AuditRow.signed_by).where(AuditRow.signed_by.is_not(None))
    return session.scalar(newest.order_by(AuditRow.id.desc()).limit(1))


def _append(session: Session) -> None:
    """Chain and sign what the transaction has recorded."""
    pending = session.info[PENDING]
    if not pending or session.in_nested_transaction():
        return
    session.flush()
    # On SQLite a writer is alone from its first statement on
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CHAIN_LOCK})
    last = session.execute(
        select(AuditRow.id, AuditRow.digest).order_by(AuditRow.id.desc()).limit(1)
    ).first()
    last_id, digest = last or (0, GENESIS)
    signer = _signer_after(session)
    for position, (entry, row) in enumerate(pending, start=last_id + 1):
        entry.id, entry.previous_digest = position, digest
        if signer is not None:
            entry.signed_by = key_number(signer.public_key)
            if row is not None:
                session.refresh(row)
                entry.state = digest_of_row(row)
        entry.digest = digest = digest_of_entry(entry)
        if signer is not None:
            entry.signature = sign_digest(signer, digest)
    session.add_all(entry for entry, _ in pending)
    if signer is not None and _is_uncut(session, signer, last_id=last_id):
        session.info[APPENDED] = Head(entry_id=last_id + len(pending), digest=digest)
    pending.clear()


def _is_uncut(session: Session, signer: Signer, *, last_id: int) -> bool:
    """Say whether the trail still holds the head that was kept. Where it does not, that head stays
    kept, however far the trail grows again, so that the cut shows for good.
    """
    kept = signer.kept_head()
    if kept is None:
        return True
    found = select(AuditRow.digest).where(AuditRow.id == kept.entry_id)
    if session.scalar(found) == kept.digest:
        return True
    log.error(
        "the audit trail was cut off or replaced: entry %d, which was kept as its head, is not in "
        "it any more (its last one is %d); see `forestall audit verify`",
        kept.entry_id,
        last_id,
    )
    return False


def _signer_after(session: Session) -> Signer | None:
    """Return who signs the next entry; raises SettingsError where the key is not that of before."""
    signer, before = signer_of(session), _last_signed_by(session)
    if before is not None and (signer is None or key_number(signer.public_key) != before):
        raise SettingsError(
            "the audit trail is signed with another key than this process has",
            remedy="Restore audit.key in the folder of keys from its backup.",
        )
    return signer


def _keep_head(session: Session) -> None:
    signer, head = signer_of(session), session.info.pop(APPENDED, None)
    if signer is not None and head is not None:
        signer.keep_head(head)
