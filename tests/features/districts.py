"""Small districts written by hand: a row needs only what matters to the test."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from features.kernel.source_tables import SourceTables

SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENT = pl.Datetime("us", "Asia/Shanghai")
NOON = datetime(2026, 7, 20, 12, tzinfo=SHANGHAI)

Row = dict[str, Any]

CALLS = {
    "source": pl.String,
    "number": pl.String,
    "peer": pl.String,
    "peer_kind": pl.String,
    "direction": pl.String,
    "service": pl.String,
    "started_at": MOMENT,
    "duration_s": pl.Int32,
    "known_at": MOMENT,
}
TRANSFERS = {
    "source": pl.String,
    "account": pl.String,
    "payee": pl.String,
    "payee_kind": pl.String,
    "direction": pl.String,
    "amount_cny": pl.Decimal(18, 2),
    "occurred_at": MOMENT,
    "known_at": MOMENT,
}
RESIDENTS = {
    "person": pl.String,
    "birth_month": pl.Date,
    "residency": pl.String,
    "community_id": pl.String,
}
SUBSCRIBERS = {
    "number": pl.String,
    "person": pl.String,
    "operator": pl.String,
    "activated_on": pl.Date,
}
ACCOUNTS = {"account": pl.String, "person": pl.String, "bank": pl.String, "opened_on": pl.Date}
CASES = {
    "case_id": pl.String,
    "known_at": MOMENT,
    "suspect_numbers": pl.List(pl.String),
    "suspect_accounts": pl.List(pl.String),
}
OPERATORS = {"n1": "cmcc", "n2": "cmcc", "n3": "cucc"}
BANKS = {"a1": "icbc", "a9": "boc", "a2": "boc"}
SERVED_BY = {"cmcc": "n2", "cucc": "n3", "icbc": "a1", "boc": "a2"}  # one that each source serves
TAGS = {"number": pl.String, "tag": pl.String}


def ago(*, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
    """That long before ``NOON``, the moment at which most tests ask."""
    return NOON - timedelta(days=days, hours=hours, minutes=minutes)


def call(peer: str, started_at: datetime, **given: Any) -> Row:
    """A voice call to number ``n1`` from a mobile, answered for a minute, known when it ends."""
    row = {
        "source": OPERATORS.get(given.get("number", "n1"), "cmcc"),
        "number": "n1",
        "peer": peer,
        "peer_kind": "mobile",
        "direction": "in",
        "service": "voice",
        "started_at": started_at,
        "duration_s": 60,
        **given,
    }
    return {"known_at": started_at + timedelta(seconds=row["duration_s"]), **row}


def text(peer: str, started_at: datetime, **given: Any) -> Row:
    """A text message to number ``n1``."""
    return call(peer, started_at, service="sms", duration_s=0, **given)


def transfer(payee: str, occurred_at: datetime, amount_cny: str, **given: Any) -> Row:
    """A debit of account ``a1``, known at once; a payee that begins with ``m`` is a merchant."""
    return {
        "source": BANKS.get(given.get("account", "a1"), "icbc"),
        "account": "a1",
        "payee": payee,
        "payee_kind": "merchant" if payee.startswith("m") else "account",
        "direction": "debit",
        "amount_cny": Decimal(amount_cny),
        "occurred_at": occurred_at,
        "known_at": occurred_at,
        **given,
    }


def credit(payer: str, occurred_at: datetime, amount_cny: str, **given: Any) -> Row:
    """Money that arrives on account ``a1``."""
    return transfer(payer, occurred_at, amount_cny, direction="credit", **given)


def case(known_at: datetime, *, numbers: Iterable[str] = (), accounts: Iterable[str] = ()) -> Row:
    """A reported case that names numbers and accounts."""
    return {
        "case_id": f"c{known_at:%d%H%M}",
        "known_at": known_at,
        "suspect_numbers": list(numbers),
        "suspect_accounts": list(accounts),
    }


def district(
    *,
    calls: Iterable[Row] = (),
    transfers: Iterable[Row] = (),
    cases: Iterable[Row] = (),
    tags: Iterable[tuple[str, str]] = (),
    holders: Iterable[tuple[str, str, date | None]] = (),
) -> SourceTables:
    """Three residents: p1 holds n1, a1 and a9; p2 holds n2 and a2; p3 holds n3 and no account.

    ``holders`` are more: number or account, person, and the day from which.
    """
    more = list(holders)
    return SourceTables(
        calls=frame(calls, CALLS),
        transfers=frame(transfers, TRANSFERS),
        residents=frame(
            (
                {
                    "person": f"p{i}",
                    "birth_month": date(1950 + 10 * i, 7, 1),
                    "residency": "local",
                    "community_id": "c",
                }
                for i in (1, 2, 3)
            ),
            RESIDENTS,
        ),
        subscribers=frame(
            (
                {
                    "number": number,
                    "person": person,
                    "operator": OPERATORS[number],
                    "activated_on": activated_on,
                }
                for number, person, activated_on in (
                    *((f"n{i}", f"p{i}", date(2020, 7, 20 - i)) for i in (1, 2, 3)),
                    *(one for one in more if one[0] in OPERATORS),
                )
            ),
            SUBSCRIBERS,
        ),
        accounts=frame(
            (
                {
                    "account": account,
                    "person": person,
                    "bank": BANKS[account],
                    "opened_on": opened_on,
                }
                for account, person, opened_on in (
                    ("a1", "p1", date(2021, 7, 20)),
                    ("a9", "p1", date(2026, 7, 10)),
                    ("a2", "p2", date(2025, 7, 20)),
                    *(one for one in more if one[0] in BANKS),
                )
            ),
            ACCOUNTS,
        ),
        cases=frame(cases, CASES),
        number_tags=frame(({"number": number, "tag": tag} for number, tag in tags), TAGS),
    )


def frame(rows: Iterable[Row], schema: dict[str, Any]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema=schema, orient="row")


def moments(*points: tuple[str, datetime]) -> pl.DataFrame:
    """Query points for :func:`features.point_in_time.build_snapshot`."""
    return pl.DataFrame(list(points), schema={"person": pl.String, "at": MOMENT}, orient="row")


def delivered_records(**ago_of: timedelta) -> SourceTables:
    """A district in which each source delivered one record, that long before noon; p1 is not in the
    calls.
    """
    ages = [(NOON - age, SERVED_BY[name]) for name, age in ago_of.items()]
    return district(
        calls=[call("x1", at, number=mine, duration_s=0) for at, mine in ages if mine in OPERATORS],
        transfers=[
            transfer("b1", at, "100.00", account=mine) for at, mine in ages if mine in BANKS
        ],
    )
