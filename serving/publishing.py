"""Publishing: what the pipelines hand to the people who act on it.

A watchlist is published in one transaction: a reader sees the list before or the list after, never
half of one, and a publisher killed half-way leaves the old list as it is.
"""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data_contracts.errors import ConflictError
from serving.alerts.scores import ScoreRepository
from serving.alerts.suspects.repository import SuspectRepository
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.database.engine import write_transaction
from serving.database.tables import AlertRow, SuspectListRow, SuspectRow, WatchlistRow
from serving.notifications.live.repository import ChangeRepository
from serving.notifications.live.service import announce_change
from serving.notifications.webhooks.outbox import enqueue_alerts
from serving.vocabulary.alerts import (
    URGENCY,
    Contribution,
    Kind,
    Level,
    Reason,
    SuspectKind,
    TimelineEvent,
    TouchedResident,
)

__all__ = [
    "CHANGES_KEPT",
    "SCORES_KEPT",
    "Alert",
    "PublishedSuspect",
    "Watchlist",
    "alert_id_of",
    "publish_suspects",
    "publish_watchlist",
]

LATER_FIELDS = frozenset({"already_paid_cny", "just_paid"})
SCORES_KEPT = timedelta(days=90)
CHANGES_KEPT = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """The statement that ``person`` (a pseudonym) is probably in an episode now.

    ``score`` is the calibrated probability, 0 to 1; ``baseline_score`` is what today's rule says;
    ``base_value`` is the log-odds the contributions start from. ``at_stake_cny`` is the
    typical loss of the scam type; ``saving_cny`` what a warning can be expected to save: the
    probability times, over the types it could be, the typical loss not yet paid times the chance
    that a warning works.
    ``already_paid_cny`` is what has gone to new accounts outside the district, given only where it
    is so much that the main payment seems to be among it: then the money has to be stopped.
    ``missing`` names what says nothing about this person: a kind of records (``calls``,
    ``transfers``), one source of it (``transfers:icbc``), or that source since a day
    (``transfers:icbc:2026-07-03``). ``timeline`` is what was known of the last days, the newest
    last, ``touched`` whom else the suspects reached, ``first_contact_at`` when the first suspect
    was first heard of. Raises ValueError for a level that does not exist, a score outside 0 to 1, a
    rank below 1, a saving below 0, nothing paid or a time without a zone.
    """

    person: str
    rank: int
    issued_at: datetime
    score: float
    baseline_score: float
    level: Level
    scam_type: str
    community_id: str
    grid_id: str
    at_stake_cny: float | None
    reasons: tuple[Reason, ...]
    contributions: tuple[Contribution, ...]
    base_value: float
    realert: bool = False
    missing: tuple[str, ...] = ()
    age_band: str | None = None
    suspect_numbers: tuple[str, ...] = ()
    suspect_accounts: tuple[str, ...] = ()
    saving_cny: float | None = None
    already_paid_cny: float | None = None
    first_contact_at: datetime | None = None
    timeline: tuple[TimelineEvent, ...] = ()
    touched: tuple[TouchedResident, ...] = ()

    def __post_init__(self) -> None:
        if self.level not in URGENCY:
            raise ValueError(f"level must be one of {', '.join(URGENCY)}")
        if not 0 <= self.score <= 1:
            raise ValueError("score must be a probability")
        if self.rank < 1:
            raise ValueError("rank counts from 1")
        if self.saving_cny is not None and self.saving_cny < 0:
            raise ValueError("saving_cny must not be negative")
        if self.already_paid_cny is not None and not 0 < self.already_paid_cny < math.inf:
            raise ValueError("already_paid_cny is an amount or nothing")
        if self.issued_at.tzinfo is None or (
            self.first_contact_at and self.first_contact_at.tzinfo is None
        ):
            raise ValueError("issued_at and first_contact_at need a zone")


@dataclass(frozen=True, kw_only=True)
class Watchlist:
    """The ranked alerts of the moment ``at``, with the versions they can be made again from.

    A ``nightly`` list opens a day; an ``intraday`` list adds to it and holds only what is new.
    ``budget`` is the number of alerts a calendar day may hold. ``scores`` are those that the
    history keeps, by person; they need no alert. Raises ValueError when a person or a rank is on
    the list twice.
    """

    at: datetime
    kind: Kind
    model_version: str
    model_digest: str
    data_version: str
    contract_version: str
    budget: int
    residents_scored: int
    alerts: tuple[Alert, ...]
    scores: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at needs a zone")
        if len({alert.person for alert in self.alerts}) < len(self.alerts):
            raise ValueError("a person stands on the list twice")
        if len({alert.rank for alert in self.alerts}) < len(self.alerts):
            raise ValueError("a rank is given twice")


@dataclass(frozen=True, kw_only=True)
class PublishedSuspect:
    """A number or an account (``key``, a pseudonym) that fraud is likely done with.

    ``score`` is 0 to 1; ``peer_kind`` is the kind of the number (``virtual``, ``international``, …)
    or the bank of the account. ``residents_reached`` and ``residents_7d`` count residents in all
    and in the last 7 days, ``alerts`` the people with an open alert. ``facts`` are a few more
    numbers by name, with the unit in the name. Raises ValueError for a key of another kind, a score
    outside 0 to 1, a count below 0 or a time without a zone.
    """

    kind: SuspectKind
    key: str
    score: float
    peer_kind: str
    first_seen_at: datetime | None
    residents_reached: int
    residents_7d: int
    alerts: int
    named_in_case: bool
    facts: Mapping[str, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.key.startswith({"number": "n", "account": "a"}[self.kind]):
            raise ValueError("the key is none of this kind")
        if not 0 <= self.score <= 1:
            raise ValueError("score must lie between 0 and 1")
        if min(self.residents_reached, self.residents_7d, self.alerts) < 0:
            raise ValueError("counts must not be negative")
        if self.first_seen_at is not None and self.first_seen_at.tzinfo is None:
            raise ValueError("first_seen_at needs a zone")


def publish_watchlist(engine: Engine, watchlist: Watchlist) -> int:
    """Publish ``watchlist`` as a whole and return its number.

    Publishing the same content of the same (at, kind) again changes nothing; other content becomes
    a new revision that takes the place of the old one at once, under the same alert ids. The schema
    must be there (``open_database``). Raises ConflictError if somebody else publishes the same list
    at this very moment.
    """
    digest = _digest(_without_later_fields(_plain(asdict(watchlist))))
    try:
        with write_transaction(engine) as session:
            lists = WatchlistRepository(session)
            current = lists.current(at=watchlist.at, kind=watchlist.kind)
            if current and current.content_digest == digest:
                return current.id
            if current:
                lists.supersede(current)
            row = lists.add(
                _watchlist_row(
                    watchlist, digest=digest, revision=current.revision + 1 if current else 1
                )
            )
            ScoreRepository(session).add(row.id, watchlist.scores)
            ScoreRepository(session).forget(before=watchlist.at - SCORES_KEPT)
            enqueue_alerts(session, row.alerts)
            known = {alert.person for alert in current.alerts} if current else set()
            _announce(
                session, row, fresh=[alert for alert in row.alerts if alert.person not in known]
            )
            return row.id
    # On PostgreSQL only; on SQLite the second writer waits and sees what the first one wrote
    except IntegrityError:
        raise ConflictError(
            "somebody else is publishing this list", remedy="Publish it again."
        ) from None


def publish_suspects(engine: Engine, *, at: datetime, suspects: Sequence[PublishedSuspect]) -> int:
    """Publish the suspects of the moment ``at`` as a whole, in any order, and return the number of
    their list.

    The same content of the same moment changes nothing; other content becomes a new revision. An
    empty list says that nobody is suspected. Raises ValueError for a key that stands on the list
    twice or a moment without a zone, ConflictError if somebody else publishes the same list at this
    very moment.
    """
    if at.tzinfo is None:
        raise ValueError("at needs a zone")
    if len({suspect.key for suspect in suspects}) < len(suspects):
        raise ValueError("a key stands on the list twice")
    ordered = sorted(suspects, key=lambda suspect: (-suspect.score, suspect.key))
    digest = _digest([_plain(vars(suspect)) for suspect in ordered])
    try:
        with write_transaction(engine) as session:
            lists = SuspectRepository(session)
            current = lists.current(at=at)
            if current and current.content_digest == digest:
                return current.id
            if current:
                lists.supersede(current)
            revision = current.revision + 1 if current else 1
            row = SuspectListRow(
                at=at, revision=revision, content_digest=digest, suspects=_suspect_rows(ordered)
            )
            return lists.add(row).id
    except IntegrityError:  # see publish
        raise ConflictError(
            "somebody else is publishing these suspects", remedy="Publish them again."
        ) from None


def alert_id_of(*, at: datetime, kind: str, person: str) -> str:
    """Return the public id of a person's alert on the list of (at, kind): the same in every
    revision.
    """
    key = f"{at.astimezone(UTC).isoformat()}|{kind}|{person}"
    return "al_" + hashlib.sha256(key.encode()).hexdigest()[:20]


def _announce(session: Session, row: WatchlistRow, *, fresh: Sequence[AlertRow]) -> None:
    communities = Counter(alert.community_id for alert in fresh)
    announce_change(session, topic="list", subject=str(row.id), at=row.at, communities=communities)
    ChangeRepository(session).forget(before=row.at - CHANGES_KEPT)


def _watchlist_row(watchlist: Watchlist, *, digest: str, revision: int) -> WatchlistRow:
    fields = {
        name: value for name, value in vars(watchlist).items() if name not in {"alerts", "scores"}
    }
    alerts = [
        AlertRow(
            alert_id=alert_id_of(at=watchlist.at, kind=watchlist.kind, person=alert.person),
            urgency=URGENCY[alert.level],
            **_plain(asdict(alert))
            | {"issued_at": alert.issued_at, "first_contact_at": alert.first_contact_at},
        )
        for alert in watchlist.alerts
    ]
    return WatchlistRow(**fields, revision=revision, content_digest=digest, alerts=alerts)


def _suspect_rows(ordered: Sequence[PublishedSuspect]) -> list[SuspectRow]:
    ranks: dict[SuspectKind, int] = defaultdict(int)
    rows = []
    for suspect in ordered:
        ranks[suspect.kind] += 1
        fields = vars(suspect) | {"facts": _plain(suspect.facts)}
        rows.append(SuspectRow(**fields, rank=ranks[suspect.kind]))
    return rows


def _without_later_fields(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out what lists of before did not have, where it says nothing: the same list published
    before and after an upgrade is one list.
    """

    def known_before(said: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: value
            for key, value in said.items()
            if key not in LATER_FIELDS or value is not None
        }

    alerts = [
        known_before(alert | {"timeline": [known_before(one) for one in alert["timeline"]]})
        for alert in content["alerts"]
    ]
    return content | {"alerts": alerts}


def _digest(content: Any) -> str:
    return hashlib.sha256(
        json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    ).hexdigest()


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it: moments in UTC, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
