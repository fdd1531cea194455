"""Adding users, giving them tokens and taking both away."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from data_contracts.errors import ConflictError, SettingsError
from serving.audit import record
from serving.auth import Role, digest_of, new_secret
from serving.errors import ProblemError
from serving.tables import TokenRow, UserCommunityRow, UserRow
from serving.users.repository import UserRepository
from serving.users.schemas import NewUser, User, UserWithToken

__all__ = ["add_user", "add_user_from", "end_session", "issue_token", "list_users", "open_session", "revoke_user"]

TokenKind = Literal["bearer", "login", "session"]
BEARER_LIFETIME = timedelta(days=90)
LOGIN_LIFETIME = timedelta(minutes=30)


def add_user(
    session: Session, *, name: str, role: Role | str, at: datetime, communities: Collection[str] = (), actor: str
) -> str:
    """Add a user and return a bearer token that is shown this once.

    Raises ConflictError if the name is taken, SettingsError for an officer without a community.
    """
    users = UserRepository(session)
    if users.by_name(name):
        raise ConflictError(f"a user {name} exists already", remedy="Choose another name, or issue a token.")
    if Role(role) is Role.OFFICER and not communities:
        raise SettingsError("an officer needs at least one community", remedy="Name the officer's communities.")
    rows = [UserCommunityRow(community_id=community) for community in sorted(set(communities))]
    users.add(UserRow(name=name, role=Role(role).value, created_at=at, communities=rows))
    record(session, at=at, actor=actor, action="user-added", subject=name, role=str(role))
    return issue_token(session, name=name, kind="bearer", at=at, lifetime=BEARER_LIFETIME)


def add_user_from(session: Session, *, new: NewUser, at: datetime, actor: str) -> UserWithToken:
    """Add the user that somebody asked for; see ``add_user``."""
    token = add_user(session, name=new.name, role=new.role, at=at, communities=new.communities, actor=actor)
    return UserWithToken(
        name=new.name,
        role=new.role,
        communities=sorted(set(new.communities)),
        created_at=at,
        disabled_at=None,
        token=token,
    )


def issue_token(
    session: Session, *, name: str, at: datetime, kind: TokenKind = "bearer", lifetime: timedelta | None = None
) -> str:
    """Return a fresh token of the user ``name``: ``bearer`` for 90 days, ``login`` for one login within 30 minutes.

    Raises SettingsError if nobody has that name, or no longer.
    """
    users = UserRepository(session)
    user = users.by_name(name)
    if user is None or user.disabled_at is not None:
        raise SettingsError(f"there is no user {name}", remedy="Add the user first: forestall users add.")
    secret = new_secret()
    expires_at = at + (lifetime or (LOGIN_LIFETIME if kind == "login" else BEARER_LIFETIME))
    users.add_token(
        TokenRow(user_id=user.id, kind=kind, digest=digest_of(secret), created_at=at, expires_at=expires_at)
    )
    return secret


def list_users(session: Session) -> list[User]:
    """Return every user by name."""
    return [as_user(row) for row in UserRepository(session).all()]


def as_user(row: UserRow) -> User:
    """Return a user as an administrator sees them."""
    return User(
        name=row.name,
        role=Role(row.role),
        communities=sorted(item.community_id for item in row.communities),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def revoke_user(session: Session, *, name: str, at: datetime, actor: str) -> None:
    """Shut a user out at once, with every token they hold. Raises a 404 problem if nobody has that name."""
    users = UserRepository(session)
    user = users.by_name(name)
    if user is None:
        raise ProblemError(404, "There is no user of this name.", remedy="List the users to find the name.")
    user.disabled_at = user.disabled_at or at
    users.revoke_tokens_of(user, at=at)
    record(session, at=at, actor=actor, action="user-revoked", subject=name)


def open_session(
    session: Session, *, secret: str, kinds: Collection[TokenKind], at: datetime, lifetime: timedelta
) -> str | None:
    """Exchange a token of one of ``kinds`` for the secret of a new session; None if the token is not good.

    A login token is used up by this; the session of a bearer token does not outlive it.
    """
    users = UserRepository(session)
    digest = digest_of(secret)
    token = users.valid_token(digest=digest, kinds=kinds, now=at)
    if token is None or (token.kind == "login" and not users.revoke_token(digest=digest, at=at)):
        return None
    if token.kind == "bearer":
        lifetime = min(lifetime, token.expires_at - at)
    record(session, at=at, actor=token.user.name, action="login", subject=token.user.name, by=token.kind)
    return issue_token(session, name=token.user.name, kind="session", at=at, lifetime=lifetime)


def end_session(session: Session, *, secret: str, at: datetime, actor: str) -> None:
    """End the session of this secret."""
    UserRepository(session).revoke_token(digest=digest_of(secret), at=at)
    record(session, at=at, actor=actor, action="logout", subject=actor)
