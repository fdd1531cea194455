"""Reading the queue: what waits for somebody, in the order in which it should be taken."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from serving.alerts.schemas import summary_of
from serving.alerts.scores import ScoreRepository
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.casework.claims.schemas import Claim
from serving.casework.claims.service import take_alert
from serving.casework.claims.tables import ClaimRow
from serving.casework.queue.changes import changes_since
from serving.casework.queue.repository import QueueEntry, QueueRepository
from serving.casework.queue.schemas import (
    EVERY,
    ME,
    NOBODY,
    PAGE,
    WAITING,
    Queue,
    QueueItem,
    QueueQuery,
)
from serving.context.settings import ServingSettings
from serving.http.errors import ProblemError
from serving.notifications.live.repository import ChangeRepository
from serving.vocabulary.roles import Viewer

__all__ = ["build_queue", "queue_entries", "queue_item", "take_next"]

Condition = Callable[[QueueEntry], bool]


def queue_entries(
    session: Session, *, viewer: Viewer, at: datetime, settings: ServingSettings
) -> list[QueueEntry]:
    """Return the newest alert of each person of the last days, the most urgent first, settled ones
    among them.

    The days are counted back from the latest list: where lists stopped coming, their alerts still
    wait.
    """
    latest = WatchlistRepository(session).latest()
    if latest is None:
        return []
    since = min(latest.at, at) - timedelta(days=settings.queue_days)
    return QueueRepository(session).entries(viewer=viewer, since=since, at=at)


def build_queue(
    session: Session, *, viewer: Viewer, query: QueueQuery, at: datetime, settings: ServingSettings
) -> Queue:
    """Return one page of the queue that ``query`` asks for, with what changed in it."""
    latest = WatchlistRepository(session).latest()
    entries = queue_entries(session, viewer=viewer, at=at, settings=settings)
    waiting = [entry for entry in entries if entry.waits(at=at)]
    positions = {entry.alert.alert_id: number for number, entry in enumerate(waiting, start=1)}
    matching = [
        entry
        for entry in entries
        if all(condition(entry) for condition in _conditions(query, viewer=viewer, at=at))
    ]
    start = (query.page - 1) * PAGE
    shown = matching[start : start + PAGE]
    scores = _latest_scores(session, shown)

    def item(entry: QueueEntry) -> QueueItem:
        position = positions.get(entry.alert.alert_id, 0)
        return queue_item(
            entry,
            position=position,
            score_now=scores.get(entry.alert.person),
            at=at,
            settings=settings,
        )

    return Queue(
        at=latest.at if latest else None,
        waiting=len(waiting),
        overdue=sum(_act_by(entry, settings=settings) < at for entry in waiting),
        unclaimed=sum(entry.claim is None for entry in waiting),
        mine=sum(
            entry.claim is not None and entry.claim.claimed_by == viewer.name for entry in waiting
        ),
        matching=len(matching),
        items=[item(entry) for entry in shown],
        next_page=query.page + 1 if len(matching) > start + PAGE else None,
        last_change=ChangeRepository(session).last(),
        changes=changes_since(session, waiting, viewer=viewer, since=query.since, at=at),
        scam_types=sorted({entry.alert.scam_type for entry in entries}),
        communities=sorted({entry.alert.community_id for entry in entries}),
        assignees=sorted({entry.claim.claimed_by for entry in entries if entry.claim}),
    )


def queue_item(
    entry: QueueEntry,
    *,
    position: int,
    score_now: float | None,
    at: datetime,
    settings: ServingSettings,
) -> QueueItem:
    """Return an alert with its clock, its lead and whoever has it."""
    alert, waits = entry.alert, entry.waits(at=at)
    act_by = _act_by(entry, settings=settings) if waits else None
    return QueueItem(
        **summary_of(alert, entry.last) | {"level": entry.level},
        position=position,
        waits=waits,
        act_by=act_by,
        overdue=act_by is not None and act_by < at,
        lead_since=alert.first_contact_at or alert.issued_at,
        lead_from="contact" if alert.first_contact_at else "alert",
        claim=Claim.model_validate(entry.claim) if entry.claim else None,
        score_now=score_now,
    )


def _act_by(entry: QueueEntry, *, settings: ServingSettings) -> datetime:
    """Return until when the person should have been reached."""
    return entry.alert.issued_at + timedelta(minutes=settings.act_within_minutes[entry.level])


def _conditions(query: QueueQuery, *, viewer: Viewer, at: datetime) -> list[Condition]:
    """Return the conditions of the query, all of which a matching alert meets."""
    conditions: list[Condition] = []
    if query.level:
        conditions.append(lambda entry: entry.level == query.level)
    if query.scam_type:
        conditions.append(lambda entry: entry.alert.scam_type == query.scam_type)
    if query.community_id:
        conditions.append(lambda entry: entry.alert.community_id == query.community_id)
    if query.status == WAITING:
        conditions.append(lambda entry: entry.waits(at=at))
    elif query.status != EVERY:
        conditions.append(
            lambda entry: (entry.last.result if entry.last else "open") == query.status
        )
    if query.assignee == NOBODY:
        conditions.append(lambda entry: entry.claim is None)
    elif query.assignee:
        name = viewer.name if query.assignee == ME else query.assignee
        conditions.append(lambda entry: entry.claim is not None and entry.claim.claimed_by == name)
    return conditions


def _latest_scores(session: Session, entries: Sequence[QueueEntry]) -> Mapping[str, float]:
    """Return the last score of each person that is newer than the alert."""
    if not entries:
        return {}
    issued = {entry.alert.person: entry.alert.issued_at for entry in entries}
    known = ScoreRepository(session).of_people(list(issued), since=min(issued.values()))
    return {person: score for person, _, moment, score in known if moment > issued[person]}


def take_next(
    session: Session, *, viewer: Viewer, at: datetime, settings: ServingSettings
) -> ClaimRow:
    """Claim the most urgent alert that waits and is with nobody.

    Of two who ask at once each gets another one. Raises a 404 problem when nothing is left to take.
    """
    for entry in queue_entries(session, viewer=viewer, at=at, settings=settings):
        if entry.claim is None and entry.waits(at=at):
            taken = take_alert(session, entry.alert, viewer=viewer, at=at, settings=settings)
            if taken is not None:
                return taken
    raise ProblemError(
        404, "No alert waits for somebody to take it.", remedy="Look again after the next list."
    )
