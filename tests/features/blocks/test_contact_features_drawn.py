"""Calls of one resident drawn by hand, with the figures counted by hand."""

from datetime import timedelta

import pytest

from features.event_index import build_event_index
from features.point_in_time import build_snapshot
from tests.features.districts import NOON, Row, ago, call, district, moments, text


def features(**drawn) -> Row:
    """The features of p1 at noon."""
    (row,) = build_snapshot(build_event_index(district(**drawn)), moments(("p1", NOON))).to_dicts()
    return row


TEN_CALLS = [
    call("x1", ago(days=2, hours=2), peer_kind="virtual", duration_s=20),  # first contact: hung up
    call("x1", ago(days=1, hours=2), peer_kind="virtual", duration_s=600),
    call("x1", ago(hours=5), peer_kind="virtual", duration_s=5040),  # 84 minutes, known at 08:24
    call("x1", ago(hours=1), peer_kind="virtual", direction="out", duration_s=120),  # called back
    text("x2", ago(hours=3), peer_kind="service_106"),
    call("x3", ago(hours=20), peer_kind="international", duration_s=0),  # not answered
    call("f1", ago(days=40), duration_s=300),  # a friend
    call("f1", ago(days=20), duration_s=300),
    call("f1", ago(hours=4), duration_s=900),
    call("x4", ago(minutes=1), duration_s=120),  # still talking at noon
]


def test_all_calls_and_texts() -> None:
    row = features(calls=TEN_CALLS)

    assert (row["calls_in_24h"], row["calls_in_30d"]) == (3, 6)
    assert (row["calls_out_24h"], row["calls_out_30d"], row["sms_30d"]) == (1, 1, 1)
    assert (row["talk_s_24h"], row["talk_s_30d"]) == (
        5040 + 120 + 900,
        20 + 600 + 5040 + 120 + 900 + 300,
    )


def test_strangers() -> None:
    row = features(calls=TEN_CALLS)

    assert [row[f"stranger_calls_{w}"] for w in ("1h", "6h", "24h", "3d", "7d")] == [1, 2, 3, 5, 5]
    assert [row[f"stranger_calls_long_{w}"] for w in ("6h", "24h", "7d")] == [1, 1, 2]
    assert [row[f"stranger_talk_s_{w}"] for w in ("1h", "6h", "24h", "7d")] == [
        120,
        5160,
        5160,
        5780,
    ]
    assert [row[f"stranger_new_{w}"] for w in ("1h", "6h", "24h", "3d", "7d")] == [0, 1, 2, 3, 3]
    assert [row[f"stranger_sms_{w}"] for w in ("1h", "6h", "7d")] == [0, 1, 1]
    assert (row["stranger_call_back_24h"], row["stranger_call_back_7d"]) == (1, 1)
    assert (
        row["stranger_max_talk_s"],
        row["stranger_max_talk_24h_s"],
        row["stranger_max_calls"],
    ) == (5040, 5040, 4)
    assert row["stranger_talk_to_habit"] == pytest.approx(5160 / (6980 / 30 + 60))


def test_kinds_of_strangers() -> None:
    row = features(calls=TEN_CALLS)

    assert (row["stranger_new_virtual_24h"], row["stranger_new_virtual_7d"]) == (0, 1)
    assert (row["stranger_new_international_24h"], row["stranger_new_international_7d"]) == (1, 1)
    assert (
        row["stranger_new_service_24h"],
        row["stranger_new_landline_7d"],
        row["stranger_new_mobile_7d"],
    ) == (
        1,
        0,
        0,
    )


def test_the_leading_stranger() -> None:
    row = features(calls=TEN_CALLS)

    assert row["lead_kind"] == 2  # the virtual operator's number
    assert (
        row["lead_relationship_n"],
        row["lead_relationship_answered_n"],
        row["lead_relationship_call_back_n"],
    ) == (
        4,
        4,
        1,
    )
    assert (
        row["lead_relationship_talk_s"],
        row["lead_relationship_max_talk_s"],
        row["lead_relationship_sms_n"],
    ) == (
        5780,
        5040,
        0,
    )
    assert row["lead_relationship_age_h"] == pytest.approx(
        50 - 20 / 3600, abs=1e-3
    )  # known when it ended
    assert row["lead_silent_h"] == pytest.approx(58 / 60, abs=1e-3)
    assert (
        row["lead_peer_reach_24h"],
        row["lead_peer_reach_3d"],
        row["lead_peer_contacts_14d"],
    ) == (0, 1, 4)
    assert (row["lead_peer_in_share"], row["lead_peer_answer_share"]) == (0.75, 1.0)
    assert row["lead_peer_hang_up_share"] == pytest.approx(1 / 3)
    assert (row["lead_peer_long_n"], row["lead_peer_talk_mean_s"]) == (2, 1445)
    assert (row["lead_named"], row["lead_tagged"]) == (False, False)


def test_a_number_that_reaches_out_to_the_district() -> None:
    """Three residents in a day: one hangs up, one does not answer, one talks."""
    calls = [
        call("x1", ago(hours=6), number="n2", duration_s=10),
        call("x1", ago(hours=5), number="n3", duration_s=0),
        call("x1", ago(hours=2), duration_s=1800),
    ]
    row = features(calls=calls)

    assert (row["lead_peer_reach_24h"], row["lead_peer_contacts_14d"], row["lead_peer_long_n"]) == (
        3,
        3,
        1,
    )
    assert row["lead_peer_answer_share"] == pytest.approx(2 / 3)
    assert (row["lead_peer_hang_up_share"], row["lead_peer_in_share"]) == (0.5, 1.0)
    age_d = (6 * 3600 - 10) / 86_400
    assert row["lead_peer_age_d"] == pytest.approx(age_d)
    assert row["lead_reputation"] == pytest.approx(
        1 - age_d / 20
    )  # three residents, log2(1 + 3) / 2, are many
    assert (
        row["bad_reputation_peers_24h"],
        row["bad_reputation_peers_7d"],
        row["bad_reputation_talk_s"],
    ) == (
        1,
        1,
        1800,
    )
    assert row["stranger_max_reach_24h"] == 3


def test_silence_of_thirty_days_makes_a_stranger_again() -> None:
    just, over = [ago(days=31), ago(days=1)], [ago(days=31), ago(hours=23)]

    assert features(calls=[call("f1", at) for at in just])["stranger_new_3d"] == 0
    assert features(calls=[call("f1", at) for at in over])["stranger_new_3d"] == 1


def test_a_peer_is_a_stranger_for_fifteen_days() -> None:
    first = call("x1", ago(days=16))

    assert features(calls=[first, call("x1", ago(days=1, hours=1))])["stranger_calls_7d"] == 1
    assert features(calls=[first, call("x1", ago(days=1))])["stranger_calls_7d"] == 0
    assert features(calls=[first, call("x1", ago(days=1))])["lead_relationship_n"] is None


def test_two_tags_of_a_number_count_once() -> None:
    row = features(calls=[call("x1", ago(hours=1))], tags=[("x1", "courier"), ("x1", "delivery")])

    assert (row["lead_tagged"], row["suspicion_sum"]) == (True, row["lead_suspicion"])


def test_what_one_delivery_brings_keeps_its_order() -> None:
    """Three calls delivered together at 11:55 stand in one relationship; the longest is the maximum
    whichever comes last.
    """
    known_at = NOON - timedelta(minutes=5)
    calls = [
        call("x1", ago(minutes=m), duration_s=s, known_at=known_at)
        for m, s in ((40, 30), (30, 900), (12, 60))
    ]
    row = features(calls=calls)

    assert (
        row["lead_relationship_n"],
        row["lead_relationship_talk_s"],
        row["lead_relationship_max_talk_s"],
    ) == (
        3,
        990,
        900,
    )
    assert row["stranger_new_1h"] == 1


def test_a_number_no_resident_holds_is_nobodys_call() -> None:
    assert features(calls=[call("x1", ago(hours=1), number="unheld")])["calls_in_24h"] == 0
