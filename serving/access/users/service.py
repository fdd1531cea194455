"""Adding users, changing what they may see, disabling them and letting them in again."""

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from serving.access.auth import require_login
from serving.access.repository import PAGE_KINDS, UserRepository
from serving.access.users.schemas import (
    NAME_PATTERN,
    Invitation,
    NewUser,
    User,
    UserChanges,
    UserPage,
    UserQuery,
    UserWithToken,
)
from serving.access.users.second_factor import has_factor, remove_factor
from serving.access.users.tokens import add_token, issue_token
from serving.database.audit_chain import record_action
from serving.database.tables import UserCommunityRow, UserRow
from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from serving.vocabulary.roles import Role, Viewer

__all__ = [
    "add_user",
    "add_user_from",
    "change_user",
    "comes_with_factor",
    "create_user",
    "disable_user",
    "get_user",
    "invite_user",
    "list_users",
    "reset_factor",
    "user_page",
]


# As the API and the pages take it, see ``schemas.Name``: it stands in paths
NAME = re.compile(NAME_PATTERN)


def create_user(
    session: Session,
    *,
    name: str,
    role: Role | str,
    at: datetime,
    communities: Collection[str] = (),
    actor: str,
    subject: str | None = None,
) -> UserRow:
    """Add a user who has nothing yet to come in with; ``subject`` is who they are to the identity
    provider.

    Raises a 409 problem if the name is taken, a 422 problem for an officer without a community, or
    a name that looks like another one or is part of an address.
    """
    _require_plain(name)
    users = UserRepository(session)
    if users.by_name(name):
        raise ProblemError(
            409, "A user of this name exists already.", remedy="Choose another name."
        )
    _require_communities(Role(role), communities)
    user = UserRow(
        name=name,
        role=Role(role).value,
        created_at=at,
        communities=_community_rows(communities),
        subject=subject,
    )
    users.add(user)
    record_action(
        session,
        at=at,
        actor=actor,
        action="user-added",
        subject=name,
        role=user.role,
        communities=_codes_of(user),
    )
    return user


def add_user(
    session: Session,
    *,
    name: str,
    role: Role | str,
    at: datetime,
    communities: Collection[str] = (),
    actor: str,
    manages: bool = False,
    by: Viewer | None = None,
) -> str:
    """Add a user and return a bearer token that is shown this once; see ``create_user`` and
    ``issue_token``.

    Raises a 403 problem where a token asks for an administrator.
    """
    _require_may_make(Role(role), by=by)
    create_user(session, name=name, role=role, at=at, communities=communities, actor=actor)
    return issue_token(session, name=name, kind="bearer", at=at, manages=manages, by=by)


def add_user_from(session: Session, *, new: NewUser, at: datetime, by: Viewer) -> UserWithToken:
    """Add a user as a request of ``by`` describes it; see ``add_user``."""
    token = add_user(
        session,
        name=new.name,
        role=new.role,
        at=at,
        communities=new.communities,
        actor=by.name,
        by=by,
    )
    return UserWithToken(**get_user(session, name=new.name).model_dump(), token=token)


def list_users(session: Session) -> list[User]:
    """Return every user by name."""
    users = UserRepository(session)
    last_seen = users.last_seen()
    return [_as_user(row, last_seen.get(row.id)) for row in users.all()]


def user_page(session: Session, *, query: UserQuery) -> UserPage:
    """Return one page of users by name."""
    users = UserRepository(session)
    after = decode_cursor(query.cursor, str)[0] if query.cursor else ""
    rows = users.page(role=query.role, active=query.active, after=after, limit=query.limit + 1)
    shown, last_seen = rows[: query.limit], users.last_seen()
    return UserPage(
        items=[_as_user(row, last_seen.get(row.id)) for row in shown],
        next_cursor=encode_cursor(shown[-1].name) if len(rows) > query.limit else None,
    )


def get_user(session: Session, *, name: str) -> User:
    """Return one user. Raises a 404 problem if nobody has that name."""
    row = _existing(session, name)
    return _as_user(row, UserRepository(session).last_seen().get(row.id))


def change_user(
    session: Session,
    *,
    name: str,
    changes: UserChanges,
    at: datetime,
    actor: str,
    by: Viewer | None = None,
) -> User:
    """Change a user's role, communities, or whether they may come in, audited. ``by`` is who asks,
    None at the terminal and for the identity provider.

    Raises a 404 problem if nobody has that name, a 409 problem if nobody would be left to manage
    users, a 422 problem for an officer without a community, a 403 problem where a token makes
    somebody administrator or lets one in again.
    """
    user = _existing(session, name)
    if changes.disabled is False or changes.role is not None:
        _require_may_make(changes.role or Role(user.role), by=by)
    if changes.disabled is not None and changes.disabled != (user.disabled_at is not None):
        _switch(session, user, disabled=changes.disabled, at=at, actor=actor)
    role = changes.role or Role(user.role)
    communities = (
        _codes_of(user) if changes.communities is None else sorted(set(changes.communities))
    )
    if (role.value, communities) != (user.role, _codes_of(user)):
        _require_communities(role, communities)
        before, user.role = user.role, role.value
        kept = {item.community_id: item for item in user.communities}
        user.communities = [
            kept.get(code) or UserCommunityRow(community_id=code) for code in communities
        ]
        session.flush()
        _require_an_administrator_after(session, before)
        record_action(
            session,
            at=at,
            actor=actor,
            action="user-changed",
            subject=name,
            role=user.role,
            communities=communities,
        )
    return get_user(session, name=name)


def disable_user(session: Session, *, name: str, at: datetime, actor: str) -> None:
    """Disable a user at once, with every token they hold.

    Raises a 404 problem if nobody has that name, a 409 problem if nobody would be left to manage
    users.
    """
    _switch(session, _existing(session, name), disabled=True, at=at, actor=actor)


def invite_user(
    session: Session, *, name: str, lifetime: timedelta, at: datetime, actor: str
) -> Invitation:
    """Take a user's password, end their sessions and machines' tokens, and return a link with which
    they choose a new password: what was stolen with the old one opens nothing any more.

    Raises a 404 problem if nobody has that name, a 409 problem for who is disabled or comes from
    the identity provider.
    """
    user = _existing(session, name)
    if user.disabled_at is not None:
        raise ProblemError(409, "This user is disabled.", remedy="Let the user in again first.")
    if user.subject is not None:
        raise ProblemError(
            409, "This user's password is kept by the identity provider.", remedy="Change it there."
        )
    user.password_hash = user.password_set_at = None
    UserRepository(session).revoke_tokens_of(user, at=at)
    secret, row = add_token(
        session, user=user, kind="invitation", at=at, expires_at=at + lifetime, manages=True
    )
    record_action(session, at=at, actor=actor, action="user-reset", subject=name)
    return Invitation(path=f"/login?token={secret}", expires_at=row.expires_at)


def comes_with_factor(session: Session, *, name: str) -> bool:
    """Say whether a user is asked for a second factor."""
    return has_factor(session, _existing(session, name))


def reset_factor(session: Session, *, name: str, at: datetime, actor: str) -> None:
    """Remove the second factor of a user whose device is lost, and end their sessions, audited.

    Raises a 404 problem where there is no such user or no second factor.
    """
    user = _existing(session, name)
    remove_factor(session, user, at=at, actor=actor)
    UserRepository(session).revoke_tokens_of(user, at=at, kinds=PAGE_KINDS)


def _switch(session: Session, user: UserRow, *, disabled: bool, at: datetime, actor: str) -> None:
    if not disabled:
        user.disabled_at = None
        record_action(session, at=at, actor=actor, action="user-restored", subject=user.name)
        return
    user.disabled_at = user.disabled_at or at
    session.flush()
    _require_an_administrator_after(session, user.role)
    UserRepository(session).revoke_tokens_of(user, at=at)
    record_action(session, at=at, actor=actor, action="user-revoked", subject=user.name)


def _require_may_make(role: Role, *, by: Viewer | None) -> None:
    if by is not None and role is Role.ADMIN:
        require_login(by)


def _require_plain(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ProblemError(
            422,
            "A user's name consists of up to 60 letters, digits and . _ @ + -.",
            remedy="Write it without spaces and other signs.",
        )
    if name in {".", ".."} or unicodedata.normalize("NFKC", name) != name:
        raise ProblemError(
            422,
            "This name cannot be told from another one.",
            remedy="Write it without full-width or composed characters, and not of dots alone.",
        )


def _require_communities(role: Role, communities: Collection[str]) -> None:
    if role is Role.OFFICER and not communities:
        raise ProblemError(
            422,
            "An officer needs at least one community.",
            remedy="Name the officer's communities.",
        )


def _require_an_administrator_after(session: Session, role_lost: str) -> None:
    if role_lost == Role.ADMIN and not UserRepository(session).has_active(Role.ADMIN):
        raise ProblemError(
            409,
            "Nobody would be left to manage users.",
            remedy="Make somebody else administrator first.",
        )


def _existing(session: Session, name: str) -> UserRow:
    user = UserRepository(session).by_name(name)
    if user is None:
        raise ProblemError(
            404, "There is no user of this name.", remedy="List the users to find the name."
        )
    return user


def _as_user(row: UserRow, last_seen_at: datetime | None) -> User:
    return User(
        name=row.name,
        role=Role(row.role),
        communities=_codes_of(row),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        has_password=row.password_hash is not None,
        from_provider=row.subject is not None,
        last_seen_at=last_seen_at,
    )


def _codes_of(user: UserRow) -> list[str]:
    return sorted(item.community_id for item in user.communities)


def _community_rows(communities: Collection[str]) -> list[UserCommunityRow]:
    return [UserCommunityRow(community_id=community) for community in sorted(set(communities))]
