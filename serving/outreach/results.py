"""Results that come back on paper: entered by list and position, never over what somebody else has
written.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from serving.alerts.levels import shown_level
from serving.alerts.schemas import Disposition
from serving.casework.dispositions.schemas import NewDisposition
from serving.casework.dispositions.service import record_disposition
from serving.context.settings import ServingSettings
from serving.database.tables import AlertRow, DispositionRow
from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from serving.outreach.repository import OutreachRepository
from serving.outreach.schemas import (
    Entered,
    IssuedItem,
    IssuedList,
    IssuedListPage,
    IssuedListWithItems,
    NewEntry,
    Refused,
)
from serving.outreach.tables import OutreachItemRow, OutreachListRow
from serving.vocabulary.dispositions import OPEN
from serving.vocabulary.roles import Viewer

__all__ = ["issued_list", "list_page", "list_with_items", "record_entries"]


def issued_list(session: Session, *, viewer: Viewer, list_id: str) -> OutreachListRow:
    """Return a list; a 404 problem where there is none that ``viewer`` may see."""
    made = OutreachRepository(session).get(list_id.upper(), viewer=viewer)
    if made is None:
        raise ProblemError(404, "There is no list of this number in your communities.")
    return made


def list_with_items(
    session: Session, *, viewer: Viewer, list_id: str, at: datetime
) -> IssuedListWithItems:
    """Return a list with what was found since about its people, without names.

    A 404 problem as above.
    """
    made = issued_list(session, viewer=viewer, list_id=list_id)
    alerts = OutreachRepository(session).alerts_of(made, viewer=viewer)
    items = [
        _to_schema(item, *alerts[item.alert_id]) for item in made.items if item.alert_id in alerts
    ]
    header = IssuedList.model_validate(made).model_dump()
    return IssuedListWithItems(**header, expired=made.expires_at <= at, items=items)


def list_page(
    session: Session,
    *,
    viewer: Viewer,
    community_id: str | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> IssuedListPage:
    """Return one page of the lists that ``viewer`` may see, the newest first."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    rows = OutreachRepository(session).page(
        viewer=viewer, community_id=community_id, before=before, limit=limit + 1
    )
    return IssuedListPage(
        items=[IssuedList.model_validate(row) for row in rows[:limit]],
        next_cursor=encode_cursor(rows[limit - 1].id) if len(rows) > limit else None,
    )


def record_entries(
    session: Session,
    *,
    viewer: Viewer,
    list_id: str,
    entries: Sequence[NewEntry],
    at: datetime,
    settings: ServingSettings,
) -> Entered:
    """Record results of a list with the time they were found, each for the person's whole series.

    Each entry stands or falls alone: one whose alert has moved on is refused with what stands there
    now, the others are written. Raises a 404 problem where there is no list that ``viewer`` may
    see, a 422 problem for a position that is not on it or is given twice.
    """
    made = issued_list(session, viewer=viewer, list_id=list_id)
    items = {item.position: item for item in made.items}
    positions = [entry.position for entry in entries]
    if len(set(positions)) < len(positions) or not items.keys() >= set(positions):
        raise ProblemError(422, "Each entry needs a number of its own that stands on the list.")
    recorded, refused = [], []
    for entry in entries:
        new = NewDisposition(
            **entry.model_dump(exclude={"position", "version"}), whole_episode=True
        )
        try:
            with session.begin_nested():
                record_disposition(
                    session,
                    viewer=viewer,
                    alert_id=items[entry.position].alert_id,
                    new=new,
                    version=entry.version,
                    at=at,
                    settings=settings,
                    source="paper",
                    list_id=made.list_id,
                )
            recorded.append(entry.position)
        except ProblemError as problem:
            refused.append(_refused(entry.position, problem))
    return Entered(recorded=recorded, refused=refused)


def _refused(position: int, problem: ProblemError) -> Refused:
    current = problem.extra.get("current")
    return Refused(
        position=position,
        detail=str(problem),
        remedy=problem.remedy,
        current=Disposition.model_validate(current) if current else None,
    )


def _to_schema(item: OutreachItemRow, alert: AlertRow, last: DispositionRow | None) -> IssuedItem:
    version = last.version if last else 0
    return IssuedItem(
        position=item.position,
        alert_id=item.alert_id,
        grid_id=alert.grid_id,
        level=shown_level(alert, last),
        status=last.result if last else OPEN,  # type: ignore[arg-type]  # the column holds no other
        version=version,
        found_since=version > item.version,
    )
