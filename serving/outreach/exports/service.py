"""Writing alerts as streams of any length in memory of one size."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from serving.alerts.schemas import Alert, AlertFilter, AlertQuery
from serving.alerts.service import alert_page
from serving.database.audit_chain import record_action
from serving.database.engine import read_transaction
from serving.outreach.sheets import csv_line
from serving.vocabulary.roles import Viewer

__all__ = ["COLUMNS", "alerts_as_csv", "alerts_as_ndjson", "note_export"]

ALERTS_A_CHUNK = 200
COLUMNS = (*(name for name in Alert.model_fields if name != "reasons"), "reasons_zh", "reasons_en")


def note_export(
    session: Session, *, viewer: Viewer, chosen: AlertFilter, form: str, at: datetime
) -> None:
    """Write down who takes which alerts away; commit before the first one leaves."""
    filters = chosen.model_dump(mode="json", exclude_none=True)
    record_action(
        session, at=at, actor=viewer.name, action="export", subject=f"alerts.{form}", **filters
    )


def alerts_as_csv(engine: Engine, *, viewer: Viewer, chosen: AlertFilter) -> Iterator[bytes]:
    """Yield the chosen alerts that ``viewer`` may see as CSV, with a byte order mark for Excel."""
    yield csv_line(COLUMNS).encode("utf-8-sig")
    for chunk in _chunks(engine, viewer=viewer, chosen=chosen):
        yield "".join(csv_line(_cells(alert)) for alert in chunk).encode()


def alerts_as_ndjson(engine: Engine, *, viewer: Viewer, chosen: AlertFilter) -> Iterator[bytes]:
    """Yield the chosen alerts that ``viewer`` may see as JSON, one to a line."""
    for chunk in _chunks(engine, viewer=viewer, chosen=chosen):
        yield "".join(alert.model_dump_json() + "\n" for alert in chunk).encode()


def _chunks(engine: Engine, *, viewer: Viewer, chosen: AlertFilter) -> Iterator[list[Alert]]:
    """Yield the alerts page by page, each in a transaction of its own.

    A reader may be slow, and on SQLite an open transaction would keep the next list from being
    published. What is published meanwhile neither repeats nor hides an alert, as with pages.
    """
    query: AlertQuery | None = AlertQuery(**dict(chosen), limit=ALERTS_A_CHUNK)
    while query is not None:
        with read_transaction(engine, communities=viewer.communities) as session:
            page = alert_page(session, viewer=viewer, query=query)
        yield page.items
        query = query.model_copy(update={"cursor": page.next_cursor}) if page.next_cursor else None


def _cells(alert: Alert) -> list[str]:
    fields = alert.model_dump(mode="json")
    reasons = fields.pop("reasons")
    values = ["" if value is None else str(value) for value in fields.values()]
    return [
        *values,
        *("\n".join(reason[language] for reason in reasons) for language in ("zh", "en")),
    ]
