"""Lockout: failed logins of an account, and from an address, make the next ones wait, longer each
time.

An attempt counts as failed before its password is looked at, and is forgiven if it was right: so
guesses sent all at once get no more tries than guesses one by one. Accounts are locked by the name
that was typed, whether somebody has it or not, so a lock tells nothing about who exists. Only
digests of names and addresses are kept.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from serving.context.settings import AccessSettings
from serving.database.tables import LockoutRow

__all__ = [
    "Guard",
    "clear_failures",
    "count_attempt",
    "forgive_attempt",
    "guard_of_address",
    "guards_of",
    "guards_of_code",
    "is_locked",
    "reset_failures",
]


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What is counted under ``key``: so many ``failures`` within ``window`` lock it for ``first``,
    then doubling.
    """

    key: str
    failures: int
    window: timedelta
    first: timedelta
    longest: timedelta

    def lock_after(self, failures: int) -> timedelta | None:
        """Return how long so many failures lock, None while they do not."""
        beyond = failures - self.failures
        if beyond < 0:
            return None
        doubled: int = 2 ** min(beyond, 30)
        return min(self.longest, self.first * doubled)


def guards_of(settings: AccessSettings, *, name: str, address: str) -> tuple[Guard, Guard]:
    """Return the guards of an account and of an address."""
    account = _guard(settings, _key("account", name), settings.lockout_failures)
    return account, guard_of_address(settings, address)


def guards_of_code(settings: AccessSettings, *, name: str, address: str) -> tuple[Guard, Guard]:
    """Return the guards of a user's second factor, which no name typed at the login counts for, and
    of an address.
    """
    code = _guard(settings, _key("code", name), settings.lockout_failures)
    return code, guard_of_address(settings, address)


def guard_of_address(settings: AccessSettings, address: str) -> Guard:
    """Return the guard of an address."""
    return _guard(settings, _key("address", address), settings.lockout_address_failures)


def count_attempt(session: Session, *, guards: Iterable[Guard], at: datetime) -> datetime | None:
    """Count one attempt as failed.

    Return until when its account or address is locked, with nothing counted.
    """
    # One order for all, so that no two wait for each other
    ordered = sorted(guards, key=lambda guard: guard.key)
    rows = [(guard, _row(session, guard.key, at)) for guard in ordered]
    locked = [
        row.locked_until
        for _, row in rows
        if row.locked_until is not None and row.locked_until > at
    ]
    if locked:
        return max(locked)
    for guard, row in rows:
        calm_since = max(row.last_failed_at, row.locked_until or row.last_failed_at)
        row.failures = 1 if at > calm_since + guard.window else row.failures + 1
        row.last_failed_at = at
        wait = guard.lock_after(row.failures)
        row.locked_until = None if wait is None else at + wait
    session.flush()
    _forget_old(session, at=at, after=max(guard.window + guard.longest for guard in ordered))
    return None


def reset_failures(session: Session, *, account: Guard, address: Guard) -> None:
    """Take back the attempt that was right: the account starts anew, the address is one failure
    better off.
    """
    clear_failures(session, account)
    forgive_attempt(session, address)


def forgive_attempt(session: Session, address: Guard) -> None:
    """Take back the attempt of an address that was right."""
    row = session.get(LockoutRow, address.key, with_for_update=True, populate_existing=True)
    if row is None:
        return
    row.failures = max(0, row.failures - 1)
    if address.lock_after(row.failures) is None:
        row.locked_until = None
    session.flush()


def is_locked(session: Session, guard: Guard, *, at: datetime) -> bool:
    """Say whether an account or address has to wait."""
    row = session.get(LockoutRow, guard.key)
    return row is not None and row.locked_until is not None and row.locked_until > at


def clear_failures(session: Session, guard: Guard) -> None:
    """Forget the failures under a key."""
    session.execute(delete(LockoutRow).where(LockoutRow.key == guard.key))


def _guard(settings: AccessSettings, key: str, failures: int) -> Guard:
    return Guard(
        key=key,
        failures=failures,
        window=timedelta(minutes=settings.lockout_window_minutes),
        first=timedelta(minutes=settings.lockout_minutes),
        longest=timedelta(minutes=settings.lockout_max_minutes),
    )


def _key(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()


def _row(session: Session, key: str, at: datetime) -> LockoutRow:
    """Return the row of ``key``, made if missing and locked for others until the commit."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = insert(LockoutRow).values(key=key, failures=0, last_failed_at=at)
    session.execute(fresh.on_conflict_do_nothing())
    return session.scalars(
        select(LockoutRow)
        .where(LockoutRow.key == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _forget_old(session: Session, *, at: datetime, after: timedelta) -> None:
    session.execute(delete(LockoutRow).where(LockoutRow.last_failed_at < at - after))
