"""Whether the audit trail is whole, and the results are those that it speaks of."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.database.audit_chain import ERASING, GENESIS, ResultDigest, digest_of_entry, read_rows
from serving.database.audit_signature import digest_of_row, is_signed_by, key_number
from serving.database.tables import AuditRow, DispositionRow

__all__ = ["Break", "Verdict", "verify_chain"]


@dataclass(frozen=True, kw_only=True)
class Break:
    """The first entry that does not follow from the one before it."""

    entry_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What ``verify_chain`` found: how many entries are whole, how many of them signed, the number
    and the digest of the last of them, where the chain breaks, and which results are not those that
    the trail speaks of.
    """

    entries: int
    head: str
    head_id: int = 0
    signed: int = 0
    broken: Break | None = None
    head_missing: bool = False
    edited: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Say whether every entry and every result is as it was written, and the saved heads still
        stand.
        """
        return self.broken is None and not self.head_missing and not self.edited


def verify_chain(
    session: Session, *, heads: Collection[str] = (), public_key: bytes | None = None
) -> Verdict:
    """Follow the chain from its first entry; ``heads`` are digests kept from before, or beginnings
    of them, that must still be part of it. With a ``public_key`` signatures count, and the results
    are held against what the trail says of them.
    """
    missing = {head for head in heads if head != GENESIS}
    codes = {head for head in missing if len(head) < len(GENESIS)}
    walk = _Walk(public_key)
    for entry in _read_entries(session):
        if isinstance(entry, Break):
            return walk.verdict(broken=entry)
        reason = walk.fault_of(entry)
        if reason:
            return walk.verdict(broken=Break(entry_id=entry.id, reason=reason))
        walk.take(entry)
        missing.discard(entry.digest)
        missing -= {head for head in codes if entry.digest.startswith(head)}
    try:
        edited = tuple(walk.edited_results(session)) if public_key is not None else ()
    except (ValueError, TypeError):
        edited = ("a result cannot be read: it was changed in the database itself",)
    return walk.verdict(head_missing=bool(missing), edited=edited)


def _read_entries(session: Session) -> Iterator[AuditRow | Break]:
    """Yield the entries in order, up to the first whose columns hold what nobody can read."""
    last_id = 0
    try:
        for entry in read_rows(session, AuditRow):
            last_id = entry.id
            yield entry
    except (ValueError, TypeError):  # one of many that were fetched at once: look for it
        after = select(AuditRow.id).where(AuditRow.id > last_id).order_by(AuditRow.id)
        for number in session.scalars(after).all():
            try:
                yield session.scalars(select(AuditRow).where(AuditRow.id == number)).one()
            except (ValueError, TypeError):
                reason = "the entry cannot be read: it was changed after it was written"
                yield Break(entry_id=number, reason=reason)
                return


class _Walk:
    """Goes along the chain, and remembers what its entries vouch for."""

    def __init__(self, public_key: bytes | None) -> None:
        self._public_key = public_key
        self._last, self._last_id, self._entries, self._signed = GENESIS, 0, 0, 0
        self._began: AuditRow | None = None
        self._results: dict[int, str] = {}
        self._early_digest = ""

    def fault_of(self, entry: AuditRow) -> str | None:
        """Return what is wrong with the next entry."""
        if entry.previous_digest != self._last:
            return "the entry before it was removed or replaced"
        if entry.digest != digest_of_entry(entry):
            return "the entry was changed after it was written"
        return None if self._public_key is None else self._forgery(entry, self._public_key)

    def _forgery(self, entry: AuditRow, public_key: bytes) -> str | None:
        if entry.signature is None or entry.signed_by is None:
            return "the entry is not signed: forestall did not write it" if self._began else None
        if entry.signed_by != key_number(public_key):
            return "the entry is signed with another key"
        if not is_signed_by(public_key, digest=entry.digest, signature=entry.signature):
            return "the signature is not that of the entry: it was forged or rewritten"
        if self._began is None and entry.action != "signing-began":
            return "the entry with which signing began was removed"
        return None

    def take(self, entry: AuditRow) -> None:
        """Go on behind an entry without fault."""
        self._last, self._last_id, self._entries = entry.digest, entry.id, self._entries + 1
        if entry.signature is None:
            return
        self._signed += 1
        if self._began is None:
            self._began, self._early_digest = entry, entry.details["results_digest"]
        if entry.action in ERASING:
            self._early_digest = entry.details["results_digest"] or self._early_digest
            for number in entry.details["results_erased"]:
                self._results.pop(number, None)
        if entry.state is not None and entry.state["table"] == DispositionRow.__tablename__:
            self._results[entry.state["id"]] = entry.state["digest"]

    def edited_results(self, session: Session) -> Iterator[str]:
        """Yield which results are not those that the trail speaks of."""
        if self._began is None:
            return
        before, last = ResultDigest(), self._began.details["last_result"]
        vouched = dict(self._results)
        for result in read_rows(session, DispositionRow):
            if result.id <= last:
                before.add(result)
            elif (said := vouched.pop(result.id, None)) is None:
                yield f"result {result.id} of {result.alert_id} was slipped in"
            elif said != digest_of_row(result)["digest"]:
                yield f"result {result.id} of {result.alert_id} was changed"
        yield from (f"result {number} was removed" for number in sorted(vouched))
        if before.hexdigest() != self._early_digest:
            yield f"a result of before signing began, up to number {last}, was changed or removed"

    def verdict(self, **found: Any) -> Verdict:
        """Return what was found up to here."""
        return Verdict(
            entries=self._entries,
            head=self._last,
            head_id=self._last_id,
            signed=self._signed,
            **found,
        )
