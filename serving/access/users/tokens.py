"""Tokens: of machines, of sessions, and in links that work once."""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from serving.access.credentials import digest_of, new_secret
from serving.access.repository import UserRepository
from serving.access.users.schemas import IssuedToken, NewToken, Token, TokenPage
from serving.database.audit_chain import record_action
from serving.database.tables import TokenRow, UserRow
from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from serving.vocabulary.roles import Role, Viewer

__all__ = [
    "TokenKind",
    "add_token",
    "issue_machine_token",
    "issue_token",
    "list_tokens",
    "revoke_machine_token",
    "token_page",
]

TokenKind = Literal["bearer", "login", "invitation", "session", "renewal", "enrolment", "factor"]
BEARER_LIFETIME = timedelta(days=90)
LOGIN_LIFETIME = timedelta(minutes=30)


def add_token(
    session: Session,
    *,
    user: UserRow,
    kind: TokenKind,
    at: datetime,
    expires_at: datetime,
    new: NewToken | None = None,
    manages: bool = False,
    parent_id: int | None = None,
) -> tuple[str, TokenRow]:
    """Return a fresh secret of ``user`` and what is kept of it; ``new`` says what makes a machine's
    token narrower, ``parent_id`` which token it comes of.
    """
    secret = new_secret()
    row = TokenRow(
        user_id=user.id,
        kind=kind,
        digest=digest_of(secret),
        created_at=at,
        expires_at=expires_at,
        name=new.name if new else None,
        role=new.role.value if new and new.role else None,
        read_only=bool(new and new.read_only),
        manages=manages,
        parent_id=parent_id,
    )
    UserRepository(session).add_token(row)
    return secret, row


def issue_token(
    session: Session,
    *,
    name: str,
    at: datetime,
    kind: TokenKind = "bearer",
    manages: bool = False,
    by: Viewer | None = None,
) -> str:
    """Return a fresh token of the user ``name``: ``bearer`` for 90 days, ``login`` for one login
    within 30 minutes. Given out ``by`` a token it ends with that.

    Raises a 404 problem if nobody has that name, or no longer.
    """
    user = _active(session, name)
    expires_at = at + (LOGIN_LIFETIME if kind == "login" else BEARER_LIFETIME)
    if by is not None and by.good_until is not None:
        expires_at = min(expires_at, by.good_until)
    secret, _ = add_token(
        session,
        user=user,
        kind=kind,
        at=at,
        expires_at=expires_at,
        manages=manages or kind == "login",
        parent_id=by.token if by else None,
    )
    return secret


def issue_machine_token(
    session: Session,
    *,
    user: str,
    new: NewToken,
    longest: timedelta,
    at: datetime,
    actor: str,
    by: Viewer | None = None,
) -> IssuedToken:
    """Issue a named token of ``user``, audited; its secret is shown this once. ``by`` is who asks,
    None at the terminal; what a token asks for ends with it.

    Raises a 404 problem for a user who may not come in, a 422 problem for a life beyond ``longest``
    or a role that is not theirs: only an administrator's token may act as another role, and never
    as an officer, who needs communities.
    """
    owner = _active(session, user)
    if (
        new.role
        and new.role.value != owner.role
        and (owner.role != Role.ADMIN or new.role is Role.OFFICER)
    ):
        raise ProblemError(
            422, "This token would do what its user may not.", remedy="Choose the user's own role."
        )
    if timedelta(days=new.days) > longest:
        raise ProblemError(422, "This token would live too long.", remedy="Choose fewer days.")
    expires_at = at + timedelta(days=new.days)
    if by is not None and by.good_until is not None:
        expires_at = min(expires_at, by.good_until)
    secret, row = add_token(
        session,
        user=owner,
        kind="bearer",
        at=at,
        expires_at=expires_at,
        new=new,
        manages=new.manages,
        parent_id=by.token if by else None,
    )
    record_action(
        session,
        at=at,
        actor=actor,
        action="token-issued",
        subject=user,
        token=row.id,
        name=new.name,
        role=new.role.value if new.role else owner.role,
        read_only=new.read_only,
        manages=new.manages,
        expires_at=expires_at.isoformat(),
    )
    return IssuedToken(**as_token(row, owner).model_dump(), secret=secret)


def list_tokens(session: Session, *, user: str | None, at: datetime) -> list[Token]:
    """Return the machines' tokens valid at ``at``, of one user or of all, the newest first."""
    return [
        as_token(row, row.user) for row in UserRepository(session).bearer_tokens(user=user, now=at)
    ]


def token_page(
    session: Session, *, user: str | None, at: datetime, cursor: str | None, limit: int
) -> TokenPage:
    """Return one page of the tokens that ``list_tokens`` returns."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows = UserRepository(session).bearer_tokens(user=user, now=at, before=before, limit=limit + 1)
    shown = rows[:limit]
    return TokenPage(
        items=[as_token(row, row.user) for row in shown],
        next_cursor=encode_cursor(shown[-1].id) if len(rows) > limit else None,
    )


def revoke_machine_token(
    session: Session, *, token_id: int, owner: str | None, at: datetime, actor: str
) -> None:
    """Revoke a machine's token, audited.

    Raises a 404 problem where ``owner`` (None: anybody) has no such token.
    """
    row = UserRepository(session).bearer_token(token_id)
    if row is None or row.revoked_at is not None or owner not in {None, row.user.name}:
        raise ProblemError(
            404, "There is no such token.", remedy="List the tokens to find its number."
        )
    UserRepository(session).revoke_with_descendants(row.id, at=at)
    record_action(
        session,
        at=at,
        actor=actor,
        action="token-revoked",
        subject=row.user.name,
        token=row.id,
        name=row.name,
    )


def as_token(row: TokenRow, user: UserRow) -> Token:
    """Return a token as it is listed."""
    return Token(
        id=row.id,
        user=user.name,
        name=row.name or "",
        role=Role(row.role or user.role),
        read_only=row.read_only,
        manages=row.manages,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def _active(session: Session, name: str) -> UserRow:
    user = UserRepository(session).by_name(name)
    if user is None or user.disabled_at is not None:
        raise ProblemError(
            404,
            "There is no user of this name.",
            remedy="Add the user first, or let them in again.",
        )
    return user
