"""The SQL of users and their tokens."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from serving.tables import TokenRow, UserRow

__all__ = ["UserRepository"]


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

    def valid_token(self, *, digest: str, kind: str, now: datetime) -> TokenRow | None:
        """Return the token if it is neither expired nor revoked and its user may still come in."""
        return self._session.scalar(
            select(TokenRow)
            .join(TokenRow.user)
            .where(
                TokenRow.digest == digest,
                TokenRow.kind == kind,
                TokenRow.expires_at > now,
                TokenRow.revoked_at.is_(None),
                UserRow.disabled_at.is_(None),
            )
        )

    def revoke_token(self, *, digest: str, at: datetime) -> bool:
        """Revoke a token; say whether it was still good, so that a token for one use is used once."""
        result = self._session.execute(
            update(TokenRow)
            .where(TokenRow.digest == digest, TokenRow.revoked_at.is_(None))
            .values(revoked_at=at)
            .returning(TokenRow.id)
        )
        return result.first() is not None

    def revoke_tokens_of(self, user: UserRow, *, at: datetime) -> None:
        """Revoke every token a user holds."""
        self._session.execute(
            update(TokenRow).where(TokenRow.user_id == user.id, TokenRow.revoked_at.is_(None)).values(revoked_at=at)
        )
