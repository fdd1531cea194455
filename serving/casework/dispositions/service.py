"""Recording what was found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from serving.alerts.disposition_repository import DispositionRepository
from serving.alerts.levels import shown_level
from serving.alerts.schemas import Disposition
from serving.alerts.service import visible_alert
from serving.casework.claims.service import announce_result, assign_alert, current_claim
from serving.casework.dispositions.alert_series import check_merge, series_of, unsettled_alerts
from serving.casework.dispositions.escalations import raised_level, receiver_of
from serving.casework.dispositions.schemas import Escalation, NewDisposition
from serving.casework.follow_ups.service import plan_follow_ups
from serving.context.settings import ServingSettings
from serving.database.audit_chain import record_action
from serving.database.tables import AlertRow, DispositionRow
from serving.http.errors import ProblemError
from serving.http.etags import version_conflict
from serving.vocabulary.dispositions import SETTLED, Source
from serving.vocabulary.roles import Viewer

__all__ = ["dispositions_of", "record_disposition"]

COPIED = ("result", "found_at", "met_by", "channel", "snoozed_until")  # holds for the whole series
# Holds for the one alert: money must not be counted twice
OWN = ("note", "merged_into", "paid_cny", "prevented_cny")


def record_disposition(
    session: Session,
    *,
    viewer: Viewer,
    alert_id: str,
    new: NewDisposition,
    version: int,
    at: datetime,
    settings: ServingSettings,
    source: Source,
    list_id: str | None = None,
) -> DispositionRow:
    """Record what ``viewer`` found about an alert, audited.

    ``version`` is that of the last disposition they had read, 0 before the first. Follow-ups are
    planned, and the rest of the alert series follows, as ``new`` asks. Raises a 404
    problem for an alert they may not see, a 412 problem if the alert has moved on since it was
    read, a 422 problem for a time, a colleague or an alert that cannot be used.
    """
    alert, last = visible_alert(session, viewer=viewer, alert_id=alert_id)
    if version != (last.version if last else 0):
        raise _version_problem(last)
    _check(session, new, alert=alert, viewer=viewer, at=at, settings=settings)
    fields = {name: getattr(new, name) for name in COPIED}
    fields |= {"decided_at": at, "decided_by": viewer.name, "source": source, "list_id": list_id}
    escalation = _escalation_fields(session, new.escalate, alert=alert, last=last, viewer=viewer)
    own = {name: getattr(new, name) for name in OWN}
    rows = [_add_row(session, alert, last, fields | own | escalation)]
    if new.whole_episode:
        rest = unsettled_alerts(
            series_of(session, viewer=viewer, alert=alert, settings=settings), excluding=alert_id
        )
        rows += [
            _add_row(
                session, other, latest, fields | _former_level(latest) | {"copied_from": alert_id}
            )
            for other, latest in rest
        ]
    plan_follow_ups(
        session,
        alert=alert,
        result=new.result,
        found_at=new.found_at,
        days=new.follow_up_days,
        at=at,
        viewer=viewer,
        settings=settings,
    )
    _audit(session, rows)
    for row in rows:
        settled = row.result in SETTLED
        announce_result(
            session,
            alert_id=row.alert_id,
            community_id=alert.community_id,
            settled=settled,
            by=viewer.name,
            at=at,
        )
    _give(session, rows[0], viewer=viewer, at=at, settings=settings)
    return rows[0]


def dispositions_of(session: Session, *, viewer: Viewer, alert_id: str) -> Sequence[DispositionRow]:
    """Return what was found about an alert, oldest first.

    A 404 problem for an alert they may not see.
    """
    visible_alert(session, viewer=viewer, alert_id=alert_id)
    return DispositionRepository(session).of_alert(alert_id)


def _check(
    session: Session,
    new: NewDisposition,
    *,
    alert: AlertRow,
    viewer: Viewer,
    at: datetime,
    settings: ServingSettings,
) -> None:
    if new.snoozed_until and not at < new.snoozed_until <= at + timedelta(
        days=settings.max_snooze_days
    ):
        raise ProblemError(
            422,
            "An alert can be put off from now on, but not for so long.",
            remedy="Choose another time.",
        )
    if new.found_at and new.found_at > at:
        raise ProblemError(
            422, "It cannot have been found later than now.", remedy="Choose another time."
        )
    if new.merged_into is not None:
        check_merge(session, viewer=viewer, alert=alert, into=new.merged_into)


def _escalation_fields(
    session: Session,
    escalation: Escalation | None,
    *,
    alert: AlertRow,
    last: DispositionRow | None,
    viewer: Viewer,
) -> dict[str, Any]:
    """Return the fields of an escalation: the new level, the receiver and why.

    Without an escalation an alert that was raised before keeps its level.
    """
    if escalation is None:
        return _former_level(last)
    return {
        "level": raised_level(shown_level(alert, last), escalation.level),
        "escalated_to": receiver_of(
            session, escalation, community_id=alert.community_id, viewer=viewer
        ),
        "escalated_why": escalation.why,
    }


def _add_row(
    session: Session, alert: AlertRow, last: DispositionRow | None, fields: dict[str, Any]
) -> DispositionRow:
    version = last.version + 1 if last else 1
    dispositions = DispositionRepository(session)
    try:
        return dispositions.add(
            DispositionRow(alert_id=alert.alert_id, person=alert.person, version=version, **fields)
        )
    # Two writers at one moment on PostgreSQL; on SQLite the second one waits and reads
    except IntegrityError:
        raise _version_problem(dispositions.last_of(alert.alert_id)) from None


def _give(
    session: Session,
    row: DispositionRow,
    *,
    viewer: Viewer,
    at: datetime,
    settings: ServingSettings,
) -> None:
    """Assign the alert to its receiver, unless it is settled or a third person has it."""
    if row.escalated_to is None or row.result in SETTLED:
        return
    claim = current_claim(session, alert_id=row.alert_id, at=at)
    if claim is None or claim.claimed_by in {viewer.name, row.escalated_to}:
        assign_alert(
            session,
            viewer=viewer,
            alert_id=row.alert_id,
            to=row.escalated_to,
            at=at,
            settings=settings,
        )


def _former_level(last: DispositionRow | None) -> dict[str, Any]:
    """Return the field of the level that the alert was raised to before: it stays raised."""
    return {"level": last.level if last else None}


def _audit(session: Session, rows: Sequence[DispositionRow]) -> None:
    for row in rows:
        record = partial(
            record_action, session, at=row.decided_at, actor=row.decided_by, subject=row.alert_id
        )
        record(
            action="disposition",
            row=row,
            result=row.result,
            version=row.version,
            source=row.source,
        )
        if row.escalated_to:
            record(action="escalate", to=row.escalated_to, level=row.level)


def _version_problem(last: DispositionRow | None) -> ProblemError:
    current = Disposition.model_validate(last) if last else None
    return version_conflict(version=last.version if last else 0, current=current)
