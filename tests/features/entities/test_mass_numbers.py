"""Numbers that everybody hears from: what residents have to do with them counts as not having taken
place.
"""

from datetime import datetime, timedelta

import polars as pl
from polars.testing import assert_frame_equal

from features.catalogue.definitions import MASS_RULE, MassRule
from features.event_index import build_event_index
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from tests.features.districts import NOON, Row, ago, call, district, moments, text

PEOPLE = ("p1", "p2", "p3")
# Codes are places in an index; that a source delivers is no matter of who called.
LEFT_OUT = ("lead_peer_code", "lead_payee_code", "calls_feed_silent_h", "feeds_missing_n")
TWO = MassRule(share=0, residents=2)  # all three residents


def snapshot(tables: SourceTables, at: datetime, *, rule: MassRule = TWO) -> pl.DataFrame:
    event_index = build_event_index(tables, mass_rule=rule)
    return build_snapshot(event_index, moments(*((person, at) for person in PEOPLE))).drop(LEFT_OUT)


START = ago(hours=2)
DAILY_LIFE = [
    call("x1", ago(hours=30), duration_s=700),
    call("x1", ago(hours=3), duration_s=900),
    text("x2", ago(hours=5)),
    call("x2", ago(hours=4), number="n2", direction="out"),
]


def campaign(*gaps: timedelta, start: datetime = START, peer: str = "h") -> list[Row]:
    """Calls of one number to the residents in turn."""
    return [
        call(peer, start + gap, number=f"n{1 + place % 3}", peer_kind="service_96")
        for place, gap in enumerate(gaps)
    ]


MINUTES = [timedelta(minutes=minute) for minute in (0, 10, 20)]


def test_the_limit_is_a_share_of_the_residents_and_no_few():
    assert MASS_RULE.limit(1200) == 100
    assert MASS_RULE.limit(15_000) == 450
    assert TWO.limit(3) == 2


def test_a_public_service_leaves_no_trace():
    """One call to one person is enough, and how often it comes does not matter."""
    calls = [call("h", ago(hours=hour), number="n1") for hour in (700, 50, 1)]
    tagged = district(calls=[*DAILY_LIFE, *calls], tags=[("h", "public_service")])

    assert_frame_equal(snapshot(tagged, NOON), snapshot(district(calls=DAILY_LIFE), NOON))


def test_other_tags_change_nothing_but_their_flag():
    calls = [*DAILY_LIFE, call("h", ago(hours=1), number="n1")]
    plain, courier = (
        snapshot(district(calls=calls, tags=tags), NOON) for tags in ((), (("h", "courier"),))
    )
    assert_frame_equal(plain.drop("lead_tagged"), courier.drop("lead_tagged"))
    assert courier["stranger_calls_1h"].to_list() == [1, 0, 0]


def test_once_everybody_has_heard_it_is_as_if_nobody_had():
    tables = district(calls=[*DAILY_LIFE, *campaign(*MINUTES)])
    quiet = district(calls=DAILY_LIFE)
    third_known_at = ago(hours=2) + MINUTES[2] + timedelta(seconds=60)

    before = snapshot(tables, third_known_at)
    assert before["stranger_calls_1h"].to_list() == [1, 1, 0]
    for at in (third_known_at + timedelta(milliseconds=1), NOON, NOON + timedelta(days=25)):
        assert_frame_equal(snapshot(tables, at), snapshot(quiet, at))


def test_two_of_three_residents_are_no_crowd():
    tables = district(calls=[*DAILY_LIFE, *campaign(*MINUTES[:2])])
    assert snapshot(tables, NOON)["stranger_calls_3d"].to_list() == [3, 2, 0]
    assert snapshot(tables, NOON)["stranger_new_service_24h"].to_list() == [1, 1, 0]


def test_residents_are_counted_within_a_day_and_once_each():
    """The third hears a day after the first, to the millisecond; the first is called often."""
    hours = [timedelta(hours=hour) for hour in (0, 5, 24)]
    late = campaign(*hours, start=ago(hours=25))
    often = [call("h", ago(hours=20 + place), number="n2") for place in range(3)]
    at = NOON
    assert snapshot(district(calls=[*late, *often]), at)["stranger_new_service_7d"].to_list() == [
        *(1, 0, 1)
    ]
    hours[2] -= timedelta(milliseconds=1)
    in_time = campaign(*hours, start=ago(hours=25))
    assert snapshot(district(calls=in_time), at)["stranger_new_service_7d"].to_list() == [0, 0, 0]


def test_four_weeks_later_its_calls_count_again():
    known_at = ago(days=40) + MINUTES[2] + timedelta(seconds=60)
    memory_ends = known_at + timedelta(days=28)
    for gap, heard in ((0, 0), (1, 1)):
        again = call("h", memory_ends - timedelta(seconds=60) + timedelta(milliseconds=gap))
        tables = district(calls=[*campaign(*MINUTES, start=ago(days=40)), again])
        at = memory_ends + timedelta(hours=1)
        assert snapshot(tables, at)["calls_in_24h"].to_list() == [heard, 0, 0]


def test_a_number_for_everybody_wakes_nobody():
    """Nobody is looked at anew because a hotline called."""
    from features.whom_to_ask import query_points_after_events

    def asked(tables: SourceTables) -> pl.DataFrame:
        event_index = build_event_index(tables, mass_rule=TWO)
        return query_points_after_events(event_index, start=ago(days=3), end=NOON, every="1h")

    quiet = asked(district(calls=DAILY_LIFE))
    assert len(quiet) == 4
    assert_frame_equal(asked(district(calls=[*DAILY_LIFE, *campaign(*MINUTES)])), quiet)
    # Two hours lie between the calls: at the first ticks it is a stranger like any other.
    slow = campaign(*(place * timedelta(hours=2) for place in range(3)), start=ago(hours=7))
    assert len(asked(district(calls=[*DAILY_LIFE, *slow]))) == 4 + 2
