"""Results taken out for good, which the database itself refuses but for an erasure, and what the
entry of the trail has to say of them so that all others stay proven.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.orm import Session

from data_contracts.errors import ConflictError
from serving.database.audit_chain import ERASING, ResultDigest, read_rows
from serving.database.tables import AuditRow, DispositionRow

__all__ = ["ErasedResults", "erase_results"]

TABLE = DispositionRow.__tablename__
TRIGGER_ON_DELETE = f"{TABLE}_no_delete"  # of SQLite
TRIGGER = f"{TABLE}_no_change"  # of PostgreSQL


@dataclass(frozen=True, kw_only=True)
class ErasedResults:
    """The numbers of the results that went, and, where some were of before signing began, the
    digest of those of then that are left. The entry about the erasure holds both.
    """

    numbers: tuple[int, ...]
    digest: str | None = None


def erase_results(session: Session, condition: ColumnElement[bool]) -> ErasedResults:
    """Delete the results that meet the condition; the caller writes the entry in the same
    transaction.

    Raises ``ConflictError`` where results of before signing began are no longer what the trail says
    of them: a new digest would vouch for a change.
    """
    numbers = tuple(session.scalars(select(DispositionRow.id).where(condition)))
    if not numbers:
        return ErasedResults(numbers=())
    last, stated = _early_results(session)
    touches_early = min(numbers) <= last
    if touches_early and _digest_up_to(session, last) != stated:
        raise ConflictError(
            "results of before signing began are not those of the audit trail",
            remedy="See what was changed with `forestall audit verify` before anything is erased.",
        )
    with _erasable(session):
        session.execute(delete(DispositionRow).where(condition))
    digest = _digest_up_to(session, last) if touches_early else None
    return ErasedResults(numbers=numbers, digest=digest)


@contextmanager
def _erasable(session: Session) -> Iterator[None]:
    """Let the block delete results; the lock is back before the transaction ends, or nothing was
    done.
    """
    if session.get_bind().dialect.name == "sqlite":
        kept = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
        trigger = session.scalar(kept, {"name": TRIGGER_ON_DELETE})
        session.execute(text(f"DROP TRIGGER {TRIGGER_ON_DELETE}"))
        yield
        session.execute(text(str(trigger)))
    else:
        session.execute(text(f"ALTER TABLE {TABLE} DISABLE TRIGGER {TRIGGER}"))
        yield
        session.execute(text(f"ALTER TABLE {TABLE} ENABLE TRIGGER {TRIGGER}"))


def _early_results(session: Session) -> tuple[int, str]:
    """The number of the last result of before signing began, and what the trail says of all these;
    0 where it does not speak of them.
    """
    wanted = ("signing-began", *ERASING)
    entries = select(AuditRow).where(AuditRow.action.in_(wanted)).order_by(AuditRow.id)
    last, stated = 0, ""
    for entry in session.scalars(entries):
        if entry.action == "signing-began":
            last = last or int(entry.details["last_result"])
        stated = entry.details["results_digest"] or stated
    return last, stated


def _digest_up_to(session: Session, last: int) -> str:
    results = ResultDigest()
    for result in read_rows(session, DispositionRow):
        if result.id <= last:
            results.add(result)
    return results.hexdigest()
