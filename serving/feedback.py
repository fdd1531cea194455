"""What comes back from the people who act on alerts: results, and who is not to be alerted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from serving.alerts.disposition_repository import DispositionRepository
from serving.alerts.repository import AlertRepository
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.casework.suppressions.repository import SuppressionRepository
from serving.database.engine import read_transaction
from serving.vocabulary.alerts import Kind

__all__ = [
    "RecentAlert",
    "RecordedDisposition",
    "SuppressedPerson",
    "all_dispositions",
    "data_version_of_list",
    "first_number",
    "recent_alerts",
    "suppressed_people",
]


@dataclass(frozen=True, kw_only=True)
class RecentAlert:
    """What de-duplication must know of an alert that still counts; ``watchlist`` is the number of
    its list: a list published later has a greater one.
    """

    person: str
    issued_at: datetime
    at: datetime
    kind: str
    level: str
    score: float
    repeat: bool
    at_stake_cny: float | None
    status: str
    snoozed_until: datetime | None
    watchlist: int = 0


@dataclass(frozen=True, kw_only=True)
class RecordedDisposition:
    """What somebody found about an alert, for the labels; free text stays in the serving database.

    It was found at ``found_at`` and written down at ``decided_at``; only from then on is it known.
    ``merged_into`` is the alert that this one repeats.
    """

    alert_id: str
    person: str
    scam_type: str
    issued_at: datetime
    result: str
    decided_at: datetime
    version: int
    found_at: datetime
    paid_cny: float | None
    merged_into: str | None


@dataclass(frozen=True, kw_only=True)
class SuppressedPerson:
    """A person whom somebody wants not to be alerted before ``until``, noted at ``since``; new
    money that moves after ``since`` still raises an alert.
    """

    person: str
    since: datetime
    until: datetime


def recent_alerts(engine: Engine, since: datetime) -> list[RecentAlert]:
    """Return the alerts issued at or after ``since`` and those snoozed beyond it, oldest first."""
    with read_transaction(engine) as session:
        return [
            RecentAlert(
                person=alert.person,
                issued_at=alert.issued_at,
                at=alert.watchlist.at,
                kind=alert.watchlist.kind,
                level=alert.level,
                score=alert.score,
                repeat=alert.realert,
                at_stake_cny=alert.at_stake_cny,
                status=decision.result if decision else "open",
                snoozed_until=decision.snoozed_until if decision else None,
                watchlist=alert.watchlist.id,
            )
            for alert, decision in AlertRepository(session).recent(since)
        ]


def data_version_of_list(engine: Engine, *, at: datetime) -> str | None:
    """Return the version of the data that the list of a moment was made from; None if there is
    none.
    """
    with read_transaction(engine) as session:
        return WatchlistRepository(session).data_version(at=at)


def first_number(engine: Engine, *, at: datetime, kind: Kind) -> int | None:
    """Return the number under which the list of (at, kind) was first published; None if it never
    was.
    """
    with read_transaction(engine) as session:
        return WatchlistRepository(session).first_number(at=at, kind=kind)


def suppressed_people(engine: Engine, at: datetime) -> list[SuppressedPerson]:
    """Return who is not to be alerted at ``at``: their last alert was put off, or they are
    suppressed.
    """
    with read_transaction(engine) as session:
        put_off = [
            SuppressedPerson(
                person=alert.person, since=decision.decided_at, until=decision.snoozed_until
            )
            for alert, decision in AlertRepository(session).put_off(at)
        ]
        suppressed = [
            SuppressedPerson(person=row.person, since=row.created_at, until=row.expires_at)
            for row in SuppressionRepository(session).in_force(at)
        ]
    return [*put_off, *suppressed]


def all_dispositions(engine: Engine) -> list[RecordedDisposition]:
    """Return every disposition, oldest first.

    The highest ``version`` of an alert is its last one.
    """
    with read_transaction(engine) as session:
        return [
            RecordedDisposition(
                alert_id=decision.alert_id,
                person=decision.person,
                scam_type=alert.scam_type,
                issued_at=alert.issued_at,
                result=decision.result,
                decided_at=decision.decided_at,
                version=decision.version,
                found_at=decision.found_at or decision.decided_at,
                paid_cny=decision.paid_cny,
                merged_into=decision.merged_into,
            )
            for decision, alert in DispositionRepository(session).with_alerts()
        ]
