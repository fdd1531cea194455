"""A number and an account belong to whoever held them when something happened."""

from datetime import date, timedelta

from features.entities.holdings import number_holdings
from features.event_index import build_event_index
from features.point_in_time import build_snapshot
from tests.features.districts import NOON, ago, call, credit, district, moments, transfer

HANDED_ON = date(2026, 7, 18)  # two days before NOON, at midnight
MIDNIGHT = NOON - timedelta(days=2, hours=12)


def rows(tables, *, at=NOON):
    """The snapshots of p1, p2 and p3."""
    asked = moments(*((person, at) for person in ("p1", "p2", "p3")))
    return build_snapshot(build_event_index(tables), asked)


def test_a_number_belongs_to_the_latest_holder_of_the_time():
    tables = district(
        holders=[("n2", "p1", None), ("n2", "p3", HANDED_ON), ("n2", "p3", date(2026, 7, 19))]
    )
    held = number_holdings(tables).collect().filter(number="n2")
    assert held.select("person", "since", "until").rows() == [
        ("p1", None, date(2020, 7, 18)),
        ("p2", date(2020, 7, 18), HANDED_ON),
        ("p3", HANDED_ON, None),
    ]


def test_calls_go_to_whoever_held_the_number_when_they_began():
    """The call that begins a second before midnight is the earlier holder's, though it is known
    afterwards.
    """
    calls = [
        call("x1", MIDNIGHT - timedelta(seconds=1), number="n2", duration_s=100),
        call("x1", MIDNIGHT, number="n2", duration_s=20),
    ]
    found = rows(district(calls=calls, holders=[("n2", "p3", HANDED_ON)]))
    assert found["stranger_talk_s_3d"].to_list() == [0, 100, 20]
    assert found["number_n"].to_list() == [1, 0, 2]
    assert found["number_tenure_d"].to_list() == [2192, None, 2194]


def test_whom_the_earlier_holder_knew_is_new_to_the_next():
    calls = [call("x1", ago(days=day), number="n2") for day in (50, 40, 25, 10, 1)]
    found = rows(district(calls=calls, holders=[("n2", "p3", HANDED_ON)]))
    assert found["stranger_new_3d"].to_list() == [0, 0, 1]
    assert found["lead_relationship_n"].to_list() == [None, None, 1]


def test_before_its_first_day_a_number_is_nobodys():
    calls = [call("x1", ago(days=3), number="n1")]
    assert rows(district(calls=calls))["stranger_calls_7d"].to_list() == [1, 0, 0]
    late = district(calls=calls, holders=())
    late = type(late)(
        **{
            **vars(late),
            "subscribers": late.subscribers.with_columns(activated_on=HANDED_ON),
        }
    )
    assert rows(late)["stranger_calls_7d"].to_list() == [0, 0, 0]
    assert rows(late, at=MIDNIGHT - timedelta(hours=1))["number_n"].to_list() == [0, 0, 0]


def test_an_account_is_local_and_ones_own_while_it_is_held():
    """p1 pays a2 before and after p2 hands it to p1: first a resident's, then an own account."""
    moves = [
        transfer("a2", ago(days=3), "100.00"),
        transfer("a2", ago(days=1), "900.00"),
        credit("x", ago(days=3), "50.00", account="a2"),
        credit("x", ago(days=1), "60.00", account="a2"),
    ]
    found = rows(district(transfers=moves, holders=[("a2", "p1", HANDED_ON)]))
    assert found["debit_cny_7d"].to_list() == [100, 0, 0]
    assert found["new_payees_7d"].to_list() == [1, 0, 0]
    assert found["new_payees_outside_7d"].to_list() == [0, 0, 0]
    assert found["credit_cny_7d"].to_list() == [60, 50, 0]
    assert found["account_n"].to_list() == [3, 0, 0]


def test_only_the_present_holder_misses_a_silent_source():
    """n3 is of an operator that delivers nothing; p3 has handed it on to p1."""
    tables = district(calls=[call("x1", ago(hours=1))], holders=[("n3", "p1", HANDED_ON)])
    assert rows(tables)["calls_feed_silent_h"].to_list()[1:] == [
        (NOON - ago(hours=1) - timedelta(seconds=60)) / timedelta(hours=1),
        None,
    ]
    assert rows(tables)["feeds_missing_n"][0] == 1 + 2  # and both banks
