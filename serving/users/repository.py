"""The SQL of users and their tokens."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, true, update
from sqlalchemy.orm import Session

from serving.tables import TokenRow, UserRow

__all__ = ["PAGE_KINDS", "UserRepository"]

PAGE_KINDS = ("session", "renewal")


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

    def add(self, user: UserRow) -> UserRow:
        """Add a user."""
        self._session.add(user)
        self._session.flush()
        return user

    def add_token(self, token: TokenRow) -> None:
        """Add a token, given as its digest."""
        self._session.add(token)
        self._session.flush()

    def valid_token(
        self, *, digest: str, kinds: Collection[str], now: datetime, idle_since: datetime | None = None
    ) -> TokenRow | None:
        """Return the token if it is neither expired nor revoked and its user may still come in.

        A token of the pages (``session``, ``renewal``) must have been used after ``idle_since``; a token that was made
        narrower than its user does not outgrow them when their role changes.
        """
        used_at = func.coalesce(TokenRow.last_used_at, TokenRow.created_at)
        fresh = true() if idle_since is None else or_(TokenRow.kind.not_in(PAGE_KINDS), used_at > idle_since)
        return self._session.scalar(
            select(TokenRow)
            .join(TokenRow.user)
            .where(
                TokenRow.digest == digest,
                TokenRow.kind.in_(kinds),
                TokenRow.expires_at > now,
                TokenRow.revoked_at.is_(None),
                UserRow.disabled_at.is_(None),
                or_(TokenRow.role.is_(None), TokenRow.role == UserRow.role, UserRow.role == "admin"),
                fresh,
            )
        )

    def note_use(self, token_id: int, *, at: datetime) -> None:
        """Note that a token was used."""
        self._session.execute(update(TokenRow).where(TokenRow.id == token_id).values(last_used_at=at))

    def revoke_token(self, *, digest: str, at: datetime) -> bool:
        """Revoke a token; say whether it was still good, so that a token for one use is used once."""
        result = self._session.execute(
            update(TokenRow)
            .where(TokenRow.digest == digest, TokenRow.revoked_at.is_(None))
            .values(revoked_at=at)
            .returning(TokenRow.id)
        )
        return result.first() is not None

    def revoke_tokens_of(self, user: UserRow, *, at: datetime, kinds: Collection[str] | None = None) -> None:
        """Revoke every token a user holds, or those of some kinds."""
        statement = update(TokenRow).where(TokenRow.user_id == user.id, TokenRow.revoked_at.is_(None))
        if kinds is not None:
            statement = statement.where(TokenRow.kind.in_(kinds))
        self._session.execute(statement.values(revoked_at=at))
