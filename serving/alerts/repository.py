"""The SQL of alerts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, and_, cast, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from serving.access.community_scope import visible_to
from serving.alerts.disposition_repository import latest_dispositions
from serving.alerts.schemas import AlertQuery
from serving.database.tables import AlertRow, DispositionRow, WatchlistRow
from serving.vocabulary.roles import Viewer

__all__ = ["UNKNOWN_SAVING_CNY", "AlertRepository"]

Found = Row[tuple[AlertRow, DispositionRow]]
UNKNOWN_SAVING_CNY = -1.0  # sorts below every saving, where NULL would sort as each database likes
SAVING = func.coalesce(AlertRow.saving_cny, UNKNOWN_SAVING_CNY)
FILTERS: Mapping[str, ColumnElement[str]] = {
    # The one it was raised to, if it was
    "level": func.coalesce(DispositionRow.level, AlertRow.level),
    "scam_type": AlertRow.scam_type.expression,
    "community_id": AlertRow.community_id.expression,
}
SUSPECTS = (AlertRow.suspect_numbers, AlertRow.suspect_accounts)


class AlertRepository:
    """Reads alerts, each with its list and its last disposition (None where there is none)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def recent(self, since: datetime) -> Sequence[Found]:
        """Return current alerts issued at or after ``since`` or snoozed beyond it, oldest first."""
        return self._session.execute(
            current_alerts()
            .where(or_(AlertRow.issued_at >= since, DispositionRow.snoozed_until > since))
            .order_by(AlertRow.issued_at, AlertRow.id)
        ).all()

    def put_off(self, at: datetime) -> Sequence[Found]:
        """Return current alerts whose last word puts the person off beyond ``at``."""
        return self._session.execute(
            current_alerts().where(DispositionRow.snoozed_until > at)
        ).all()

    def get(self, alert_id: str, *, viewer: Viewer) -> Found | None:
        """Return the newest revision of an alert, if ``viewer`` may see it."""
        statement = visible_to(viewer, all_alerts()).where(AlertRow.alert_id == alert_id)
        return self._session.execute(statement.order_by(AlertRow.id.desc()).limit(1)).first()

    def of_watchlist(self, watchlist_id: int, *, viewer: Viewer) -> Sequence[Found]:
        """Return the alerts of one list by rank."""
        statement = visible_to(viewer, all_alerts()).where(AlertRow.watchlist_id == watchlist_id)
        return self._session.execute(statement.order_by(AlertRow.rank)).all()

    def issued_between(
        self, start: datetime, end: datetime, *, viewer: Viewer, community_id: str | None = None
    ) -> Sequence[Found]:
        """Return current alerts issued from ``start`` to before ``end``.

        The most urgent stand first; of one level those where a warning can save most, then the
        likeliest.
        """
        statement = visible_to(viewer, current_alerts()).where(
            AlertRow.issued_at >= start, AlertRow.issued_at < end
        )
        if community_id is not None:
            statement = statement.where(AlertRow.community_id == community_id)
        return self._session.execute(
            statement.order_by(
                AlertRow.urgency, SAVING.desc(), AlertRow.score.desc(), AlertRow.rank, AlertRow.id
            )
        ).all()

    def of_person(self, person: str, *, viewer: Viewer) -> Sequence[Found]:
        """Return a person's current alerts, the oldest first."""
        statement = visible_to(viewer, current_alerts()).where(AlertRow.person == person)
        return self._session.execute(statement.order_by(AlertRow.issued_at, AlertRow.id)).all()

    def of_people(self, people: Sequence[str], *, viewer: Viewer) -> Sequence[Found]:
        """Return the current alerts of several people, the newest first."""
        if not people:
            return []
        statement = visible_to(viewer, current_alerts()).where(AlertRow.person.in_(people))
        return self._session.execute(
            statement.order_by(AlertRow.issued_at.desc(), AlertRow.id.desc())
        ).all()

    def newest_of(self, people: Sequence[str], *, viewer: Viewer) -> dict[str, str]:
        """Return the id of each person's newest current alert, where there is one."""
        return {
            alert.person: alert.alert_id
            for alert, _ in reversed(self.of_people(people, viewer=viewer))
        }

    def naming(self, key: str, *, viewer: Viewer, limit: int) -> Sequence[Found]:
        """Return the current alerts that name a suspect number or account, the newest first."""
        named = [cast(column, Text).contains(f'"{key}"', autoescape=True) for column in SUSPECTS]
        statement = visible_to(viewer, current_alerts()).where(or_(*named))
        return self._session.execute(
            statement.order_by(AlertRow.issued_at.desc(), AlertRow.id.desc()).limit(limit)
        ).all()

    def page(
        self, query: AlertQuery, *, viewer: Viewer, after: tuple[Any, int] | None
    ) -> Sequence[Found]:
        """Return up to ``limit`` + 1 current alerts in the order asked for.

        The one too many tells of a next page.
        """
        column: ColumnElement[Any] = (
            SAVING if query.sort == "saving_cny" else getattr(AlertRow, query.sort)
        )
        upwards = query.sort == "rank"
        statement = apply_filters(visible_to(viewer, current_alerts()), query)
        if after is not None:
            value, row_id = after
            beyond = column > value if upwards else column < value
            further = AlertRow.id > row_id if upwards else AlertRow.id < row_id
            statement = statement.where(or_(beyond, and_(column == value, further)))
        order = (column, AlertRow.id) if upwards else (column.desc(), AlertRow.id.desc())
        return self._session.execute(statement.order_by(*order).limit(query.limit + 1)).all()


def all_alerts() -> Select[tuple[AlertRow, DispositionRow]]:
    """Select alerts of every revision, with their lists and their last dispositions."""
    last = latest_dispositions().subquery()
    return (
        select(AlertRow, DispositionRow)
        .join(AlertRow.watchlist)
        .options(contains_eager(AlertRow.watchlist))
        .outerjoin(last, last.c.alert_id == AlertRow.alert_id)
        .outerjoin(
            DispositionRow,
            and_(
                DispositionRow.alert_id == last.c.alert_id, DispositionRow.version == last.c.version
            ),
        )
    )


def current_alerts() -> Select[tuple[AlertRow, DispositionRow]]:
    """Select the alerts of lists that no newer revision has replaced."""
    return all_alerts().where(WatchlistRow.superseded_at.is_(None))


def apply_filters(
    statement: Select[tuple[AlertRow, DispositionRow]], query: AlertQuery
) -> Select[tuple[AlertRow, DispositionRow]]:
    """Narrow ``statement`` to what the query asks for."""
    for name, column in FILTERS.items():
        if (wanted := getattr(query, name)) is not None:
            statement = statement.where(column == wanted)
    if query.since is not None:
        statement = statement.where(AlertRow.issued_at >= query.since)
    if query.status is not None:
        result = DispositionRow.result
        statement = statement.where(
            result.is_(None) if query.status == "open" else result == query.status
        )
    return statement
