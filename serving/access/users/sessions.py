"""Logging in on the pages, by a password, a token or a link that works once; and logging out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from serving.access.credentials import digest_of
from serving.access.repository import PAGE_KINDS, UserRepository
from serving.access.users import lockout, passwords
from serving.access.users.second_factor import has_factor, is_required
from serving.access.users.tokens import TokenKind, add_token
from serving.context.settings import AccessSettings
from serving.database.audit_chain import record_action
from serving.database.engine import write_transaction
from serving.database.tables import TokenRow, UserRow
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Role

__all__ = [
    "OpenedSession",
    "change_password",
    "count_arrival",
    "end_other_sessions",
    "end_session",
    "log_in",
    "note_refusal",
    "open_for",
    "open_session",
    "too_many_failures",
]

RENEWAL_LIFETIME = timedelta(minutes=15)
PATHS: Mapping[TokenKind, str] = {
    "session": "/",
    "renewal": "/account",
    "enrolment": "/account",
    "factor": "/login/code",
}
UNKNOWN_ACTOR = "?"  # in the trail, for unknown names: what was typed could be a password


@dataclass(frozen=True, kw_only=True)
class OpenedSession:
    """A session that was opened: the cookie's content, what it serves for, and the role of whoever
    came in.
    """

    secret: str
    kind: TokenKind
    role: str

    @property
    def path(self) -> str:
        """Where the browser goes on: officers with their own list."""
        if self.kind == "session" and self.role == Role.OFFICER:
            return "/outreach"
        return PATHS[self.kind]


def log_in(
    engine: Engine,
    *,
    settings: AccessSettings,
    name: str,
    password: str,
    address: str,
    at: datetime,
) -> OpenedSession:
    """Open a session by name and password; an expired password must be changed first.

    Raises a 401 problem for a wrong name or password, without telling which of the two, and a
    429 problem after too many failures, whether the name exists or not. Hashing holds no
    transaction.
    """
    account, remote = guards = lockout.guards_of(settings, name=name, address=address)
    with write_transaction(engine) as session:
        locked_until = lockout.count_attempt(session, guards=guards, at=at)
        user = UserRepository(session).by_name(name)
        stored_hash = None if user is None or user.disabled_at is not None else user.password_hash
    if locked_until is not None:
        raise too_many_failures(locked_until, at=at)
    right = passwords.password_matches(password, stored_hash)
    renewed = (
        passwords.hash_password(password)
        if right and stored_hash and passwords.is_outdated(stored_hash)
        else None
    )
    with write_transaction(engine) as session:
        user = UserRepository(session).by_name(name)
        if not right or user is None or user.password_hash != stored_hash:
            note_refusal(
                session,
                by="password",
                address=address,
                at=at,
                actor=user.name if user else UNKNOWN_ACTOR,
            )
        else:
            lockout.reset_failures(session, account=account, address=remote)
            user.password_hash = renewed or user.password_hash
            return open_for(
                session, user=user, settings=settings, by="password", address=address, at=at
            )
    raise ProblemError(
        401, "This name or password is not right.", remedy="Try again, or ask an administrator."
    )


def open_session(
    session: Session,
    *,
    secret: str,
    kinds: Collection[TokenKind],
    settings: AccessSettings,
    at: datetime,
    address: str = "",
) -> OpenedSession | None:
    """Exchange a token of one of ``kinds`` for a new session.

    None if the token is not good, which is audited.

    A link is used up by this; the session of a bearer token does not outlive it, and one narrower
    than its user opens none.
    """
    users = UserRepository(session)
    digest = digest_of(secret)
    token = users.valid_token(digest=digest, kinds=kinds, now=at)
    narrow = token is not None and (token.read_only or token.role is not None)
    once = token is not None and token.kind != "bearer"
    if token is None or narrow or (once and not users.revoke_token(digest=digest, at=at)):
        note_refusal(session, by="token", address=address, at=at)
        return None
    return open_for(
        session,
        user=token.user,
        settings=settings,
        by=token.kind,
        address=address,
        at=at,
        of=None if once else token,
    )


def open_for(
    session: Session,
    *,
    user: UserRow,
    settings: AccessSettings,
    by: str,
    address: str,
    at: datetime,
    of: TokenRow | None = None,
) -> OpenedSession:
    """Open a session for a user who has shown who they are; one that comes ``of`` a machine's token
    does no more than that, and ends with it.
    """
    renewing = by == "invitation" or (by == "password" and _has_expired(user, settings, at))
    kind: TokenKind = (
        "renewal" if renewing else _kind_after(session, user, settings=settings, of=of)
    )
    lifetime = settings.session_lifetime if kind == "session" else RENEWAL_LIFETIME
    ends = min(at + lifetime, of.expires_at if of else at + lifetime)
    secret, _ = add_token(
        session,
        user=user,
        kind=kind,
        at=at,
        expires_at=ends,
        manages=of.manages if of else True,
        parent_id=of.id if of else None,
    )
    if kind != "factor":
        record_action(
            session,
            at=at,
            actor=user.name,
            action="login",
            subject=user.name,
            by=by,
            address=address,
        )
    return OpenedSession(secret=secret, kind=kind, role=user.role)


def _kind_after(
    session: Session, user: UserRow, *, settings: AccessSettings, of: TokenRow | None = None
) -> TokenKind:
    """Return what somebody gets who has shown one factor; raises a 403 problem where a token would
    set up the second one.
    """
    if user.subject is not None:  # the identity provider has asked for it
        return "session"
    if has_factor(session, user):
        return "factor"
    if not is_required(settings, user):
        return "session"
    if of is not None:
        raise ProblemError(
            403,
            "This role needs a second factor, which no token sets up.",
            remedy="Log in with a password.",
        )
    return "enrolment"


def change_password(
    engine: Engine,
    *,
    settings: AccessSettings,
    name: str,
    current: str | None,
    new: str,
    address: str,
    at: datetime,
    keeps_tokens: bool = False,
) -> OpenedSession:
    """Give a user the password they chose, end their sessions everywhere, and their machines'
    tokens unless ``keeps_tokens``, and open a new session.

    ``current`` is None for who has just shown who they are. Raises a 403 problem for a wrong
    current password, a 429 problem after too many of them, a 422 problem for a new one that is no
    good, a 409 problem for a user of the identity provider.
    """
    with write_transaction(engine) as session:
        user = _user(session, name)
        stored_hash, from_provider = user.password_hash, user.subject is not None
    if from_provider:
        raise ProblemError(
            409, "Your password is kept by the identity provider.", remedy="Change it there."
        )
    if stored_hash is not None and current is not None:
        _require_current(
            engine,
            settings=settings,
            name=name,
            current=current,
            stored_hash=stored_hash,
            address=address,
            at=at,
        )
    passwords.require_strong_password(
        new, name=name, length=settings.password_length, stored_hash=stored_hash
    )
    digest = passwords.hash_password(new)
    with write_transaction(engine) as session:
        user = _user(session, name)
        user.password_hash, user.password_set_at = digest, at
        ended = (*PAGE_KINDS, "login", "invitation") if keeps_tokens else None
        UserRepository(session).revoke_tokens_of(user, at=at, kinds=ended)
        record_action(
            session, at=at, actor=name, action="password-changed", subject=name, address=address
        )
        # Who has only shown a link or a password that has expired goes on to the second factor
        kind: TokenKind = (
            "session" if current is not None else _kind_after(session, user, settings=settings)
        )
        lifetime = settings.session_lifetime if kind == "session" else RENEWAL_LIFETIME
        secret, _ = add_token(
            session, user=user, kind=kind, at=at, expires_at=at + lifetime, manages=True
        )
        return OpenedSession(secret=secret, kind=kind, role=user.role)


def count_arrival(
    engine: Engine, *, settings: AccessSettings, address: str, at: datetime
) -> lockout.Guard:
    """Count that an address tries to come in without a name, as failed until it is forgiven.

    Raises a 429 problem after too many failures.
    """
    guard = lockout.guard_of_address(settings, address)
    with write_transaction(engine) as session:
        locked_until = lockout.count_attempt(session, guards=[guard], at=at)
    if locked_until is not None:
        raise too_many_failures(locked_until, at=at)
    return guard


def note_refusal(
    session: Session, *, by: str, address: str, at: datetime, actor: str = UNKNOWN_ACTOR
) -> None:
    """Write a failed login into the audit trail."""
    record_action(
        session, at=at, actor=actor, action="login-failed", subject=actor, by=by, address=address
    )


def end_other_sessions(session: Session, *, name: str, secret: str, at: datetime) -> None:
    """End every session of a user but the one of this secret, audited."""
    UserRepository(session).revoke_tokens_of(
        _user(session, name), at=at, kinds=PAGE_KINDS, but=digest_of(secret)
    )
    record_action(session, at=at, actor=name, action="logout", subject=name, elsewhere=True)


def end_session(session: Session, *, secret: str, at: datetime, actor: str) -> None:
    """End the session of this secret."""
    UserRepository(session).revoke_token(digest=digest_of(secret), at=at)
    record_action(session, at=at, actor=actor, action="logout", subject=actor)


def _require_current(
    engine: Engine,
    *,
    settings: AccessSettings,
    name: str,
    current: str,
    stored_hash: str,
    address: str,
    at: datetime,
) -> None:
    account, remote = guards = lockout.guards_of(settings, name=name, address=address)
    with write_transaction(engine) as session:
        locked_until = lockout.count_attempt(session, guards=guards, at=at)
    if locked_until is not None:
        raise too_many_failures(locked_until, at=at)
    if not passwords.password_matches(current, stored_hash):
        with write_transaction(engine) as session:
            note_refusal(session, by="password", address=address, at=at, actor=name)
        raise ProblemError(403, "The present password is not right.", remedy="Type it again.")
    with write_transaction(engine) as session:
        lockout.reset_failures(session, account=account, address=remote)


def _has_expired(user: UserRow, settings: AccessSettings, at: datetime) -> bool:
    if not settings.password_days or user.password_set_at is None:
        return False
    return at >= user.password_set_at + timedelta(days=settings.password_days)


def _user(session: Session, name: str) -> UserRow:
    user = UserRepository(session).by_name(name)
    if user is None:
        raise ProblemError(404, "There is no user of this name.")
    return user


def too_many_failures(until: datetime, *, at: datetime) -> ProblemError:
    """Return the 429 problem that says when a lock ends."""
    seconds = max(1, ceil((until - at).total_seconds()))
    return ProblemError(
        429,
        "There were too many failed logins.",
        remedy="Wait some minutes, then try again; every failure makes the wait longer.",
        headers={"Retry-After": str(seconds)},
        until=until.isoformat(timespec="seconds"),
    )
