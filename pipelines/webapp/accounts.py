"""The users and the audit trail of an installation, for whoever sits at its terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from data_contracts.errors import ConflictError, SettingsError
from pipelines.clock import wall_clock
from pipelines.settings import Settings
from pipelines.storage.installation.audit_key import AuditKey
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.installation.signed_database import open_audit_key, open_signed_database
from pipelines.storage.installation.terminal import terminal_user
from pipelines.webapp.communities import require_communities
from serving.access.users import service, tokens
from serving.access.users.schemas import IssuedToken, NewToken, User, UserChanges
from serving.database.audit_chain import record_action
from serving.database.audit_check import Verdict, verify_chain
from serving.database.audit_signature import Head, anchor_code, anchor_line, read_anchors
from serving.database.engine import read_transaction, write_transaction
from serving.vocabulary.roles import Role

__all__ = [
    "add_user",
    "anchor_audit_trail",
    "disable_user",
    "invitation_link",
    "issue_token",
    "list_users",
    "login_link",
    "record_person_export",
    "record_reveal_at_terminal",
    "reset_second_factor",
    "verify_audit_trail",
]


def add_user(settings: Settings, *, name: str, role: str, communities: tuple[str, ...]) -> str:
    """Add a user; return the token that is shown this once.

    Raises ``SettingsError`` for a community in which nobody lives.
    """
    require_communities(settings, communities)
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


def reset_second_factor(settings: Settings, *, name: str) -> None:
    """Remove the second factor of a user whose device is lost, and end their sessions."""
    with _writing_session(settings) as session:
        service.reset_factor(session, name=name, at=wall_clock(), actor=terminal_user())


def verify_audit_trail(
    settings: Settings, *, head: str | None = None, anchor: str | None = None
) -> Verdict:
    """Whether the audit trail and the results are whole, and the trail still holds the newest head
    that is kept beside the key, the one with the digest ``head``, and those of ``anchor``: a file
    of signed lines, or a code.

    Raises ``SettingsError`` for an anchor that was not made with the key of the installation.
    """
    engine = open_serving_database(settings)
    key = open_audit_key(settings, engine)
    kept = key.kept_head()
    heads = [one for one in (head, kept.digest if kept else None) if one]
    if anchor is not None:
        file = Path(anchor)
        # What is no text was not made here either
        said = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else anchor
        found = read_anchors(said, public_key=key.public_key)
        if found is None:
            raise SettingsError(
                "the anchor was not made here, or was changed",
                remedy="Give the file or the code that `forestall audit anchor` made.",
            )
        heads += found
    # As it stands: nothing is signed by looking at it
    with read_transaction(engine) as session:
        return verify_chain(session, heads=heads, public_key=key.public_key)


def anchor_audit_trail(settings: Settings) -> tuple[str, str]:
    """How far the trail goes, as a signed line and as a code short enough for paper.

    Raises ``ConflictError`` where the trail is not whole: that is nothing to be kept.
    """
    verdict = verify_audit_trail(settings)
    if not verdict.whole or not verdict.entries:
        raise ConflictError(
            "the audit trail is not whole, or empty",
            remedy="See what is wrong with `forestall audit verify`.",
        )
    head = Head(entry_id=verdict.head_id, digest=verdict.head)
    line = anchor_line(AuditKey.open(settings, makes=False), head=head, at=wall_clock())
    return line, anchor_code(head)


def record_reveal_at_terminal(
    settings: Settings, *, subject: str, out: Path | None, rows: int | None = None
) -> None:
    """Audit that raw identifiers are shown at the terminal, or written into a file, before they
    are.
    """
    with _writing_session(settings) as session:
        record_action(
            session,
            at=wall_clock(),
            actor=terminal_user(),
            action="reveal",
            subject=subject,
            reason="at the terminal",
            rows=rows,
            file=out.name if out else "",
        )


def record_person_export(
    settings: Settings, *, subject: str, why: str, out: Path, at: datetime
) -> None:
    """Audit that all that is kept about a person is written into a file, before it is."""
    with _writing_session(settings) as session:
        record_action(
            session,
            at=at,
            actor=terminal_user(),
            action="person-exported",
            subject=subject,
            reason=why,
            file=out.name,
        )


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
    return open_signed_database(settings)
