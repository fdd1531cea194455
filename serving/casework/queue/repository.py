"""The SQL of the queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Exists, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, defer

from serving.access.community_scope import may_see, visible_to
from serving.alerts.levels import shown_level
from serving.alerts.repository import SAVING, current_alerts
from serving.casework.claims.tables import ClaimRow
from serving.database.tables import AlertRow, DispositionRow, WatchlistRow
from serving.notifications.live.tables import ChangeRow
from serving.vocabulary.alerts import URGENCY, Level
from serving.vocabulary.dispositions import SETTLED
from serving.vocabulary.roles import Viewer

__all__ = ["QueueEntry", "QueueRepository"]

MOST = 2000  # more alerts than any queue of some days can hold


class QueueEntry(NamedTuple):
    """One alert of the queue with its last result and whoever deals with it."""

    alert: AlertRow
    last: DispositionRow | None
    claim: ClaimRow | None

    @property
    def level(self) -> Level:
        """The level it was published with, or the one it was raised to."""
        return shown_level(self.alert, self.last)

    @property
    def urgency(self) -> tuple[int, float, float, int]:
        """What the queue is sorted by: the level, what a warning can save, how likely it is, who
        came first.
        """
        saving = -1.0 if self.alert.saving_cny is None else self.alert.saving_cny
        return URGENCY[self.level], -saving, -self.alert.score, self.alert.id

    def waits(self, *, at: datetime) -> bool:
        """Say whether the person still has to be reached: not settled and not put off."""
        if self.last is None:
            return True
        put_off = self.last.snoozed_until is not None and self.last.snoozed_until > at
        return self.last.result not in SETTLED and not put_off


class QueueRepository:
    """Reads the queue: of each person the newest alert."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def entries(self, *, viewer: Viewer, since: datetime, at: datetime) -> list[QueueEntry]:
        """Return the newest current alert of each person, issued at or after ``since``, the most
        urgent first.
        """
        statement = (
            visible_to(viewer, current_alerts())
            .add_columns(ClaimRow)
            .outerjoin(
                ClaimRow,
                and_(
                    ClaimRow.alert_id == AlertRow.alert_id,
                    ClaimRow.ended_at.is_(None),
                    ClaimRow.expires_at > at,
                ),
            )
            .where(AlertRow.issued_at >= since, ~_followed_by_another())
            .order_by(AlertRow.urgency, SAVING.desc(), AlertRow.score.desc(), AlertRow.id)
            .options(defer(AlertRow.contributions))
            .limit(MOST)
        )
        rows = self._session.execute(statement).all()
        return sorted((QueueEntry(*row) for row in rows), key=lambda entry: entry.urgency)

    def earlier(self, *, viewer: Viewer, alerts: Sequence[AlertRow]) -> list[QueueEntry]:
        """Return for each alert the one before it of the same person, where there is one."""
        former, newer = aliased(AlertRow), aliased(AlertRow)
        before = (
            select(func.max(former.id))
            .join(newer, and_(newer.person == former.person, newer.issued_at > former.issued_at))
            .join(WatchlistRow, WatchlistRow.id == former.watchlist_id)
            .where(
                newer.id.in_([alert.id for alert in alerts]), WatchlistRow.superseded_at.is_(None)
            )
            .group_by(former.person)
        )
        statement = visible_to(viewer, current_alerts()).where(AlertRow.id.in_(before))
        return [QueueEntry(alert, last, None) for alert, last in self._session.execute(statement)]

    def by_alert_ids(self, alert_ids: Sequence[str], *, viewer: Viewer) -> list[QueueEntry]:
        """Return current alerts by their public ids."""
        statement = visible_to(viewer, current_alerts()).where(AlertRow.alert_id.in_(alert_ids))
        return [QueueEntry(alert, last, None) for alert, last in self._session.execute(statement)]

    def withdrawn(self, watchlist_ids: Sequence[int], *, viewer: Viewer) -> list[AlertRow]:
        """Return the alerts that these revisions of lists no longer hold, though the ones before
        them did.
        """
        new, old = aliased(WatchlistRow), aliased(WatchlistRow)
        kept = aliased(AlertRow)
        statement = (
            select(AlertRow)
            .join(old, old.id == AlertRow.watchlist_id)
            .join(
                new, and_(new.at == old.at, new.kind == old.kind, new.revision == old.revision + 1)
            )
            .where(
                new.id.in_(watchlist_ids),
                ~exists().where(kept.watchlist_id == new.id, kept.person == AlertRow.person),
            )
        )
        return [
            alert
            for alert in self._session.scalars(statement)
            if may_see(viewer, alert.community_id)
        ]

    def last_lists(self, *, count: int) -> Sequence[ChangeRow]:
        """Return the last ``count`` lists that were announced, the newest first."""
        return self._session.scalars(
            select(ChangeRow)
            .where(ChangeRow.topic == "list")
            .order_by(ChangeRow.id.desc())
            .limit(count)
        ).all()


def _followed_by_another() -> Exists:
    newer, its_list = aliased(AlertRow), aliased(WatchlistRow)
    later = or_(
        newer.issued_at > AlertRow.issued_at,
        and_(newer.issued_at == AlertRow.issued_at, newer.id > AlertRow.id),
    )
    return (
        exists()
        .where(newer.person == AlertRow.person, later)
        .where(its_list.id == newer.watchlist_id, its_list.superseded_at.is_(None))
        .correlate(AlertRow)
    )
