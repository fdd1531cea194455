"""Logging in with a second factor: the code after the password, and doing without one."""

from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from serving.access.credentials import digest_of
from serving.access.repository import UserRepository
from serving.access.users import lockout
from serving.access.users.second_factor import is_required, remove_factor, take_code
from serving.access.users.sessions import OpenedSession, note_refusal, too_many_failures
from serving.access.users.tokens import add_token
from serving.context.ports import Sealer
from serving.context.settings import AccessSettings
from serving.database.audit_chain import record_action
from serving.database.engine import write_transaction
from serving.database.tables import TokenRow, UserRow
from serving.http.errors import ProblemError

__all__ = ["leave_factor", "open_after_enrolment", "pass_factor"]


def pass_factor(
    engine: Engine,
    *,
    settings: AccessSettings,
    sealer: Sealer,
    secret: str,
    code: str,
    address: str,
    at: datetime,
) -> OpenedSession:
    """Exchange the cookie that waits for a code, and a right ``code``, for a session.

    Raises a 401 problem for either that is no good, a 429 problem after too many wrong codes.
    """
    digest = digest_of(secret)
    with write_transaction(engine) as session:
        waiting = _waiting(session, digest, settings=settings, at=at)
        name = waiting.user.name
        guards = lockout.guards_of_code(settings, name=name, address=address)
        locked_until = lockout.count_attempt(session, guards=guards, at=at)
    if locked_until is not None:
        raise too_many_failures(locked_until, at=at)
    with write_transaction(engine) as session:
        waiting = _waiting(session, digest, settings=settings, at=at)
        if take_code(session, waiting.user, code=code, sealer=sealer, at=at):
            lockout.reset_failures(session, account=guards[0], address=guards[1])
            UserRepository(session).revoke_token(digest=digest, at=at)
            ends = at + settings.session_lifetime
            fresh, _ = add_token(
                session,
                user=waiting.user,
                kind="session",
                at=at,
                expires_at=min(ends, waiting.parent.expires_at if waiting.parent else ends),
                manages=waiting.manages,
                parent_id=waiting.parent_id,
            )
            record_action(
                session,
                at=at,
                actor=name,
                action="login",
                subject=name,
                by="factor",
                address=address,
            )
            return OpenedSession(secret=fresh, kind="session", role=waiting.user.role)
        note_refusal(session, by="factor", address=address, at=at, actor=name)
    raise _wrong(401)


def leave_factor(
    engine: Engine,
    *,
    settings: AccessSettings,
    sealer: Sealer,
    name: str,
    code: str,
    address: str,
    at: datetime,
) -> None:
    """Remove a user's second factor with one of its codes.

    Raises a 409 problem where the role needs it, a 403 problem for a wrong code, a 429 problem
    after too many of them.
    """
    guards = lockout.guards_of_code(settings, name=name, address=address)
    with write_transaction(engine) as session:
        if is_required(settings, _existing(session, name)):
            raise ProblemError(
                409, "This role needs a second factor.", remedy="Ask an administrator to remove it."
            )
        locked_until = lockout.count_attempt(session, guards=guards, at=at)
    if locked_until is not None:
        raise too_many_failures(locked_until, at=at)
    with write_transaction(engine) as session:
        user = _existing(session, name)
        if take_code(session, user, code=code, sealer=sealer, at=at):
            lockout.reset_failures(session, account=guards[0], address=guards[1])
            remove_factor(session, user, at=at, actor=name)
            return
        note_refusal(session, by="factor", address=address, at=at, actor=name)
    raise _wrong(403)


def open_after_enrolment(
    session: Session, *, settings: AccessSettings, secret: str, user: UserRow, at: datetime
) -> OpenedSession:
    """Exchange the cookie that only served to set up a second factor for a session."""
    UserRepository(session).revoke_token(digest=digest_of(secret), at=at)
    fresh, _ = add_token(
        session,
        user=user,
        kind="session",
        at=at,
        expires_at=at + settings.session_lifetime,
        manages=True,
    )
    return OpenedSession(secret=fresh, kind="session", role=user.role)


def _waiting(session: Session, digest: str, *, settings: AccessSettings, at: datetime) -> TokenRow:
    idle_since = at - settings.session_idle
    found = UserRepository(session).valid_token(
        digest=digest, kinds=("factor",), now=at, idle_since=idle_since
    )
    if found is None:
        raise ProblemError(401, "The login took too long.", remedy="Begin again.")
    return found


def _existing(session: Session, name: str) -> UserRow:
    user = UserRepository(session).by_name(name)
    if user is None:
        raise ProblemError(404, "There is no user of this name.")
    return user


def _wrong(status: int) -> ProblemError:
    return ProblemError(
        status, "This code is not right.", remedy="Wait for the next one and type that."
    )
