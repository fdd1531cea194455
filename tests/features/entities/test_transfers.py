"""Movements on residents' accounts."""

from polars.testing import assert_frame_equal

from features.event_index import build_event_index
from features.point_in_time import build_snapshot
from tests.features.districts import NOON, ago, credit, district, moments, transfer
from tests.naive.relationships import known_district

NO_PARTY = {"payee": None, "payee_kind": None}
MOVES = (transfer("b1", ago(hours=2), "100.00"), credit("b2", ago(hours=1), "106.00"))
FEE = {**transfer("none", ago(hours=2), "5.00"), **NO_PARTY}
INTEREST = {**credit("none", ago(hours=1), "1.25"), **NO_PARTY}
CASH = {**transfer("none", ago(hours=1), "9000.00"), **NO_PARTY}
POINTS = moments(("p1", NOON), ("p2", NOON))


def test_a_movement_without_another_party_is_no_payment_to_anybody() -> None:
    plain = build_event_index(district(transfers=MOVES))
    more = build_event_index(district(transfers=(*MOVES, FEE, INTEREST, CASH)))

    assert more.accounts["payee"].to_list() == ["b1", "b2"]
    assert_frame_equal(build_snapshot(more, POINTS), build_snapshot(plain, POINTS))


def test_the_naive_district_leaves_it_out_as_well() -> None:
    found = known_district(district(transfers=(*MOVES, FEE, INTEREST, CASH)), NOON)

    assert sorted(move.other for move in found.moves) == ["b1", "b2"]
