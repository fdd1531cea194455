"""Districts drawn by hand: a few calls, payments and cases of June 2026, laid out as the lake would
give them.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from pipelines.storage.lake_schemas import TABLES

SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE = ("ada", "bo", "cai")


def on(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A moment of June 2026."""
    return datetime(2026, 6, day, hour, minute, second, tzinfo=SHANGHAI)


def call(person: str, peer: str, known_at: datetime, *, duration_s: int = 60) -> dict:
    """A call to the person's only number that ended, and was known, at ``known_at``."""
    return {
        "number": f"number of {person}",
        "peer": peer,
        "peer_kind": "mobile",
        "direction": "in",
        "service": "voice",
        "duration_s": duration_s,
        "known_at": known_at,
        "event_day": known_at.date(),
    }


def payment(
    person: str,
    payee: str,
    at: datetime,
    cny: int,
    *,
    payee_kind: str = "account",
    delay: timedelta = timedelta(0),
) -> dict:
    """Money that left the person's only account."""
    return {
        "account": f"account of {person}",
        "payee": payee,
        "payee_kind": payee_kind,
        "direction": "debit",
        "amount_cny": cny,
        "occurred_at": at,
        "known_at": at + delay,
        "event_day": at.date(),
    }


def case(
    case_id: str,
    person: str,
    *,
    paid: tuple[datetime, datetime] | None = None,
    reported_at: datetime,
    loss_cny: int | None = None,
    numbers: Iterable[str] = (),
    accounts: Iterable[str] = (),
    scam_type: str = "police",
) -> dict:
    """A loss paid from the first to the last moment of ``paid``, or an attempt."""
    first, last = paid or (None, None)
    return {
        "case_id": case_id,
        "person": person,
        "scam_type": scam_type,
        "outcome": "loss" if paid else "attempt",
        "first_transfer_at": first,
        "last_transfer_at": last,
        "reported_at": reported_at,
        "known_at": reported_at,
        "loss_amount_cny": loss_cny,
        "suspect_numbers": list(numbers),
        "suspect_accounts": list(accounts),
    }


def table(name: str, rows: Sequence[dict] = ()) -> pl.LazyFrame:
    """Rows as the lake's table, null in every column that they leave out."""
    schema = TABLES[name]
    return pl.LazyFrame(
        [{column: row.get(column) for column in schema} for row in rows], schema=schema
    )


def source_tables(
    *,
    calls: Sequence[dict] = (),
    payments: Sequence[dict] = (),
    cases: Sequence[dict] = (),
    people: Sequence[str] = PEOPLE,
) -> SourceTables:
    """A district in which everybody holds one number and one account."""
    return SourceTables(
        calls=table("calls", calls),
        transfers=table("transfers", payments),
        residents=table(
            "residents", [{"person": person, "birth_month": date(1980, 1, 1)} for person in people]
        ),
        subscribers=table(
            "subscribers",
            [{"number": f"number of {person}", "person": person} for person in people],
        ),
        accounts=table(
            "accounts", [{"account": f"account of {person}", "person": person} for person in people]
        ),
        cases=table("cases", cases),
        number_tags=table("number_tags"),
    )


def event_index(**drawn: Sequence[dict]) -> EventIndex:
    """:func:`source_tables`, laid out for asking."""
    return build_event_index(source_tables(**drawn))
