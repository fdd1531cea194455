"""Outreach lists: who has to be reached in a community on a day, with the vault's names and
numbers.

Whoever sees names and numbers is audited. What is issued – print, CSV, XLSX, JSON – is a
list of its own with an id, which the audit names, and is valid for a day.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, cast

from sqlalchemy.orm import Session

from data_contracts.words.everyday_reasons import load_everyday_reasons, present_code
from serving.access.community_scope import may_see
from serving.access.reveals import notice_list
from serving.access.vault import opened_vault
from serving.alerts.levels import shown_level
from serving.alerts.repository import AlertRepository, Found
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.casework.call_scripts.service import opening_words
from serving.casework.suppressions.repository import SuppressionRepository
from serving.context.ports import Identity, IdentityVault
from serving.context.settings import ServingSettings
from serving.database.audit_chain import record_action
from serving.http.errors import ProblemError
from serving.outreach.channels import channel_of, is_old, voice_first
from serving.outreach.repository import OutreachRepository
from serving.outreach.schemas import Form, Format, IssuedList, OutreachList, OutreachRow
from serving.outreach.tables import OutreachItemRow, OutreachListRow
from serving.presentation.translations import Translator, get_translator
from serving.vocabulary.alerts import URGENCY
from serving.vocabulary.dispositions import OPEN, Status
from serving.vocabulary.languages import Language, read_in
from serving.vocabulary.roles import Viewer
from serving.vocabulary.times import SHANGHAI, local_day_span

__all__ = [
    "ListRequest",
    "alerts_to_reach",
    "communities_with_alerts",
    "format_of",
    "issue_list",
    "latest_day_with_list",
    "preview_list",
    "reopen_list",
]

# An alert with any other result is settled: calling again would be the second office that warns the
# same person.
TO_BE_REACHED = frozenset({OPEN, "in_progress", "not_found_yet", "refused"})
REPEATS = "duplicate"
MOST_REASONS = 3


@dataclass(frozen=True, kw_only=True)
class ListRequest:
    """Which community's list of which day, who asks for it and when, and in which language they
    read it.
    """

    viewer: Viewer
    community_id: str
    day: date
    at: datetime
    language: Language = "zh"


def issue_list(
    session: Session,
    list_request: ListRequest,
    *,
    form: Form,
    vault: IdentityVault | None,
    settings: ServingSettings,
) -> OutreachList:
    """Issue the list as ``form``, and audit it under its id.

    Raises a 403 problem for a community that the viewer does not look after, a 503 problem without
    a vault. Commit the session before the rows are handed out.
    """
    opened = opened_vault(vault)
    waiting = alerts_to_reach(session, list_request, settings=settings)
    lists = OutreachRepository(session)
    made = OutreachListRow(
        list_id=_list_id(
            list_request, number=lists.of_day(list_request.community_id, list_request.day)
        ),
        community_id=list_request.community_id,
        day=list_request.day,
        form=form,
        issued_at=list_request.at,
        issued_by=list_request.viewer.name,
        expires_at=list_request.at + timedelta(hours=settings.outreach_hours),
        items=[_item(position, found) for position, found in enumerate(waiting, start=1)],
    )
    lists.add(made)
    _audit(session, list_request, waiting, form=form, settings=settings, list_id=made.list_id)
    rows = _with_identities(
        waiting, vault=opened, settings=settings, say=get_translator(list_request.language)
    )
    return OutreachList(**IssuedList.model_validate(made).model_dump(), rows=rows)


def preview_list(
    session: Session,
    list_request: ListRequest,
    *,
    vault: IdentityVault | None,
    settings: ServingSettings,
) -> list[OutreachRow]:
    """Return who has to be reached, for the screen; audited too, but no list is issued.

    See ``issue_list``.
    """
    opened = opened_vault(vault)
    waiting = alerts_to_reach(session, list_request, settings=settings)
    _audit(session, list_request, waiting, form="screen", settings=settings)
    return _with_identities(
        waiting, vault=opened, settings=settings, say=get_translator(list_request.language)
    )


def reopen_list(
    session: Session,
    list_request: ListRequest,
    *,
    made: OutreachListRow,
    form: str,
    vault: IdentityVault | None,
    settings: ServingSettings,
) -> dict[int, OutreachRow]:
    """Return the people of a list that the viewer may still see, by their position on it.

    Audited under its id.
    """
    opened = opened_vault(vault)
    alerts = OutreachRepository(session).alerts_of(made, viewer=list_request.viewer)
    found = {item.position: alerts[item.alert_id] for item in made.items if item.alert_id in alerts}
    _audit(
        session,
        list_request,
        list(found.values()),
        form=form,
        settings=settings,
        list_id=made.list_id,
    )
    rows = _with_identities(
        list(found.values()),
        vault=opened,
        settings=settings,
        say=get_translator(list_request.language),
    )
    return dict(zip(found, rows, strict=True))


def alerts_to_reach(
    session: Session, list_request: ListRequest, *, settings: ServingSettings
) -> list[Found]:
    """Return the alerts of the day and of the days before that still wait, one a person, the most
    urgent first.

    A person's newest alert decides whether they have to be reached. Raises a 403 problem for a
    community that the viewer does not look after.
    """
    if not may_see(list_request.viewer, list_request.community_id):
        raise ProblemError(
            403,
            "This community is not one of yours.",
            remedy="Ask for the list of your own community.",
        )
    start, end = _span(list_request.day, settings=settings)
    alerts = AlertRepository(session)
    found = alerts.issued_between(
        start, end, viewer=list_request.viewer, community_id=list_request.community_id
    )
    by_time = sorted(
        (one for one in found if _status(one) != REPEATS), key=lambda one: one[0].issued_at
    )
    newest = {one[0].person: one for one in by_time}
    suppressed = {row.person for row in SuppressionRepository(session).in_force(list_request.at)}
    waiting = [
        one
        for one in found
        if newest.get(one[0].person) is one
        and _status(one) in TO_BE_REACHED
        and one[0].person not in suppressed
    ]
    return sorted(waiting, key=lambda one: URGENCY[shown_level(one[0], one[1])])


def communities_with_alerts(
    session: Session, *, viewer: Viewer, day: date, settings: ServingSettings
) -> list[str]:
    """Return the communities that ``viewer`` can ask a list of: their own, or those with alerts on
    ``day``.
    """
    if viewer.communities is not None:
        return sorted(viewer.communities)
    start, end = _span(day, settings=settings)
    found = AlertRepository(session).issued_between(start, end, viewer=viewer)
    return sorted({alert.community_id for alert, _ in found})


def is_published(session: Session, day: date, *, settings: ServingSettings) -> bool:
    """Return whether a list was published that an outreach list of ``day`` can draw on."""
    start, end = _span(day, settings=settings)
    return WatchlistRepository(session).has_any(start=start, end=end)


def latest_day_with_list(session: Session) -> date:
    """Return the local day of the latest list; a 404 problem before anything was published."""
    latest = WatchlistRepository(session).latest()
    if latest is None:
        raise ProblemError(
            404, "No watchlist has been published yet.", remedy="Run forestall score."
        )
    return latest.at.date()


def format_of(accept: str) -> Format:
    """Return the form that an Accept header asks for; JSON if it names none of ours."""
    if "spreadsheetml" in accept:
        return "xlsx"
    return "csv" if "text/csv" in accept else "json"


def _span(day: date, *, settings: ServingSettings) -> tuple[datetime, datetime]:
    start, end = local_day_span(datetime.combine(day, time.min, SHANGHAI))
    return start - timedelta(days=settings.carry_over_days), end


def _list_id(list_request: ListRequest, *, number: int) -> str:
    """Return an id that is short enough for paper and has no digits that look like letters."""
    parts = (
        list_request.community_id,
        list_request.day.isoformat(),
        str(number),
        list_request.at.isoformat(),
        list_request.viewer.name,
    )
    return "L" + base64.b32encode(hashlib.sha256("|".join(parts).encode()).digest()).decode()[:7]


def _item(position: int, found: Found) -> OutreachItemRow:
    alert, last = found
    return OutreachItemRow(
        position=position,
        alert_id=alert.alert_id,
        person=alert.person,
        version=last.version if last else 0,
    )


def _audit(
    session: Session,
    list_request: ListRequest,
    found: Sequence[Found],
    *,
    form: str,
    settings: ServingSettings,
    list_id: str | None = None,
) -> None:
    alert_ids = [alert.alert_id for alert, _ in found]
    notice_list(
        session,
        viewer=list_request.viewer,
        alert_ids=alert_ids,
        settings=settings,
        at=list_request.at,
    )
    record_action(
        session,
        at=list_request.at,
        actor=list_request.viewer.name,
        action="print" if form == "print" else "export",
        subject=list_request.community_id,
        day=list_request.day.isoformat(),
        form=form,
        list_id=list_id,
        alerts=alert_ids,
    )


def _status(found: Found) -> Status:
    last = found[1]
    return cast("Status", last.result) if last else OPEN


def _everyday_reasons(reasons: Sequence[Mapping[str, Any]], say: Translator) -> tuple[str, ...]:
    """Return the weightiest reasons in everyday words; one without such words speaks for itself."""
    everyday = load_everyday_reasons()
    words = (
        read_in(everyday[code], say.language)
        if (code := present_code(reason["code"])) in everyday
        else reason[say.language]
        for reason in reasons
    )
    return tuple(islice(dict.fromkeys(words), MOST_REASONS))


def _with_identities(
    waiting: Sequence[Found], *, vault: IdentityVault, settings: ServingSettings, say: Translator
) -> list[OutreachRow]:
    people = vault.reveal_people([alert.person for alert, _ in waiting])
    return [_row(one, people.get(one[0].person), settings, say) for one in waiting]


def _row(
    found: Found, identity: Identity | None, settings: ServingSettings, say: Translator
) -> OutreachRow:
    alert, last = found
    level, status = shown_level(alert, last), _status(found)
    already_paid = alert.already_paid_cny is not None
    old = is_old(alert.age_band, from_age=settings.visit_from_age)
    numbers = voice_first(identity.msisdns if identity else (), old=old)
    return OutreachRow(
        level=level,
        act_by=alert.issued_at + timedelta(minutes=settings.act_within_minutes[level]),
        channel=channel_of(
            level=level, old=old, numbers=numbers, status=status, already_paid=already_paid
        ),
        name=identity.name if identity else "",
        numbers=numbers,
        address=identity.address if identity else "",
        grid_id=alert.grid_id,
        scam_type=alert.scam_type,
        already_paid=already_paid,
        reasons=_everyday_reasons(alert.reasons, say),
        what_to_say=opening_words(alert.scam_type, say, already_paid=already_paid),
        status=status,
        alert_id=alert.alert_id,
        version=last.version if last else 0,
    )
