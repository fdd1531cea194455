"""Outreach lists: who has to be reached in a community on a day, with the vault's names and numbers."""

import re
from datetime import date, datetime, time, timedelta
from typing import cast

from sqlalchemy.orm import Session

from serving.alerts.repository import AlertRepository
from serving.audit import record
from serving.auth import Viewer
from serving.dispositions.schemas import Status
from serving.errors import ProblemError
from serving.outreach.schemas import Channel, Format, OutreachRow
from serving.outreach.sheets import write_outreach
from serving.ports import Identity, IdentityVault, opened_vault
from serving.settings import ServingSettings
from serving.store import Level
from serving.tables import SHANGHAI, AlertRow, DispositionRow
from serving.talks.service import what_to_say
from serving.watchlists.repository import WatchlistRepository
from serving.watchlists.service import day_of
from serving.wording import OPEN, Language

__all__ = ["export_outreach", "format_of", "latest_day_with_list", "outreach_rows"]

# An alert with any other result is settled: calling again would be the second office that warns the same person.
TO_BE_REACHED = frozenset({OPEN, "in_progress", "not_found_yet", "refused"})
LEVELS_BY_VISIT = frozenset({"red", "orange"})


def outreach_rows(
    session: Session,
    *,
    viewer: Viewer,
    community_id: str,
    day: date,
    vault: IdentityVault | None,
    settings: ServingSettings,
    at: datetime,
    language: Language = "zh",
) -> list[OutreachRow]:
    """Return who has to be reached in a community on ``day``, the most urgent first, and audit that it was read.

    Raises a 403 problem for a community ``viewer`` does not look after, a 503 problem without a vault. Commit the
    session before the rows are handed out.
    """
    if not viewer.may_see(community_id):
        raise ProblemError(403, "This community is not one of yours.", remedy="Ask for the list of your own community.")
    opened = opened_vault(vault)
    start, end = day_of(datetime.combine(day, time.min, SHANGHAI))
    found = AlertRepository(session).issued_between(start, end, viewer=viewer, community_id=community_id)
    waiting = [(alert, status) for alert, last in found if (status := _status(last)) in TO_BE_REACHED]
    record(
        session,
        at=at,
        actor=viewer.name,
        action="export",
        subject=community_id,
        day=day.isoformat(),
        alerts=[alert.alert_id for alert, _ in waiting],
    )
    people = opened.reveal_people([alert.person for alert, _ in waiting])
    return [_row(alert, status, people.get(alert.person), settings, language) for alert, status in waiting]


def export_outreach(
    session: Session,
    *,
    viewer: Viewer,
    community_id: str,
    day: date,
    vault: IdentityVault | None,
    settings: ServingSettings,
    at: datetime,
    format: Format,  # noqa: A002
    language: Language = "zh",
) -> bytes:
    """Return the outreach list of a community as a file; see ``outreach_rows``."""
    rows = outreach_rows(
        session,
        viewer=viewer,
        community_id=community_id,
        day=day,
        vault=vault,
        settings=settings,
        at=at,
        language=language,
    )
    return write_outreach(rows, format=format, language=language)


def latest_day_with_list(session: Session) -> date:
    """Return the local day of the latest list; a 404 problem before anything was published."""
    latest = WatchlistRepository(session).latest()
    if latest is None:
        raise ProblemError(404, "No watchlist has been published yet.", remedy="Run forestall score.")
    return latest.at.date()


def format_of(accept: str) -> Format:
    """Return the form that an Accept header asks for; JSON if it names none of ours."""
    if "spreadsheetml" in accept:
        return "xlsx"
    return "csv" if "text/csv" in accept else "json"


def _status(last: DispositionRow | None) -> Status:
    return cast("Status", last.result) if last else OPEN


def _row(
    alert: AlertRow, status: Status, identity: Identity | None, settings: ServingSettings, language: Language
) -> OutreachRow:
    return OutreachRow(
        level=cast("Level", alert.level),
        act_by=alert.issued_at + timedelta(minutes=settings.act_within_minutes[alert.level]),
        channel=_channel(alert, identity, visit_from_age=settings.visit_from_age),
        name=identity.name if identity else "",
        numbers=tuple(identity.msisdns) if identity else (),
        address=identity.address if identity else "",
        grid_id=alert.grid_id,
        reasons=tuple(str(reason[language]) for reason in alert.reasons),
        what_to_say=what_to_say(alert.scam_type, language),
        status=status,
        alert_id=alert.alert_id,
    )


def _channel(alert: AlertRow, identity: Identity | None, *, visit_from_age: int) -> Channel:
    reachable = identity is not None and bool(identity.msisdns)
    age = re.search(r"\d+", alert.age_band or "")
    old = age is not None and int(age.group()) >= visit_from_age
    if not reachable or (old and alert.level in LEVELS_BY_VISIT):
        return "visit"
    return "text" if alert.level == "blue" and not old else "call"
