"""The SQL of users and their tokens."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, exists, func, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from serving.database.tables import TokenRow, UserRow

__all__ = ["PAGE_KINDS", "UserRepository"]

PAGE_KINDS = ("session", "renewal", "enrolment", "factor")


class UserRepository:
    """Reads and changes users and tokens."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def by_name(self, name: str) -> UserRow | None:
        """Return the user of this name, disabled or not."""
        return self._session.scalar(select(UserRow).where(UserRow.name == name))

    def all(self) -> Sequence[UserRow]:
        """Return every user by name."""
        return self._session.scalars(select(UserRow).order_by(UserRow.name)).all()

    def page(
        self, *, role: str | None, active: bool | None, after: str, limit: int
    ) -> Sequence[UserRow]:
        """Return users by name, of those after ``after``; ``active``: whether they may come in,
        None for both.
        """
        statement = select(UserRow).where(UserRow.name > after)
        if role is not None:
            statement = statement.where(UserRow.role == role)
        if active is not None:
            statement = statement.where(
                UserRow.disabled_at.is_(None) if active else UserRow.disabled_at.is_not(None)
            )
        return self._session.scalars(statement.order_by(UserRow.name).limit(limit)).all()

    def add(self, user: UserRow) -> UserRow:
        """Add a user."""
        self._session.add(user)
        self._session.flush()
        return user

    def by_subject(self, subject: str) -> UserRow | None:
        """Return the user whom the identity provider knows as ``subject``."""
        return self._session.scalar(select(UserRow).where(UserRow.subject == subject))

    def has_active(self, role: str) -> bool:
        """Say whether somebody with this role may come in."""
        active = select(UserRow.id).where(UserRow.role == role, UserRow.disabled_at.is_(None))
        return self._session.scalar(active.limit(1)) is not None

    def last_seen(self) -> Mapping[int, datetime]:
        """Return when each user (by number) who ever came in was last here."""
        used_at = func.max(TokenRow.last_used_at, type_=TokenRow.last_used_at.type)
        seen = (
            select(TokenRow.user_id, used_at)
            .where(TokenRow.last_used_at.is_not(None))
            .group_by(TokenRow.user_id)
        )
        return {user_id: at for user_id, at in self._session.execute(seen)}  # noqa: C416 -- a row is no pair to mypy

    def bearer_tokens(
        self,
        *,
        user: str | None,
        now: datetime,
        before: int | None = None,
        limit: int | None = None,
    ) -> Sequence[TokenRow]:
        """Return the machines' tokens that are good, of one user or of all, the newest first."""
        good = (TokenRow.kind == "bearer", TokenRow.revoked_at.is_(None), TokenRow.expires_at > now)
        statement = select(TokenRow).join(TokenRow.user).where(*good, UserRow.disabled_at.is_(None))
        if user is not None:
            statement = statement.where(UserRow.name == user)
        if before is not None:
            statement = statement.where(TokenRow.id < before)
        return self._session.scalars(statement.order_by(TokenRow.id.desc()).limit(limit)).all()

    def bearer_token(self, token_id: int) -> TokenRow | None:
        """Return the machine's token of this number."""
        return self._session.scalar(
            select(TokenRow).where(TokenRow.id == token_id, TokenRow.kind == "bearer")
        )

    def add_token(self, token: TokenRow) -> None:
        """Add a token, given as its digest."""
        self._session.add(token)
        self._session.flush()

    def valid_token(
        self,
        *,
        digest: str,
        kinds: Collection[str],
        now: datetime,
        idle_since: datetime | None = None,
    ) -> TokenRow | None:
        """Return the token if it is neither expired nor revoked and its user may still come in.

        A token of the pages (``session``, ``renewal``) must have been used after ``idle_since``; a
        token that was made narrower than its user does not outgrow them when their role changes,
        and one that came of another token ends with it, as that ends with the one before.
        """
        used_at = func.coalesce(TokenRow.last_used_at, TokenRow.created_at)
        of_it = select(TokenRow.id, TokenRow.parent_id).where(TokenRow.digest == digest)
        line = of_it.cte("line", recursive=True)
        above, ended = aliased(TokenRow), aliased(TokenRow)
        line = line.union(
            select(above.id, above.parent_id).join(line, above.id == line.c.parent_id)
        )
        of_what_ended = exists().where(
            ended.id == line.c.id, or_(ended.revoked_at.is_not(None), ended.expires_at <= now)
        )
        fresh = (
            true()
            if idle_since is None
            else or_(TokenRow.kind.not_in(PAGE_KINDS), used_at > idle_since)
        )
        return self._session.scalar(
            select(TokenRow)
            .join(TokenRow.user)
            .where(
                TokenRow.digest == digest,
                TokenRow.kind.in_(kinds),
                TokenRow.expires_at > now,
                TokenRow.revoked_at.is_(None),
                UserRow.disabled_at.is_(None),
                or_(
                    TokenRow.role.is_(None), TokenRow.role == UserRow.role, UserRow.role == "admin"
                ),
                ~of_what_ended,
                fresh,
            )
        )

    def note_use(self, token_id: int, *, at: datetime) -> None:
        """Note that a token was used."""
        self._session.execute(
            update(TokenRow).where(TokenRow.id == token_id).values(last_used_at=at)
        )

    def revoke_token(self, *, digest: str, at: datetime) -> bool:
        """Revoke a token.

        Say whether it was still good, so that a token for one use is used once.
        """
        result = self._session.execute(
            update(TokenRow)
            .where(TokenRow.digest == digest, TokenRow.revoked_at.is_(None))
            .values(revoked_at=at)
            .returning(TokenRow.id)
        )
        return result.first() is not None

    def revoke_with_descendants(self, token_id: int, *, at: datetime) -> None:
        """Revoke a token, and all that came of it."""
        self._revoke_all(select(TokenRow.id).where(TokenRow.id == token_id), at=at)

    def revoke_tokens_of(
        self,
        user: UserRow,
        *,
        at: datetime,
        kinds: Collection[str] | None = None,
        but: str | None = None,
    ) -> None:
        """Revoke a user's tokens, or those of some kinds, all ``but`` the one of this digest; with
        them what came of them, whoever holds it.
        """
        chosen = select(TokenRow.id).where(TokenRow.user_id == user.id)
        if kinds is not None:
            chosen = chosen.where(TokenRow.kind.in_(kinds))
        if but is not None:
            chosen = chosen.where(TokenRow.digest != but)
        self._revoke_all(chosen, at=at)

    def _revoke_all(self, chosen: Select[tuple[int]], *, at: datetime) -> None:
        """Revoke the tokens of these numbers and all their descendants."""
        line = chosen.cte("line", recursive=True)
        child = aliased(TokenRow)
        line = line.union(select(child.id).join(line, child.parent_id == line.c.id))
        self._session.execute(
            update(TokenRow)
            .where(TokenRow.id.in_(select(line.c.id)), TokenRow.revoked_at.is_(None))
            .values(revoked_at=at)
        )
