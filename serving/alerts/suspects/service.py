"""Reading suspects, and revealing one of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy.orm import Session

from serving.access.reveals import record_reveal
from serving.access.vault import opened_vault
from serving.alerts.suspects.repository import SuspectRepository
from serving.alerts.suspects.schemas import RevealedSuspect, Suspect, SuspectDetail, SuspectPage
from serving.context.ports import IdentityVault
from serving.context.settings import AccessSettings
from serving.database.tables import SuspectListRow, SuspectRow
from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from serving.vocabulary.alerts import SuspectKind
from serving.vocabulary.roles import Role, Viewer

__all__ = [
    "READERS",
    "REVEALERS",
    "published_keys",
    "reveal_suspect",
    "suspect_detail",
    "suspect_page",
]

READERS = (Role.ANALYST, Role.ENGINEER, Role.ADMIN)
REVEALERS = (Role.ANALYST, Role.ADMIN)


def suspect_page(
    session: Session, *, kind: SuspectKind, cursor: str | None, limit: int
) -> SuspectPage:
    """Return one page of the latest suspects of a kind, the likeliest first.

    A cursor stays with the list it began on, so that a list published meanwhile neither repeats nor
    hides a suspect.
    """
    suspects = SuspectRepository(session)
    chosen, after_rank = _position(suspects, kind=kind, cursor=cursor)
    if chosen is None:
        return SuspectPage(at=None, counts={"number": 0, "account": 0}, items=[], next_cursor=None)
    rows = suspects.page(chosen.id, kind=kind, after_rank=after_rank, limit=limit + 1)
    shown, counts = rows[:limit], suspects.counts(chosen.id)
    return SuspectPage(
        at=chosen.at,
        counts={"number": counts.get("number", 0), "account": counts.get("account", 0)},
        items=[Suspect.model_validate(row) for row in shown],
        next_cursor=encode_cursor(kind, chosen.id, shown[-1].rank) if len(rows) > limit else None,
    )


def suspect_detail(session: Session, *, key: str) -> SuspectDetail:
    """Return what was last published about a suspect; a 404 problem where nothing was."""
    row = _published(session, key)
    return SuspectDetail(**Suspect.model_validate(row).model_dump(), at=row.suspect_list.at)


def reveal_suspect(
    session: Session,
    *,
    viewer: Viewer,
    key: str,
    reason: str,
    vault: IdentityVault | None,
    settings: AccessSettings,
    at: datetime,
) -> RevealedSuspect:
    """Return the number or account behind the pseudonym of a published suspect, and audit who read
    it and why.

    Raises a 404 problem for a key that was never published or that the vault does not hold, a 503
    problem without a vault, a 429 problem after too many in an hour. Commit the session before the
    answer is handed out.
    """
    kind = cast("SuspectKind", _published(session, key).kind)
    value = opened_vault(vault).reveal(kind, [key]).get(key)
    if value is None:
        raise ProblemError(404, "The vault does not hold what is behind this pseudonym.")
    record_reveal(session, viewer=viewer, subject=key, reason=reason, settings=settings, at=at)
    return RevealedSuspect(key=key, kind=kind, value=value)


def published_keys(session: Session, *, keys: Sequence[str]) -> frozenset[str]:
    """Return which of ``keys`` can be looked up."""
    return SuspectRepository(session).published(keys)


def _published(session: Session, key: str) -> SuspectRow:
    row = SuspectRepository(session).get(key)
    if row is None:
        raise ProblemError(404, "No such number or account has been published as a suspect.")
    return row


def _position(
    suspects: SuspectRepository, *, kind: SuspectKind, cursor: str | None
) -> tuple[SuspectListRow | None, int]:
    if cursor is None:
        return suspects.latest(), 0
    of_kind, list_id, rank = decode_cursor(cursor, str, int, int)
    chosen = suspects.get_list(list_id)
    if of_kind != kind or chosen is None:
        raise ProblemError(
            400, "The cursor belongs to another list.", remedy="Start again without a cursor."
        )
    return chosen, rank
