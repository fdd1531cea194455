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
from serving.casework.queue.repository import Place, QueueRepository
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

__all__ = ["places_of", "queue_item", "queue_of", "take_next"]

Test = Callable[[Place], bool]


def places_of(session: Session, *, viewer: Viewer, at: datetime, settings: ServingSettings) -> list[Place]:
    """Return the newest alert of each person of the last days, the most urgent first, settled ones among them.

    The days are counted back from the latest list: where lists stopped coming, what they said still waits.
    """
    latest = WatchlistRepository(session).latest()
    if latest is None:
        return []
    since = min(latest.at, at) - timedelta(days=settings.queue_days)
    return QueueRepository(session).places(viewer=viewer, since=since, at=at)


def queue_of(session: Session, *, viewer: Viewer, query: QueueQuery, at: datetime, settings: ServingSettings) -> Queue:
    """Return one page of the queue that ``query`` asks for, with what changed in it."""
    latest = WatchlistRepository(session).latest()
    places = places_of(session, viewer=viewer, at=at, settings=settings)
    waiting = [place for place in places if place.waits(at=at)]
    positions = {place.alert.alert_id: number for number, place in enumerate(waiting, start=1)}
    matching = [place for place in places if all(test(place) for test in _tests(query, viewer=viewer, at=at))]
    start = (query.page - 1) * PAGE
    shown = matching[start : start + PAGE]
    scores = _latest_scores(session, shown)

    def item(place: Place) -> QueueItem:
        position = positions.get(place.alert.alert_id, 0)
        return queue_item(place, position=position, score_now=scores.get(place.alert.person), at=at, settings=settings)

    return Queue(
        at=latest.at if latest else None,
        waiting=len(waiting),
        overdue=sum(_act_by(place, settings=settings) < at for place in waiting),
        unclaimed=sum(place.claim is None for place in waiting),
        mine=sum(place.claim is not None and place.claim.claimed_by == viewer.name for place in waiting),
        matching=len(matching),
        items=[item(place) for place in shown],
        next_page=query.page + 1 if len(matching) > start + PAGE else None,
        last_change=ChangeRepository(session).last(),
        changes=changes_since(session, waiting, viewer=viewer, since=query.since, at=at),
        scam_types=sorted({place.alert.scam_type for place in places}),
        communities=sorted({place.alert.community_id for place in places}),
        assignees=sorted({place.claim.claimed_by for place in places if place.claim}),
    )


def queue_item(
    place: Place, *, position: int, score_now: float | None, at: datetime, settings: ServingSettings
) -> QueueItem:
    """Return an alert with its clock, its lead and whoever has it."""
    alert, waits = place.alert, place.waits(at=at)
    act_by = _act_by(place, settings=settings) if waits else None
    return QueueItem(
        **summary_of(alert, place.last) | {"level": place.level},
        position=position,
        waits=waits,
        act_by=act_by,
        overdue=act_by is not None and act_by < at,
        lead_since=alert.first_contact_at or alert.issued_at,
        lead_from="contact" if alert.first_contact_at else "alert",
        claim=Claim.model_validate(place.claim) if place.claim else None,
        score_now=score_now,
    )


def _act_by(place: Place, *, settings: ServingSettings) -> datetime:
    """Return until when somebody should have been reached."""
    return place.alert.issued_at + timedelta(minutes=settings.act_within_minutes[place.level])


def _tests(query: QueueQuery, *, viewer: Viewer, at: datetime) -> list[Test]:
    """Return what an alert has to be like to match."""
    tests: list[Test] = []
    if query.level:
        tests.append(lambda place: place.level == query.level)
    if query.scam_type:
        tests.append(lambda place: place.alert.scam_type == query.scam_type)
    if query.community_id:
        tests.append(lambda place: place.alert.community_id == query.community_id)
    if query.status == WAITING:
        tests.append(lambda place: place.waits(at=at))
    elif query.status != EVERY:
        tests.append(lambda place: (place.last.result if place.last else "open") == query.status)
    if query.assignee == NOBODY:
        tests.append(lambda place: place.claim is None)
    elif query.assignee:
        name = viewer.name if query.assignee == ME else query.assignee
        tests.append(lambda place: place.claim is not None and place.claim.claimed_by == name)
    return tests


def _latest_scores(session: Session, places: Sequence[Place]) -> Mapping[str, float]:
    """Return the last score of each person that is newer than the alert."""
    if not places:
        return {}
    issued = {place.alert.person: place.alert.issued_at for place in places}
    known = ScoreRepository(session).of_people(list(issued), since=min(issued.values()))
    return {person: score for person, _, moment, score in known if moment > issued[person]}


def take_next(session: Session, *, viewer: Viewer, at: datetime, settings: ServingSettings) -> ClaimRow:
    """Claim the most urgent alert that waits and is with nobody.

    Of two who ask at once each gets another one. Raises a 404 problem when nothing is left to take.
    """
    for place in places_of(session, viewer=viewer, at=at, settings=settings):
        if place.claim is None and place.waits(at=at):
            taken = take_alert(session, place.alert, viewer=viewer, at=at, settings=settings)
            if taken is not None:
                return taken
    raise ProblemError(404, "No alert waits for somebody to take it.", remedy="Look again after the next list.")
