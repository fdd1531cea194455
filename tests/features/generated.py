"""Hypothesis strategies for small districts: few people, few others, many ties in time, deliveries out of order."""

from datetime import datetime, timedelta

from hypothesis import strategies as st

from features.records import Records
from tests.features import districts
from tests.features.districts import NOON, Row, district

PEERS = ("n2", "x1", "x1", "x2", "x3", "x4")
PAYEES = ("a9", "a2", "b1", "b2", "b3", "m1")
KINDS = {"n2": "mobile", "x1": "virtual", "x2": "international", "x3": "service_400", "x4": "landline"}

#: Hours ago: mostly within a few days, and on the edges of every window, of strangeness and of silence.
RECENT_STEPS = (1, 2, 3, 5, 6, 7, 23, 24, 25, 47, 48, 71, 72)
EDGE_STEPS = (96, 167, 168, 169, 240, 335, 336, 359, 360, 361, 480, 719, 720, 721, 1000, 1104, 1247, 1249)
STEPS = RECENT_STEPS * 2 + EDGE_STEPS

times = st.builds(
    lambda hours, shift: NOON - timedelta(hours=hours) + shift,
    st.sampled_from(STEPS),
    st.sampled_from((timedelta(0), timedelta(minutes=20), timedelta(milliseconds=1), timedelta(microseconds=-1))),
)
delays = st.sampled_from((timedelta(0), timedelta(0), timedelta(minutes=15), timedelta(hours=24)))


@st.composite
def calls(draw: st.DrawFn) -> Row:
    peer, started_at = draw(st.sampled_from(PEERS)), draw(times)
    is_text = draw(st.integers(0, 3)) == 0
    duration_s = 0 if is_text else draw(st.sampled_from((0, 10, 25, 26, 599, 600, 7200)))
    return districts.call(
        peer,
        started_at,
        number=draw(st.sampled_from(("n1", "n1", "n2", "n3", "unheld"))),
        peer_kind=KINDS[peer],
        direction=draw(st.sampled_from(("in", "in", "in", "out"))),
        service="sms" if is_text else "voice",
        duration_s=duration_s,
        known_at=started_at + timedelta(seconds=duration_s) + draw(delays),
    )


@st.composite
def transfers(draw: st.DrawFn) -> Row:
    occurred_at = draw(times)
    return districts.transfer(
        draw(st.sampled_from(PAYEES)),
        occurred_at,
        draw(st.sampled_from(("0.01", "106.00", "4999.99", "5000.00", "12000.37"))),
        account=draw(st.sampled_from(("a1", "a1", "a2", "unheld"))),
        direction=draw(st.sampled_from(("debit", "debit", "credit"))),
        known_at=occurred_at + draw(delays),
    )


@st.composite
def cases(draw: st.DrawFn) -> Row:
    return districts.case(
        draw(times),
        numbers=draw(st.lists(st.sampled_from(("x1", "x2", "never-seen")), max_size=2)),
        accounts=draw(st.lists(st.sampled_from(("b1", "b2")), max_size=2)),
    )


@st.composite
def records(draw: st.DrawFn) -> Records:
    return district(
        calls=draw(st.lists(calls(), max_size=30)),
        transfers=draw(st.lists(transfers(), max_size=20)),
        cases=draw(st.lists(cases(), max_size=2)),
        tags=draw(st.lists(st.sampled_from((("x1", "courier"), ("x1", "delivery"), ("x3", "bank"))), unique=True)),
    )


#: Whole milliseconds, as a snapshot takes them.
asked_at: st.SearchStrategy[datetime] = st.sampled_from(
    [
        NOON,
        NOON + timedelta(milliseconds=1),
        NOON - timedelta(hours=2),
        NOON - timedelta(days=3),
        NOON + timedelta(days=9),
    ]
)
