"""The users and the audit trail of an installation, for whoever sits at its terminal."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from pipelines.clock import wall_clock
from pipelines.settings import Settings
from pipelines.storage.installation.databases import open_serving_database
from serving.access.users import service, tokens
from serving.access.users.schemas import IssuedToken, NewToken, User, UserChanges
from serving.database.audit_chain import Verdict, verify_chain
from serving.database.engine import read_transaction, write_transaction
from serving.vocabulary.roles import Role

__all__ = [
    "add_user",
    "disable_user",
    "invitation_link",
    "issue_token",
    "list_users",
    "login_link",
    "terminal_user",
    "verify_audit_trail",
]


def add_user(settings: Settings, *, name: str, role: str, communities: tuple[str, ...]) -> str:
    """Add a user; return the token that is shown this once."""
    with _writing_session(settings) as session:
        return service.add_user(
            session,
            name=name,
            role=Role(role),
            at=wall_clock(),
            communities=communities,
            actor=terminal_user(),
        )


def list_users(settings: Settings) -> list[User]:
    """Every user by name."""
    with _reading_session(settings) as session:
        return service.list_users(session)


def login_link(settings: Settings, *, name: str, role: str, host: str, port: int) -> str:
    """A link that logs ``name`` in once, within half an hour; the user is made if missing."""
    with _writing_session(settings) as session:
        now = wall_clock()
        if name not in {user.name for user in service.list_users(session)}:
            service.create_user(session, name=name, role=Role(role), at=now, actor=terminal_user())
        token = tokens.issue_token(session, name=name, at=now, kind="login")
    return f"http://{host}:{port}/login?token={token}"


def invitation_link(settings: Settings, *, name: str) -> str:
    """A link with which the user chooses a password; the one of before, and every session, ends."""
    serving = settings.serving
    with _writing_session(settings) as session:
        lifetime = timedelta(hours=serving.invitation_hours)
        invitation = service.invite_user(
            session, name=name, lifetime=lifetime, at=wall_clock(), actor=terminal_user()
        )
    return (serving.public_url or "http://127.0.0.1:8000").rstrip("/") + invitation.path


def issue_token(
    settings: Settings, *, user: str, name: str, days: int, read_only: bool, manages: bool
) -> IssuedToken:
    """A machine's token of the user; its secret is shown this once."""
    new = NewToken(name=name, days=days, read_only=read_only, manages=manages)
    longest = timedelta(days=settings.serving.token_days)
    with _writing_session(settings) as session:
        return tokens.issue_machine_token(
            session, user=user, new=new, longest=longest, at=wall_clock(), actor=terminal_user()
        )


def disable_user(settings: Settings, *, name: str, restore: bool) -> None:
    """Disable the user at once, with every token, or enable them again."""
    with _writing_session(settings) as session:
        changes = UserChanges(disabled=not restore)
        service.change_user(
            session, name=name, changes=changes, at=wall_clock(), actor=terminal_user()
        )


def verify_audit_trail(settings: Settings, *, head: str | None) -> Verdict:
    """Whether the audit trail is whole, and still holds the entry with the digest ``head``."""
    with _reading_session(settings) as session:
        return verify_chain(session, head=head)


def terminal_user() -> str:
    """Whoever sits at the terminal, for the audit."""
    return getpass.getuser()


@contextmanager
def _writing_session(settings: Settings) -> Iterator[Session]:
    with write_transaction(_open_engine(settings)) as session:
        yield session


@contextmanager
def _reading_session(settings: Settings) -> Iterator[Session]:
    with read_transaction(_open_engine(settings)) as session:
        yield session


def _open_engine(settings: Settings) -> Engine:
    settings.home.mkdir(
        parents=True, exist_ok=True
    )  # users are often the first thing of a new installation
    return open_serving_database(settings)
