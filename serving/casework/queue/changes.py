"""What changed in the queue since somebody last looked: who entered, who left, who moved, and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from serving.alerts.scores import ScoreRepository
from serving.casework.queue.repository import Place, QueueRepository
from serving.casework.queue.schemas import Change, Changes, Why
from serving.notifications.live.repository import ChangeRepository
from serving.notifications.live.tables import ChangeRow
from serving.vocabulary.roles import Viewer

__all__ = ["changes_since"]

NOTEWORTHY = 0.05  # a score that moved less is no news
MOST = 1000
SCORES_BACK = timedelta(days=7)


def changes_since(
    session: Session, waiting: Sequence[Place], *, viewer: Viewer, since: int | None, at: datetime
) -> Changes:
    """Return what changed in the queue ``waiting`` since change ``since``, else since just before the latest list."""
    number = _just_before_the_latest(session) if since is None else since
    happened = ChangeRepository(session).after(number, limit=MOST)
    lists = [int(change.subject) for change in happened if change.topic == "list"]
    queue = QueueRepository(session)
    entered = [place for place in waiting if place.alert.watchlist_id in lists]
    former = {place.alert.person: place for place in queue.earlier(viewer=viewer, alerts=_alerts(entered))}
    settled = _settled(queue, happened, viewer=viewer, waiting=waiting, at=at)
    gone = queue.withdrawn(lists, viewer=viewer)
    then = [*(place for place in waiting if place not in entered), *former.values(), *settled]
    now, before = _positions(waiting), _positions(then)
    fresh = [place for place in entered if place.alert.person not in former]
    return Changes(
        since=number,
        since_at=happened[0].happened_at if happened else None,
        entered=[_change(place, "new_alert", now=now, before=before) for place in fresh],
        left=[
            *(_change(place, _why_left(place, at=at), now=now, before=before, **_word(place)) for place in settled),
            *(_change(Place(alert, None, None), "superseded", now=now, before=before) for alert in gone),
        ],
        moved=[
            *(_change(place, "new_money", now=now, before=before) for place in entered if place.alert.person in former),
            *_stirred(session, [place for place in waiting if place not in entered], lists, now=now, before=before),
        ],
    )


def _settled(
    queue: QueueRepository,
    happened: Sequence[ChangeRow],
    *,
    viewer: Viewer,
    waiting: Sequence[Place],
    at: datetime,
) -> list[Place]:
    """Return the alerts with a new result that no longer wait."""
    told = sorted({change.subject for change in happened if change.topic == "result"})
    people = {place.alert.person for place in waiting}
    return [
        place
        for place in queue.named(told, viewer=viewer)
        if not place.waits(at=at) and place.alert.person not in people
    ]


def _stirred(
    session: Session,
    waiting: Sequence[Place],
    lists: Sequence[int],
    *,
    now: Mapping[str, int],
    before: Mapping[str, int],
) -> list[Change]:
    """Return who stood there already and whose score the new lists moved."""
    if not waiting or not lists:
        return []
    people = {place.alert.person: place for place in waiting}
    since = min(place.alert.issued_at for place in waiting) - SCORES_BACK
    old: dict[str, float] = {person: place.alert.score for person, place in people.items()}
    new: dict[str, float] = {}
    for person, watchlist_id, _, score in ScoreRepository(session).of_people(list(people), since=since):
        (new if watchlist_id in lists else old)[person] = score
    return [
        _change(people[person], "new_evidence", now=now, before=before, score_before=old[person], score_now=score)
        for person, score in new.items()
        if abs(score - old[person]) >= NOTEWORTHY
    ]


def _just_before_the_latest(session: Session) -> int:
    latest = QueueRepository(session).last_lists(count=1)
    return latest[0].id - 1 if latest else 0


def _alerts(places: Sequence[Place]) -> list[Any]:
    return [place.alert for place in places]


def _positions(places: Sequence[Place]) -> dict[str, int]:
    ordered = sorted(places, key=lambda place: place.urgency)
    return {place.alert.person: number for number, place in enumerate(ordered, start=1)}


def _why_left(place: Place, *, at: datetime) -> Why:
    put_off = place.last is not None and place.last.snoozed_until is not None and place.last.snoozed_until > at
    return "put_off" if put_off else "settled"


def _word(place: Place) -> dict[str, Any]:
    return {"result": place.last.result, "by": place.last.decided_by} if place.last else {}


def _change(place: Place, why: Why, *, now: Mapping[str, int], before: Mapping[str, int], **told: Any) -> Change:
    alert = place.alert
    return Change(
        alert_id=alert.alert_id,
        person=alert.person,
        level=place.level,
        why=why,
        before=before.get(alert.person),
        now=now.get(alert.person),
        **told,
    )
