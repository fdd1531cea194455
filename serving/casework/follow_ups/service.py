"""Planning, moving and closing follow-ups."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from serving.alerts.levels import shown_level
from serving.casework.call_scripts.service import call_script_for
from serving.casework.follow_ups.repository import FollowUpRepository, Planned
from serving.casework.follow_ups.schemas import Done, FollowUp, FollowUpPage
from serving.casework.follow_ups.tables import FollowUpRow
from serving.context.settings import ServingSettings
from serving.database.audit_chain import record_action
from serving.database.tables import AlertRow
from serving.http.errors import ProblemError
from serving.http.etags import version_conflict
from serving.http.paging import decode_cursor, encode_cursor
from serving.vocabulary.dispositions import CALLED_FRAUD, SETTLED, Result
from serving.vocabulary.roles import Viewer
from serving.vocabulary.times import SHANGHAI

__all__ = [
    "count_due",
    "due_page",
    "finish_follow_up",
    "follow_ups_of",
    "get_follow_up",
    "move_follow_up",
    "plan_follow_ups",
    "usual_days",
]

FOLLOWED_UP = CALLED_FRAUD | {"refused"}
NOT_NEEDED = "not_needed"
FURTHEST_D = 365


def usual_days(scam_type: str, *, settings: ServingSettings) -> tuple[int, ...]:
    """Return after how many days somebody asks again: as the installation sets it, else as the call
    script has it.
    """
    return tuple(settings.follow_up_days.get(scam_type, call_script_for(scam_type).follow_up_days))


def plan_follow_ups(
    session: Session,
    *,
    alert: AlertRow,
    result: Result,
    found_at: datetime | None,
    days: Sequence[int] | None,
    at: datetime,
    viewer: Viewer,
    settings: ServingSettings,
) -> None:
    """Plan the follow-ups that a new result asks for, counted from the day it was found.

    ``found_at`` is None for a result found just now. ``days`` that are named take the place of
    those planned before. Otherwise the usual days follow a fraud and a refusal, unless follow-ups
    are open already, and none follow what needs no more care.
    """
    follow_ups = FollowUpRepository(session)
    still_open = [row for row in follow_ups.of_alert(alert.alert_id) if row.closed_at is None]
    is_followed_up = result in FOLLOWED_UP
    if days is not None or (result in SETTLED and not is_followed_up):
        for row in still_open:
            _close(row, outcome=NOT_NEEDED, note="", at=at, by=viewer.name)
        session.flush()
        planned_days = tuple(days or ())
    else:
        planned_days = (
            usual_days(alert.scam_type, settings=settings)
            if is_followed_up and not still_open
            else ()
        )
    found_on = (found_at or at).astimezone(SHANGHAI).date()
    due = [found_on + timedelta(days=number) for number in sorted(set(planned_days))]
    follow_ups.add([_planned(alert, due_on=day, at=at, by=viewer.name) for day in due])


def follow_ups_of(session: Session, *, alert_id: str) -> Sequence[FollowUpRow]:
    """Return an alert's follow-ups by day; ask first whether the viewer may see the alert."""
    return FollowUpRepository(session).of_alert(alert_id)


def due_page(
    session: Session, *, viewer: Viewer, day: date, cursor: str | None = None, limit: int = 200
) -> FollowUpPage:
    """Return one page of what is open and due on ``day`` or before and ``viewer`` may see, the
    longest due first.
    """
    after = _position(cursor) if cursor else None
    found = FollowUpRepository(session).open_until(day, viewer=viewer, after=after, limit=limit + 1)
    items = [_to_schema(planned) for planned in found[:limit]]
    more = len(found) > limit
    return FollowUpPage(
        items=items,
        next_cursor=encode_cursor(items[-1].due_on.isoformat(), items[-1].id) if more else None,
    )


def count_due(session: Session, *, viewer: Viewer, community_id: str, day: date) -> int:
    """Return how many open follow-ups of a community are due on ``day`` or before, 0 if it is not
    the viewer's.
    """
    return FollowUpRepository(session).count_open_until(
        day, viewer=viewer, community_id=community_id
    )


def get_follow_up(session: Session, *, viewer: Viewer, follow_up_id: int) -> FollowUp:
    """Return one follow-up; a 404 problem where there is none that ``viewer`` may see."""
    return _to_schema(_visible(session, viewer=viewer, follow_up_id=follow_up_id))


def finish_follow_up(
    session: Session, *, viewer: Viewer, follow_up_id: int, done: Done, version: int, at: datetime
) -> FollowUp:
    """Close a follow-up with what was found, audited.

    Raises a 404 problem where there is none that ``viewer`` may see, a 409 problem for one that is
    closed, a 412 problem if it has changed since ``version`` was read.
    """
    planned = _to_change(session, viewer=viewer, follow_up_id=follow_up_id, version=version)
    _close(planned[0], outcome=done.outcome, note=done.note, at=at, by=viewer.name)
    return _changed(session, planned, viewer=viewer, at=at, outcome=done.outcome)


def move_follow_up(
    session: Session, *, viewer: Viewer, follow_up_id: int, due_on: date, version: int, at: datetime
) -> FollowUp:
    """Move a follow-up to another day from today on, audited.

    See ``finish_follow_up`` for the problems, 422 for other days.
    """
    planned = _to_change(session, viewer=viewer, follow_up_id=follow_up_id, version=version)
    today = at.astimezone(SHANGHAI).date()
    if not today <= due_on <= today + timedelta(days=FURTHEST_D):
        raise ProblemError(
            422,
            "A follow-up can be moved to a day from today on, within a year.",
            remedy="Choose another day.",
        )
    moved_from, planned[0].due_on = planned[0].due_on, due_on
    return _changed(
        session,
        planned,
        viewer=viewer,
        at=at,
        moved_from=moved_from.isoformat(),
        moved_to=due_on.isoformat(),
    )


def _planned(alert: AlertRow, *, due_on: date, at: datetime, by: str) -> FollowUpRow:
    return FollowUpRow(
        alert_id=alert.alert_id,
        person=alert.person,
        community_id=alert.community_id,
        due_on=due_on,
        planned_at=at,
        planned_by=by,
        note="",
    )


def _close(row: FollowUpRow, *, outcome: str, note: str, at: datetime, by: str) -> None:
    row.closed_at, row.closed_by, row.outcome, row.note = at, by, outcome, note


def _visible(session: Session, *, viewer: Viewer, follow_up_id: int) -> Planned:
    found = FollowUpRepository(session).get(follow_up_id, viewer=viewer)
    if found is None:
        raise ProblemError(404, "There is no such follow-up in your communities.")
    return found


def _to_change(session: Session, *, viewer: Viewer, follow_up_id: int, version: int) -> Planned:
    planned = _visible(session, viewer=viewer, follow_up_id=follow_up_id)
    if planned[0].version != version:
        raise version_conflict(version=planned[0].version, current=_to_schema(planned))
    if planned[0].closed_at is not None:
        raise ProblemError(
            409, "This follow-up is closed.", remedy="Record a new result on the alert's page."
        )
    return planned


def _changed(
    session: Session, planned: Planned, *, viewer: Viewer, at: datetime, **details: Any
) -> FollowUp:
    version = planned[0].version
    try:
        session.flush()
    except StaleDataError:  # two at one moment on PostgreSQL
        raise version_conflict(version=version + 1, current=None) from None
    record_action(
        session,
        at=at,
        actor=viewer.name,
        action="follow-up",
        subject=planned[0].alert_id,
        **details,
    )
    return _to_schema(planned)


def _to_schema(planned: Planned) -> FollowUp:
    row, alert, last = planned
    own = {
        name: getattr(row, name)
        for name in FollowUp.model_fields
        if name not in {"level", "scam_type"}
    }
    return FollowUp(**own, level=shown_level(alert, last), scam_type=alert.scam_type)


def _position(cursor: str) -> tuple[date, int]:
    due_on, row_id = decode_cursor(cursor, str, int)
    try:
        return date.fromisoformat(due_on), row_id
    except ValueError:
        raise ProblemError(
            400, "The cursor is not one of ours.", remedy="Start again without a cursor."
        ) from None
