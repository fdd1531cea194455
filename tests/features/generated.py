"""Hypothesis strategies for small districts: few people, few others, many ties in time, deliveries
out of order.

Beside unrelated rows there are a few scripted courses of events, in order: a lure, payments that
grow, a caller who comes back, and payments after a call.

To index one small district and to ask it takes as long as ten of them in one, which have nothing to
do with one another (:func:`side_by_side`): so they are drawn and asked by tens.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TypeVar

import polars as pl
from hypothesis import strategies as st

from features.kernel.source_tables import SourceTables
from tests.features import districts
from tests.features.districts import NOON, Row, district

PEERS = ("n2", "x1", "x1", "x2", "x3", "x4")
ACCOUNTS = ("a1", "a2")
PAYEES = ("a9", "a2", "b1", "b2", "b3", "m1")
KINDS = {
    "n2": "mobile",
    "x1": "virtual",
    "x2": "international",
    "x3": "service_400",
    "x4": "landline",
}

# : Hours ago: mostly within a few days, and on the edges of every window, of strangeness and of
# silence.
RECENT_STEPS = (1, 2, 3, 5, 6, 7, 23, 24, 25, 47, 48, 71, 72)
EDGE_STEPS = (
    96,
    167,
    168,
    169,
    240,
    335,
    336,
    359,
    360,
    361,
    480,
    719,
    720,
    721,
    1000,
    1104,
    1416,
    1439,
    1441,
)
STEPS = RECENT_STEPS * 2 + EDGE_STEPS

ScriptedRows = Mapping[str, Sequence[Row]]
Holders = list[tuple[str, str, date | None]]
TODAY = NOON.date()
HANDED_ON = (None, *(TODAY - timedelta(days=days) for days in (-9, 0, 1, 2, 7, 20, 31, 45)))
CAMPAIGN_GAPS = tuple(
    timedelta(hours=hours)
    for hours in (0, 0.1, 0.2, 1, 5, 23.99, 24, 24.01, 48, 671, 672, 673, 690, 720)
)

Value = TypeVar("Value")


@cache
def any_of(values: tuple[Value, ...]) -> st.SearchStrategy[Value]:
    """One of ``values``, made once: to make a strategy takes longer than to draw from it."""
    return st.sampled_from(values)


times = st.builds(
    lambda hours, shift: NOON - timedelta(hours=hours) + shift,
    any_of(STEPS),
    any_of(
        (timedelta(0), timedelta(minutes=20), timedelta(milliseconds=1), timedelta(microseconds=-1))
    ),
)
recent_times = any_of(RECENT_STEPS[:9]).map(lambda hours: NOON - timedelta(hours=hours))
delays = any_of((timedelta(0), timedelta(0), timedelta(minutes=15), timedelta(hours=24)))


@st.composite
def calls(draw: st.DrawFn) -> Row:
    peer, started_at = draw(any_of(PEERS)), draw(times)
    is_text = draw(st.integers(0, 3)) == 0
    duration_s = 0 if is_text else draw(any_of((0, 10, 25, 26, 599, 600, 7200)))
    return districts.call(
        peer,
        started_at,
        number=draw(any_of(("n1", "n1", "n2", "n3", "unheld"))),
        peer_kind=KINDS[peer],
        direction=draw(any_of(("in", "in", "in", "out"))),
        service="sms" if is_text else "voice",
        duration_s=duration_s,
        known_at=started_at + timedelta(seconds=duration_s) + draw(delays),
    )


@st.composite
def transfers(draw: st.DrawFn) -> Row:
    occurred_at = draw(times)
    return districts.transfer(
        draw(any_of(PAYEES)),
        occurred_at,
        draw(any_of(("0.01", "106.00", "4999.99", "5000.00", "12000.37"))),
        account=draw(any_of(("a1", "a1", "a2", "unheld"))),
        direction=draw(any_of(("debit", "debit", "credit"))),
        known_at=occurred_at + draw(delays),
    )


@st.composite
def cases(draw: st.DrawFn) -> Row:
    return districts.case(
        draw(times),
        numbers=draw(st.lists(any_of(("x1", "x2", "never-seen")), max_size=2)),
        accounts=draw(st.lists(any_of(("b1", "b2")), max_size=2)),
    )


@st.composite
def holders(draw: st.DrawFn) -> Holders:
    """Numbers and accounts that change hands, on days around those that matter."""
    days = any_of(HANDED_ON)
    names = any_of(("n1", "n2", "n3", "a1", "a2", "a9"))
    return draw(
        st.lists(
            st.tuples(names, any_of(("p1", "p2", "p3")), days),
            max_size=4,
            unique_by=lambda one: (one[0], one[2]),
        )
    )


@st.composite
def campaign(draw: st.DrawFn) -> ScriptedRows:
    """One number that residents hear from within about a day, and some of them again later."""
    start, peer = draw(st.one_of(recent_times, times)), draw(any_of(PEERS[1:]))
    gaps = draw(st.lists(any_of(CAMPAIGN_GAPS), min_size=2, max_size=7))
    return {
        "calls": [
            districts.call(
                peer,
                start + gap,
                number=draw(any_of(("n1", "n2", "n3"))),
                peer_kind=KINDS[peer],
                duration_s=draw(any_of((30, 600))),
            )
            for gap in gaps
        ]
    }


AFTER = (timedelta(0), timedelta(minutes=18), timedelta(hours=6), timedelta(hours=24))
LATE = (timedelta(0), timedelta(0), timedelta(milliseconds=1))


@st.composite
def lures(draw: st.DrawFn) -> ScriptedRows:
    """A small payment, and money back: a little more, far more, as much or less, in time or just
    too late.
    """
    paid_at, account = (
        draw(st.one_of(recent_times, times)),
        draw(any_of(("a1", "a1", "a2"))),
    )
    stake = Decimal(draw(any_of(("100.00", "1000.00", "1000.01"))))
    share = Decimal(draw(any_of(("1.06", "1.02", "2.00", "1.06", "1.00", "2.01", "0.50"))))
    back_at = paid_at + draw(any_of(AFTER[:3])) + draw(any_of(LATE))
    first, other = draw(any_of((("b1", "b1"), ("b1", "b2"), ("b3", "b2"))))
    return {
        "transfers": [
            districts.transfer(first, paid_at, str(stake), account=account),
            districts.credit(other, back_at, f"{stake * share:.2f}", account=account),
        ]
    }


@st.composite
def growing_payments(draw: st.DrawFn) -> ScriptedRows:
    """Payments days apart that grow, the first of them on the edge of two weeks."""
    account, start = (
        draw(any_of(("a1", "a2"))),
        NOON - timedelta(days=14) + draw(any_of(AFTER)),
    )
    growth, step = (
        draw(any_of((1, 2, 10))),
        timedelta(days=draw(any_of((1, 3, 5)))),
    )
    payees = draw(st.lists(any_of(("b1", "b2", "b3")), min_size=2, max_size=4))
    return {
        "transfers": [
            districts.transfer(
                payee, start + place * step, f"{100 * growth**place}.00", account=account
            )
            for place, payee in enumerate(payees)
        ]
    }


@st.composite
def returning_caller(draw: st.DrawFn) -> ScriptedRows:
    """A number that calls residents, texts or not, and calls again hours or days later."""
    again_at, peer = draw(recent_times), draw(any_of(PEERS[1:]))
    numbers = draw(any_of((("n1",), ("n1", "n2"), ("n1", "n2", "n3"))))
    gap = timedelta(hours=draw(any_of((1, 3, 6, 24, 66))))
    kind, duration_s = KINDS[peer], draw(any_of((30, 600)))
    calls = [
        districts.call(peer, at, number=number, peer_kind=kind, duration_s=duration_s)
        for at in (again_at - gap, again_at)
        for number in numbers
    ]
    texts = [districts.text(peer, again_at - gap / 2, number=numbers[0], peer_kind=kind)]
    return {"calls": [*calls, *(texts if draw(st.booleans()) else [])]}


@st.composite
def payments_after_contact(draw: st.DrawFn) -> ScriptedRows:
    """One number calls residents, each of whom then pays one account: at once, within a day or too
    late.
    """
    called_at, peer = draw(st.one_of(recent_times, times)), draw(any_of(PEERS[1:]))
    residents = draw(any_of((("1",), ("1", "2"), ("2", "1"), ("1", "2", "3"))))
    payee, delay = draw(any_of(("b1", "b1", "b2", "a9"))), draw(any_of(AFTER))
    paid_at = called_at + timedelta(seconds=60) + delay + draw(any_of(LATE))
    return {
        "calls": [
            districts.call(peer, called_at, number=f"n{it}", peer_kind=KINDS[peer])
            for it in residents
        ],
        "transfers": [
            districts.transfer(payee, paid_at, "3000.00", account=f"a{it}")
            for it in residents
            if f"a{it}" in ACCOUNTS
        ],
    }


@st.composite
def source_tables(draw: st.DrawFn) -> SourceTables:
    scripts = draw(
        st.lists(
            st.one_of(
                lures(),
                growing_payments(),
                returning_caller(),
                payments_after_contact(),
                campaign(),
            ),
            max_size=4,
        )
    )
    return district(
        calls=[
            *draw(st.lists(calls(), max_size=18)),
            *(row for script in scripts for row in script.get("calls", ())),
        ],
        transfers=[
            *draw(st.lists(transfers(), max_size=12)),
            *(row for script in scripts for row in script.get("transfers", ())),
        ],
        cases=draw(st.lists(cases(), max_size=2)),
        tags=draw(
            st.lists(
                any_of(
                    (
                        ("x1", "courier"),
                        ("x1", "delivery"),
                        ("x3", "bank"),
                        ("x2", "public_service"),
                        ("x4", "public_service"),
                    )
                ),
                unique=True,
            )
        ),
        holders=draw(holders()),
    )


#: Whole milliseconds, as a snapshot takes them.
query_times: st.SearchStrategy[datetime] = any_of(
    (
        NOON,
        NOON + timedelta(milliseconds=1),
        NOON - timedelta(hours=2),
        NOON - timedelta(days=3),
        NOON + timedelta(days=9),
    )
)

#: Districts, and the moment at which each is asked.
Asked = Sequence[tuple[SourceTables, datetime]]


def several(districts: int) -> st.SearchStrategy[Asked]:
    """So many districts and moments."""
    one = st.tuples(source_tables(), query_times)
    return st.lists(one, min_size=districts, max_size=districts)


def side_by_side(several: Sequence[SourceTables]) -> SourceTables:
    """All in one district, every name with the place of its own behind it (:func:`name_in`)."""
    parts = [
        {table: marked(rows, place) for table, rows in vars(tables).items()}
        for place, tables in enumerate(several)
    ]
    return SourceTables(
        **{table: pl.concat([part[table] for part in parts]).lazy() for table in parts[0]}
    )


def name_in(place: int, name: str) -> str:
    """What somebody or something of the district at ``place`` is called among several. All of one
    district stay in order.
    """
    return f"{name}@{place}"


def name_alone(name: pl.Expr) -> pl.Expr:
    """What it is called in its own district."""
    return name.str.split("@").list.first()


NAMES = ("person", "source", "operator", "bank", "number", "account", "peer", "payee", "case_id")
LISTS_OF_NAMES = ("suspect_numbers", "suspect_accounts")


def marked(rows: pl.LazyFrame, place: int) -> pl.DataFrame:
    """The rows of one of several districts."""
    frame, mark = rows.collect(), pl.lit(name_in(place, ""))
    return frame.with_columns(
        *(pl.col(name) + mark for name in NAMES if name in frame.columns),
        *(
            pl.col(name).list.eval(pl.element() + name_in(place, ""))
            for name in LISTS_OF_NAMES
            if name in frame.columns
        ),
    )
