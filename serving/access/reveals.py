"""How often somebody may have names and numbers shown, and when that becomes news."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.context.settings import AccessSettings
from serving.database.audit_chain import record_action
from serving.database.tables import AuditRow, UserRow
from serving.http.errors import ProblemError
from serving.vocabulary.roles import Viewer

__all__ = ["notice_list", "record_reveal", "unusual_reveals"]

log = logging.getLogger("serving.access")

HOUR = timedelta(hours=1)
UNUSUAL = "reveals-unusual"
LISTS = ("print", "export")  # with names on them


def record_reveal(
    session: Session,
    *,
    viewer: Viewer,
    subject: str,
    reason: str,
    settings: AccessSettings,
    at: datetime,
    **details: Any,
) -> None:
    """Audit that ``viewer`` has ``subject`` shown, and once an hour that it was unusually much.

    Raises a 429 problem where the hour's number is used up.
    """
    # One after the other: requests sent at once would each count those before only
    session.execute(select(UserRow.id).where(UserRow.name == viewer.name).with_for_update())
    number, first_at = _within_an_hour(session, viewer.name, "reveal", at=at)
    if number >= settings.reveals_per_hour:
        wait = (first_at or at) + HOUR - at
        raise ProblemError(
            429,
            "This hour's number of reveals is used up.",
            remedy="Wait, or ask an administrator; each reveal is for one call or visit.",
            headers={"Retry-After": str(max(1, ceil(wait.total_seconds())))},
        )
    record_action(
        session,
        at=at,
        actor=viewer.name,
        action="reveal",
        subject=subject,
        reason=reason,
        **details,
    )
    shown = number + 1 + len(_on_lists_within_an_hour(session, viewer.name, at=at))
    _notice(session, viewer, shown=shown, settings=settings, at=at)


def notice_list(
    session: Session,
    *,
    viewer: Viewer,
    alert_ids: Collection[str],
    settings: AccessSettings,
    at: datetime,
) -> None:
    """Count the people of a list with names among what ``viewer`` has shown, each once an hour, and
    audit once an hour that it was unusually much. A list is never refused for that.
    """
    listed = _on_lists_within_an_hour(session, viewer.name, at=at) | set(alert_ids)
    number, _ = _within_an_hour(session, viewer.name, "reveal", at=at)
    _notice(session, viewer, shown=number + len(listed), settings=settings, at=at)


def _notice(
    session: Session, viewer: Viewer, *, shown: int, settings: AccessSettings, at: datetime
) -> None:
    noticed, _ = _within_an_hour(session, viewer.name, UNUSUAL, at=at)
    if shown < settings.unusual_reveals_per_hour or noticed:
        return
    record_action(
        session,
        at=at,
        actor=viewer.name,
        action="reveals-unusual",
        subject=viewer.name,
        reveals=shown,
    )
    log.warning("%s has had %d people or numbers shown in an hour", viewer.name, shown)


def unusual_reveals(session: Session, *, since: datetime) -> list[tuple[str, datetime]]:
    """Return who had unusually much shown since a moment, and when that was noticed."""
    found = session.execute(
        select(AuditRow.actor, AuditRow.occurred_at)
        .where(AuditRow.action == UNUSUAL, AuditRow.occurred_at > since)
        .order_by(AuditRow.id)
    )
    return [(actor, at) for actor, at in found]


def _on_lists_within_an_hour(session: Session, actor: str, *, at: datetime) -> set[str]:
    """Return the alerts that stood with names on lists of the last hour."""
    found = session.scalars(
        select(AuditRow.details).where(
            AuditRow.actor == actor, AuditRow.action.in_(LISTS), AuditRow.occurred_at > at - HOUR
        )
    )
    return {alert_id for details in found for alert_id in details.get("alerts", ())}


def _within_an_hour(
    session: Session, actor: str, action: str, *, at: datetime
) -> tuple[int, datetime | None]:
    moment = AuditRow.occurred_at
    number, first_at = session.execute(
        select(func.count(), func.min(moment, type_=moment.type)).where(
            AuditRow.actor == actor, AuditRow.action == action, moment > at - HOUR
        )
    ).one()
    return number, first_at
