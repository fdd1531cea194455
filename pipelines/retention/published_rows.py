"""Rows of the serving database taken out for good, with the entry of the audit trail that proves it
and says which results are rightly gone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, String, cast, delete, select, text, true
from sqlalchemy.orm import Session

from pipelines.settings import Settings
from pipelines.storage.installation.signed_database import open_signed_database
from pipelines.storage.installation.terminal import terminal_user
from serving.casework.claims.tables import ClaimRow
from serving.casework.follow_ups.tables import FollowUpRow
from serving.casework.suppressions.tables import SuppressionRow
from serving.database.audit_chain import Action, record_action
from serving.database.engine import write_transaction
from serving.database.erasure import ErasedResults, erase_results
from serving.database.tables import (
    AlertRow,
    Base,
    DispositionRow,
    KeptAnswerRow,
    ScoreRow,
    SuspectListRow,
    SuspectRow,
    WatchlistRow,
)
from serving.notifications.webhooks.tables import DeliveryRow
from serving.operations.tables import ReportRow
from serving.outreach.tables import OutreachItemRow, OutreachListRow

__all__ = ["erase_old_rows", "erase_rows_of_person"]

Removal = tuple[type[Base], ColumnElement[bool]]


def erase_old_rows(
    settings: Settings,
    *,
    lists_before: datetime,
    scores_before: datetime,
    reports_before: datetime,
    at: datetime,
    counts: Mapping[str, int],
    before: Mapping[str, str],
) -> dict[str, int]:
    """Remove lists, alerts and all that was done about them of before ``lists_before``, scores and
    reports likewise; return how many rows of each class left.

    One entry of the audit trail says so, with the ``counts`` of what left elsewhere for its age and
    the moments ``before`` which each class was taken out.
    """
    with write_transaction(open_signed_database(settings)) as session:
        old_lists = select(WatchlistRow.id).where(WatchlistRow.at < lists_before)
        old_suspects = select(SuspectListRow.id).where(SuspectListRow.at < lists_before)
        old_outreach = select(OutreachListRow.id).where(OutreachListRow.issued_at < lists_before)
        old_scored = select(WatchlistRow.id).where(WatchlistRow.at < scores_before)
        gone = {
            "scores": _remove(
                session,
                (ScoreRow, ScoreRow.watchlist_id.in_(old_scored)),
                (ScoreRow, ScoreRow.watchlist_id.in_(old_lists)),
            ),
            "lists": _remove(
                session,
                (AlertRow, AlertRow.watchlist_id.in_(old_lists)),
                (SuspectRow, SuspectRow.list_id.in_(old_suspects)),
                (SuspectListRow, SuspectListRow.at < lists_before),
                (WatchlistRow, WatchlistRow.at < lists_before),
                (OutreachItemRow, OutreachItemRow.list.in_(old_outreach)),
                (OutreachListRow, OutreachListRow.issued_at < lists_before),
                (DeliveryRow, DeliveryRow.due_at < lists_before),
                (ClaimRow, ClaimRow.expires_at < lists_before),
                (FollowUpRow, FollowUpRow.closed_at < lists_before),
                (SuppressionRow, SuppressionRow.expires_at < lists_before),
            ),
            "reports": _remove(session, (ReportRow, ReportRow.at < reports_before)),
        }
        _write_over(session)
        results = erase_results(session, DispositionRow.decided_at < lists_before)
        gone["results"] = len(results.numbers)
        found = {name: number for name, number in {**counts, **gone}.items() if number}
        if found:
            _record(
                session,
                at=at,
                action="erased-by-age",
                subject="installation",
                results=results,
                counts=found,
                before=before,
            )
    return gone


def erase_rows_of_person(
    settings: Settings,
    *,
    person: str,
    held: Sequence[str],
    why: str,
    at: datetime,
    counts: Mapping[str, int],
) -> dict[str, int]:
    """Remove all rows about a ``person``, and those of suspects among the numbers and accounts that
    the person ``held``; return how many of each class left. One entry of the audit trail says so.
    """
    with write_transaction(open_signed_database(settings)) as session:
        alerts = select(AlertRow.alert_id).where(AlertRow.person == person)
        gone = {
            "alerts": _remove(
                session,
                (ClaimRow, ClaimRow.alert_id.in_(alerts)),
                (DeliveryRow, DeliveryRow.alert_id.in_(alerts)),
                (FollowUpRow, FollowUpRow.person == person),
                (SuppressionRow, SuppressionRow.person == person),
                (OutreachItemRow, OutreachItemRow.person == person),
                (AlertRow, AlertRow.person == person),
                (SuspectRow, SuspectRow.key.in_(list(held))),
                # Sealed, so nobody can tell in which of them the person is named
                (KeptAnswerRow, true()),
            ),
            "scores": _remove(session, (ScoreRow, ScoreRow.person == person)),
        }
        _write_over(session)
        # Of those who stay, that a number reached this person too
        beside = select(AlertRow).where(cast(AlertRow.touched, String).contains(person))
        for alert in session.scalars(beside):
            alert.touched = [one for one in alert.touched if one["person"] != person]
        results = erase_results(session, DispositionRow.person == person)
        gone["results"] = len(results.numbers)
        _record(
            session,
            at=at,
            action="person-erased",
            subject=person,
            results=results,
            counts={name: number for name, number in {**counts, **gone}.items() if number},
            reason=why,
        )
    return gone


def _remove(session: Session, *removals: Removal) -> int:
    _write_over(session)
    number = 0
    for table, condition in removals:
        done = session.execute(delete(table).where(condition))
        number += done.rowcount if isinstance(done, CursorResult) else 0
    return number


def _write_over(session: Session) -> None:
    """Let SQLite write over what is deleted, so that nothing stays behind in free pages."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))


def _record(
    session: Session,
    *,
    at: datetime,
    action: Action,
    subject: str,
    results: ErasedResults,
    **said: Any,
) -> None:
    record_action(
        session,
        at=at,
        actor=terminal_user(),
        action=action,
        subject=subject,
        results_erased=results.numbers,
        results_digest=results.digest,
        **said,
    )
