"""Payments of one resident drawn by hand, with the figures counted by hand."""

import pytest

from features.event_index import build_event_index
from features.point_in_time import build_snapshot
from tests.features.districts import NOON, Row, ago, call, case, credit, district, moments, transfer


def features(**drawn) -> Row:
    """The features of p1 at noon."""
    (row,) = build_snapshot(build_event_index(district(**drawn)), moments(("p1", NOON))).to_dicts()
    return row


# : Brushing: a small payment, the rebate, then larger ones elsewhere, with own money moved together
# before.
TEN_MOVES = [
    transfer("m1", ago(days=25), "1200.00"),  # groceries
    credit("employer", ago(days=10), "6000.00"),
    transfer("b1", ago(hours=30), "100.00"),
    credit("b1", ago(hours=29), "106.00"),
    transfer("b2", ago(hours=8), "2300.50"),
    credit("a9", ago(hours=5), "20000.00"),  # from the resident's other account
    transfer("b2", ago(hours=4), "5000.00"),
    transfer("b3", ago(minutes=30), "14999.99"),
    transfer("a2", ago(hours=2), "80.00"),  # to another resident
    transfer("a9", ago(hours=1), "10.00"),  # own account
]


def test_all_movements() -> None:
    row = features(transfers=TEN_MOVES)

    assert [row[f"debits_{w}"] for w in ("24h", "7d", "30d")] == [4, 5, 6]
    assert [row[f"debit_cny_{w}"] for w in ("1h", "6h", "24h", "3d", "30d")] == [
        14999.99,
        20079.99,
        22380.49,
        22480.49,
        23680.49,
    ]
    assert [row[f"credit_cny_{w}"] for w in ("24h", "7d", "30d")] == [0, 106, 6106]
    assert [row[f"own_in_cny_{w}"] for w in ("6h", "24h", "7d")] == [20000, 20000, 20000]
    assert [row[f"first_credit_cny_{w}"] for w in ("6h", "24h", "7d")] == [
        0,
        0,
        0,
    ]  # b1 was paid first
    assert [row[f"large_{w}"] for w in ("24h", "7d", "30d")] == [2, 2, 2]


def test_new_payees() -> None:
    row = features(transfers=TEN_MOVES)

    assert [row[f"new_payees_{w}"] for w in ("1h", "6h", "24h", "3d")] == [1, 2, 3, 4]
    assert [row[f"new_payees_outside_{w}"] for w in ("1h", "6h", "24h", "3d")] == [1, 1, 2, 3]
    assert (row["new_debit_cny_24h"], row["new_debit_outside_cny_24h"]) == (22380.49, 22300.49)
    assert (row["payee_max_cny"], row["payee_outside_n"]) == (14999.99, 3)
    assert row["new_debit_to_habit"] == pytest.approx(22380.49 / (23680.49 / 30 + 50))


def test_the_rebate() -> None:
    row = features(transfers=TEN_MOVES)

    assert (
        row["new_back_24h"],
        row["new_back_3d"],
        row["new_back_cny_24h"],
        row["new_back_cny_7d"],
    ) == (0, 1, 0, 106)
    assert (
        row["rebates_n"],
        row["rebates_outside_n"],
        row["rebate_age_h"],
        row["payee_back_n"],
    ) == (1, 1, 29, 1)
    assert row["payee_back_share"] == pytest.approx(106 / (100 + 7300.50 + 14999.99 + 80))


def test_growth_and_the_payee_in_focus() -> None:
    """The latest payee outside the district leads, though a neighbour or an own account was dealt
    with since.
    """
    row = features(transfers=TEN_MOVES)

    assert (row["payee_first_cny"], row["payee_last_cny"], row["payee_min_cny"]) == (
        100,
        14999.99,
        80,
    )
    assert row["payee_escalation"] == pytest.approx(149.9999)
    assert (
        row["payee_relationship_paid_cny"],
        row["payee_relationship_paid_n"],
        row["payee_outside"],
    ) == (
        14999.99,
        1,
        True,
    )
    assert (row["payee_relationship_age_h"], row["payee_silent_h"]) == (0.5, 0.5)
    assert (row["payee_payers_14d"], row["payee_received_cny_14d"]) == (1, 14999.99)


def test_a_loan_like_credit() -> None:
    """Another resident got one from the same account the day before."""
    moves = [
        credit("b7", ago(days=1), "30000.00", account="a2"),
        credit("b7", ago(hours=2), "30000.00"),
        transfer("b8", ago(hours=1), "3000.00"),
    ]
    row = features(transfers=moves)

    assert [row[f"first_credit_cny_{w}"] for w in ("6h", "24h", "7d")] == [30000, 30000, 30000]
    assert (row["payer_new_cny"], row["payer_new_reach"], row["rebates_n"]) == (30000, 2, 0)


def test_from_an_unknown_call_to_a_new_payee() -> None:
    """First contact known at 08:10 (a call of ten minutes), the payment at 11:10."""
    calls = [call("x1", ago(hours=4), duration_s=600), call("f1", ago(days=5))]
    row = features(calls=calls, transfers=[transfer("b1", ago(minutes=50), "2300.00")])

    assert (row["payee_caller_h"], row["call_to_payee_h"], row["payee_caller_talk_s"]) == (
        3,
        3,
        600,
    )


def test_a_payee_named_in_a_reported_case() -> None:
    moves = [transfer("b1", ago(hours=3), "50.00"), transfer("b2", ago(hours=5), "50.00")]
    row = features(
        transfers=moves, cases=[case(ago(days=1), accounts=["b1", "b9"]), case(ago(hours=1))]
    )

    assert (row["payee_named"], row["named_payees_7d"]) == (True, 1)


def test_what_one_delivery_brings_is_put_in_the_order_of_its_happening() -> None:
    """The file holds the rebate before the payment it answers; both became known at 11:50."""
    known_at = ago(minutes=10)
    moves = [
        credit("b1", ago(minutes=20), "106.00", known_at=known_at),
        transfer("b1", ago(minutes=40), "100.00", known_at=known_at),
    ]
    row = features(transfers=moves)

    assert (row["new_payees_1h"], row["new_back_24h"], row["first_credit_cny_6h"]) == (1, 1, 0)
    assert (row["payee_first_cny"], row["rebates_n"]) == (100, 1)


def test_register() -> None:
    row = features()

    assert (row["number_n"], row["account_n"]) == (1, 2)
    assert (row["number_tenure_d"], row["account_tenure_d"]) == (2192, 1826)  # the oldest of each
    assert row["age_years"] == pytest.approx(66.05, abs=0.01)


def test_nothing_happened_at_all() -> None:
    row = features()
    counts = {name: value for name, value in row.items() if name.endswith(("_1h", "_24h", "_7d"))}

    assert set(counts.values()) == {0, None}
    assert (row["lead_suspicion"], row["payee_relationship_paid_cny"], row["suspicion_sum"]) == (
        None,
        None,
        None,
    )


def test_nobody_asked() -> None:
    assert build_snapshot(build_event_index(district()), moments()).height == 0
    assert build_snapshot(build_event_index(district()), moments(("nobody", NOON))).height == 0
