"""What changed in the queue since somebody last looked: who entered, left or moved, and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from serving.alerts.scores import ScoreRepository
from serving.casework.queue.repository import QueueEntry, QueueRepository
from serving.casework.queue.schemas import Change, Changes, Why
from serving.notifications.live.repository import ChangeRepository
from serving.notifications.live.tables import ChangeRow
from serving.vocabulary.roles import Viewer

__all__ = ["changes_since"]

NOTEWORTHY = 0.05  # a score that moved less is no news
MOST = 1000
SCORES_BACK = timedelta(days=7)


def changes_since(
    session: Session,
    waiting: Sequence[QueueEntry],
    *,
    viewer: Viewer,
    since: int | None,
    at: datetime,
) -> Changes:
    """Return what changed in the queue ``waiting`` since change ``since``, else since just before
    the latest list.
    """
    number = _just_before_the_latest(session) if since is None else since
    happened = ChangeRepository(session).after(number, limit=MOST)
    lists = [int(change.subject) for change in happened if change.topic == "list"]
    queue = QueueRepository(session)
    entered = [entry for entry in waiting if entry.alert.watchlist_id in lists]
    former = {
        entry.alert.person: entry for entry in queue.earlier(viewer=viewer, alerts=_alerts(entered))
    }
    settled = _settled(queue, happened, viewer=viewer, waiting=waiting, at=at)
    gone = queue.withdrawn(lists, viewer=viewer)
    then = [*(entry for entry in waiting if entry not in entered), *former.values(), *settled]
    now, before = _positions(waiting), _positions(then)
    fresh = [entry for entry in entered if entry.alert.person not in former]
    return Changes(
        since=number,
        since_at=happened[0].happened_at if happened else None,
        entered=[_change(entry, "new_alert", now=now, before=before) for entry in fresh],
        left=[
            *(
                _change(entry, _why_left(entry, at=at), now=now, before=before, **_result_of(entry))
                for entry in settled
            ),
            *(
                _change(QueueEntry(alert, None, None), "superseded", now=now, before=before)
                for alert in gone
            ),
        ],
        moved=[
            *(
                _change(entry, "new_money", now=now, before=before)
                for entry in entered
                if entry.alert.person in former
            ),
            *_rescored(
                session,
                [entry for entry in waiting if entry not in entered],
                lists,
                now=now,
                before=before,
            ),
        ],
    )


def _settled(
    queue: QueueRepository,
    happened: Sequence[ChangeRow],
    *,
    viewer: Viewer,
    waiting: Sequence[QueueEntry],
    at: datetime,
) -> list[QueueEntry]:
    """Return the alerts with a new result that no longer wait."""
    settled = sorted({change.subject for change in happened if change.topic == "result"})
    people = {entry.alert.person for entry in waiting}
    return [
        entry
        for entry in queue.by_alert_ids(settled, viewer=viewer)
        if not entry.waits(at=at) and entry.alert.person not in people
    ]


def _rescored(
    session: Session,
    waiting: Sequence[QueueEntry],
    lists: Sequence[int],
    *,
    now: Mapping[str, int],
    before: Mapping[str, int],
) -> list[Change]:
    """Return the changes of alerts that waited before and whose score the new lists moved."""
    if not waiting or not lists:
        return []
    people = {entry.alert.person: entry for entry in waiting}
    since = min(entry.alert.issued_at for entry in waiting) - SCORES_BACK
    old: dict[str, float] = {person: entry.alert.score for person, entry in people.items()}
    new: dict[str, float] = {}
    for person, watchlist_id, _, score in ScoreRepository(session).of_people(
        list(people), since=since
    ):
        (new if watchlist_id in lists else old)[person] = score
    return [
        _change(
            people[person],
            "new_evidence",
            now=now,
            before=before,
            score_before=old[person],
            score_now=score,
        )
        for person, score in new.items()
        if abs(score - old[person]) >= NOTEWORTHY
    ]


def _just_before_the_latest(session: Session) -> int:
    latest = QueueRepository(session).last_lists(count=1)
    return latest[0].id - 1 if latest else 0


def _alerts(entries: Sequence[QueueEntry]) -> list[Any]:
    return [entry.alert for entry in entries]


def _positions(entries: Sequence[QueueEntry]) -> dict[str, int]:
    ordered = sorted(entries, key=lambda entry: entry.urgency)
    return {entry.alert.person: number for number, entry in enumerate(ordered, start=1)}


def _why_left(entry: QueueEntry, *, at: datetime) -> Why:
    put_off = (
        entry.last is not None
        and entry.last.snoozed_until is not None
        and entry.last.snoozed_until > at
    )
    return "put_off" if put_off else "settled"


def _result_of(entry: QueueEntry) -> dict[str, Any]:
    return {"result": entry.last.result, "by": entry.last.decided_by} if entry.last else {}


def _change(
    entry: QueueEntry,
    why: Why,
    *,
    now: Mapping[str, int],
    before: Mapping[str, int],
    **details: Any,
) -> Change:
    alert = entry.alert
    return Change(
        alert_id=alert.alert_id,
        person=alert.person,
        level=entry.level,
        why=why,
        before=before.get(alert.person),
        now=now.get(alert.person),
        **details,
    )
