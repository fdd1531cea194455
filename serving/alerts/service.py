"""Reading alerts and what explains them."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from data_contracts.main_payment import PAID_LATELY
from serving.access.community_scope import may_see
from serving.alerts.contribution_chart import draw_waterfall
from serving.alerts.disposition_repository import DispositionRepository
from serving.alerts.repository import UNKNOWN_SAVING_CNY, AlertRepository
from serving.alerts.schemas import (
    Alert,
    AlertDetail,
    AlertPage,
    AlertQuery,
    Disposition,
    ScorePoint,
    TimelineEvent,
    TouchedResident,
    summary_of,
)
from serving.alerts.score_chart import score_chart
from serving.alerts.scores import ScoreRepository
from serving.alerts.timeline_chart import timeline_chart
from serving.database.tables import AlertRow, DispositionRow
from serving.http.errors import ProblemError
from serving.http.paging import decode_cursor, encode_cursor
from serving.presentation.translations import Translator
from serving.vocabulary.roles import Viewer
from serving.vocabulary.times import SHANGHAI

__all__ = [
    "alert_detail",
    "alert_page",
    "alerts_naming",
    "contribution_svg",
    "earlier_alerts",
    "payments_out",
    "score_history",
    "score_svg",
    "timeline_svg",
    "visible_alert",
]

HISTORY_BEFORE = timedelta(days=30)


def alert_page(session: Session, *, viewer: Viewer, query: AlertQuery) -> AlertPage:
    """Return one page of the current alerts that ``viewer`` may see."""
    rows = AlertRepository(session).page(query, viewer=viewer, after=_position(query))
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return AlertPage(
        items=[Alert(**summary_of(alert, decision)) for alert, decision in shown],
        next_cursor=_cursor_after(shown[-1][0], query) if more else None,
    )


def alert_detail(session: Session, *, viewer: Viewer, alert_id: str) -> AlertDetail:
    """Return one alert with its explanation.

    A 404 problem where there is none that ``viewer`` may see.
    """
    alert, decision = visible_alert(session, viewer=viewer, alert_id=alert_id)
    watchlist = alert.watchlist
    decisions = DispositionRepository(session).of_alert(alert_id)
    explained = {
        name: getattr(alert, name)
        for name in (
            *(
                "base_value",
                "contributions",
                "missing",
                "age_band",
                "suspect_numbers",
                "suspect_accounts",
            ),
            *("first_contact_at", "timeline"),
        )
    }
    versions = {
        name: getattr(watchlist, name)
        for name in ("at", "model_version", "model_digest", "data_version", "contract_version")
    }
    return AlertDetail(
        **summary_of(alert, decision),
        **explained,
        **versions,
        touched=_touched(session, alert, viewer=viewer),
        withdrawn=watchlist.superseded_at is not None,
        version=len(decisions),
        dispositions=[Disposition.model_validate(row) for row in decisions],
    )


def alerts_naming(session: Session, *, viewer: Viewer, key: str, limit: int = 20) -> list[Alert]:
    """Return the newest current alerts that name a suspect number or account, as far as ``viewer``
    may see them.
    """
    found = AlertRepository(session).naming(key, viewer=viewer, limit=limit)
    return [Alert(**summary_of(alert, decision)) for alert, decision in found]


def earlier_alerts(session: Session, *, viewer: Viewer, alert: AlertDetail) -> list[Alert]:
    """Return the person's other current alerts, the newest first, each with its last result."""
    earlier = AlertRepository(session).of_person(alert.person, viewer=viewer)
    return [
        Alert(**summary_of(one, last))
        for one, last in reversed(earlier)
        if one.alert_id != alert.id
    ]


def payments_out(events: Sequence[TimelineEvent], *, until: datetime) -> list[TimelineEvent]:
    """Return the payments to new accounts outside the district that became known in the seven days
    before ``until``, the newest first: those that ``already_paid_cny`` adds up.

    Events that were stored before they said so go by the time of the payment.
    """
    latest = list(reversed(events))
    return [event for event in latest if event.just_paid] or [
        event
        for event in latest
        if (event.channel, event.direction, event.peer_kind) == ("transfer", "out", "outside")
        and event.is_stranger
        and until - PAID_LATELY <= event.at < until
    ]


def score_history(session: Session, *, alert: AlertDetail) -> list[ScorePoint]:
    """Return how the person was scored in the time around an alert, oldest first."""
    points = ScoreRepository(session).of_person(
        alert.person, since=alert.issued_at - HISTORY_BEFORE
    )
    return [ScorePoint(at=at, score=score) for at, score in points]


def contribution_svg(alert: AlertDetail, say: Translator) -> str:
    """Return the SHAP waterfall of an alert as SVG."""
    return draw_waterfall(
        base_value=alert.base_value, contributions=tuple(alert.contributions), say=say
    )


def score_svg(session: Session, *, viewer: Viewer, alert: AlertDetail, say: Translator) -> str:
    """Return the person's risk over time as SVG, with a line at each alert."""
    others = earlier_alerts(session, viewer=viewer, alert=alert)
    points = score_history(session, alert=alert) or [
        ScorePoint(at=alert.issued_at, score=alert.score)
    ]
    issued = [alert.issued_at, *(one.issued_at for one in others if one.issued_at >= points[0].at)]
    return score_chart(points, alerts=sorted(issued), say=say)


def timeline_svg(alert: AlertDetail, say: Translator) -> str:
    """Return the timeline of an alert as SVG."""
    return timeline_chart(
        alert.timeline,
        suspects=frozenset({*alert.suspect_numbers, *alert.suspect_accounts}),
        first_contact_at=alert.first_contact_at,
        issued_at=alert.issued_at,
        say=say,
    )


def visible_alert(
    session: Session, *, viewer: Viewer, alert_id: str
) -> tuple[AlertRow, DispositionRow | None]:
    """Return an alert and its last disposition.

    A 404 problem where there is none that ``viewer`` may see.
    """
    found = AlertRepository(session).get(alert_id, viewer=viewer)
    if found is None:
        raise ProblemError(404, "There is no such alert in your communities.")
    return found[0], found[1]


def _touched(session: Session, alert: AlertRow, *, viewer: Viewer) -> list[TouchedResident]:
    seen = [TouchedResident(**one) for one in alert.touched if may_see(viewer, one["community_id"])]
    known = AlertRepository(session).newest_of([one.person for one in seen], viewer=viewer)
    return [one.model_copy(update={"alert_id": known.get(one.person)}) for one in seen]


def _cursor_after(alert: AlertRow, query: AlertQuery) -> str:
    value = getattr(alert, query.sort)
    if value is None:
        value = UNKNOWN_SAVING_CNY
    return encode_cursor(
        query.sort, value.isoformat() if isinstance(value, datetime) else repr(value), alert.id
    )


def _position(query: AlertQuery) -> tuple[Any, int] | None:
    if query.cursor is None:
        return None
    sort, value, row_id = decode_cursor(query.cursor, str, str, int)
    if sort != query.sort:
        raise _foreign_cursor()
    try:
        return CURSOR_VALUES[sort](value), row_id
    except (ValueError, OverflowError):
        raise _foreign_cursor() from None


def _foreign_cursor() -> ProblemError:
    return ProblemError(
        400, "The cursor belongs to another order.", remedy="Start again without a cursor."
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(SHANGHAI).astimezone(UTC).astimezone(SHANGHAI)


def _rank(text: str) -> int:
    rank = int(text)
    if not 0 <= rank < 2**31:
        raise ValueError("no list is so long")
    return rank


def _figure(text: str) -> float:
    figure = float(text)
    if not math.isfinite(figure):
        raise ValueError("no figure")
    return figure


CURSOR_VALUES: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {"rank": _rank, "score": _figure, "saving_cny": _figure, "issued_at": _moment}
)
