"""Payments to new accounts over two weeks, and lures among them, drawn and counted by hand."""

import numpy as np
import polars as pl
import pytest

from features.catalogue.definitions import GROUPS
from features.catalogue.reasons import summarise_reasons
from features.counterparties import ACCOUNTS
from features.event_index import build_event_index
from features.kernel.segment import to_milliseconds
from features.point_in_time import build_snapshot
from tests.features.districts import NOON, Row, ago, credit, district, moments, transfer

LURE = ("lures_n", "lure_profit", "lure_age_h", "lure_cny")
NO_LURE = [None, None, None, None]


def features(*moves: Row) -> Row:
    """The features of p1 at noon."""
    (row,) = build_snapshot(
        build_event_index(district(transfers=moves)), moments(("p1", NOON))
    ).to_dicts()
    return row


def lure(*moves: Row) -> list[float | None]:
    row = features(*moves)
    return [row[name] for name in LURE]


def test_a_hundred_out_and_a_little_more_back_from_another_account() -> None:
    """Eighteen minutes later; the money comes from an account never paid."""
    moves = [
        transfer("b1", ago(hours=2), "100.00"),
        credit("b2", ago(hours=2, minutes=-18), "106.00"),
    ]
    row = features(*moves)

    assert [row[name] for name in LURE] == [1, pytest.approx(1.06), pytest.approx(1.7), 100]
    assert row["rebates_n"] == 0  # a rebate comes from the account that was paid


def test_a_refund_is_no_lure() -> None:
    assert (
        lure(transfer("b1", ago(hours=2), "100.00"), credit("b1", ago(hours=1), "100.00"))
        == NO_LURE
    )


@pytest.mark.parametrize(
    ("paid", "back", "lures_n"),
    [("100.00", "101.99", None), ("100.00", "102.00", 1), ("100.00", "200.00", 1),
     ("100.00", "200.01", None),
     ("1000.00", "1060.00", 1), ("1000.01", "1060.01", None)],
)  # fmt: skip
def test_profits_and_stakes_at_their_limits(paid: str, back: str, lures_n: int | None) -> None:
    row = features(transfer("b1", ago(hours=2), paid), credit("b1", ago(hours=1), back))

    assert row["lures_n"] == lures_n


def test_the_profit_comes_within_six_hours() -> None:
    in_time = [transfer("b1", ago(hours=8), "100.00"), credit("b1", ago(hours=2), "106.00")]
    too_late = [
        transfer("b1", ago(hours=8), "100.00"),
        credit("b1", ago(hours=1, minutes=59), "106.00"),
    ]

    assert lure(*in_time) == [1, pytest.approx(1.06), 2, 100]
    assert lure(*too_late) == NO_LURE


def test_two_lures_and_the_best_of_them() -> None:
    moves = [
        transfer("b1", ago(days=3), "100.00"),
        credit("b1", ago(days=3, hours=-1), "106.00"),
        transfer("b1", ago(hours=6), "400.00"),
        credit("b3", ago(hours=5), "480.00"),
    ]

    assert lure(*moves) == [2, pytest.approx(1.2), 5, 400]


@pytest.mark.parametrize("back", ["106.00", "530.00"])
def test_of_two_payments_known_at_once_the_later_one_is_the_stake(back: str) -> None:
    """Both come with the delivery of eleven o'clock; five hundred were paid first, or a hundred."""
    first, second = ("500.00", "100.00") if back == "106.00" else ("100.00", "500.00")
    moves = [
        transfer("b1", ago(hours=3), first, known_at=ago(hours=1)),
        transfer("b2", ago(hours=2), second, known_at=ago(hours=1)),
        credit("b3", ago(minutes=30), back),
    ]

    for drawn in (moves, moves[::-1]):
        assert lure(*drawn) == [1, pytest.approx(1.06), 0.5, float(second)]


@pytest.mark.parametrize("other", ["a2", "m1", "a9"])
def test_residents_merchants_and_own_accounts_do_not_lure(other: str) -> None:
    """A neighbour pays back with thanks, a shop gives change, own money moves."""
    moves = [transfer(other, ago(hours=2), "100.00"), credit(other, ago(hours=1), "106.00")]
    if other == "m1":
        moves = [{**move, "payee_kind": "merchant"} for move in moves]

    assert lure(*moves) == NO_LURE


def test_payments_that_grow() -> None:
    """From a hundred to nine thousand in thirteen days; what a resident is paid between does not
    count.
    """
    row = features(
        transfer("b1", ago(days=13), "100.00"),
        transfer("b1", ago(days=9), "1000.00"),
        transfer("a2", ago(days=8), "70000.00"),
        transfer("b2", ago(hours=30), "999.99"),
        transfer("b2", ago(hours=3), "9000.00"),
    )

    assert (
        row["new_payee_payment_n"],
        row["new_payee_payment_payees_n"],
        row["new_payee_payment_days_n"],
        row["new_payee_payment_large_n"],
    ) == (4, 2, 4, 2)
    assert (
        row["new_payee_payment_cny"],
        row["new_payee_payment_max_cny"],
        row["new_payee_payment_growth"],
    ) == (
        pytest.approx(11099.99),
        9000,
        90,
    )
    assert (row["new_payee_payment_age_h"], row["new_payee_payment_silent_h"]) == (13 * 24, 3)


def test_two_weeks_are_looked_at() -> None:
    on_the_edge = features(transfer("b1", ago(days=14), "100.00"))
    beyond = features(transfer("b1", ago(days=14, minutes=1), "100.00"))

    assert (on_the_edge["new_payee_payment_n"], on_the_edge["new_payee_payment_age_h"]) == (1, 336)
    assert beyond["new_payee_payment_n"] is None


def test_an_account_known_for_long_is_no_new_payee() -> None:
    """First paid sixteen days ago, and again."""
    row = features(transfer("b1", ago(days=16), "100.00"), transfer("b1", ago(hours=1), "9000.00"))

    assert (row["new_payee_payment_n"], row["new_payee_payment_cny"]) == (None, None)


def test_the_hand_written_reputation_of_accounts() -> None:
    """Two residents pay b1 within an hour: young, log2(1 + 2) / 3 of the reach that says all."""
    moves = [
        transfer("b1", ago(hours=1), "500.00", account="a2"),
        transfer("b1", ago(minutes=30), "700.00"),
    ]
    row = features(*moves, transfer("b2", ago(minutes=20), "50.00"))

    both = (1 - 1 / 24 / 20) * 0.5283208335737187
    assert row["payee_reputation_max"] == pytest.approx(both)
    assert (row["bad_reputation_payees_7d"], row["bad_reputation_payees_cny"]) == (1, 700)
    assert row["payee_reputation"] == pytest.approx((1 - 20 / 1440 / 20) / 3)  # b2, the latest


def test_the_state_of_an_account() -> None:
    """Paid by two residents and pays one of them; beyond a fortnight only its age is known."""
    moves = [
        transfer("b1", ago(days=20), "700.00"),
        transfer("b1", ago(days=2), "999.99"),
        transfer("b1", ago(days=1), "1000.00", account="a2"),
        credit("b1", ago(hours=5), "4000.00"),
    ]
    event_index = build_event_index(district(transfers=moves))
    at_ms = to_milliseconds(pl.Series([NOON]))
    (state,) = (
        ACCOUNTS.states(event_index, codes=np.array([0]), at_ms=at_ms)
        .drop("payee_code", "at_ms")
        .to_dicts()
    )

    assert state == {
        "payee_payers_14d": 1,
        "payee_receivers_14d": 0,
        "payee_received_cny_14d": 1999.99,
        "payee_sent_cny_14d": 4000,
        "payee_debits_14d": 2,
        "payee_large_14d": 1,
        "payee_age_d": 20,
        "payee_outside": True,
    }


def test_a_lure_in_words() -> None:
    row = features(transfer("b1", ago(hours=2), "100.00"), credit("b2", ago(hours=1), "106.00"))
    weights = {"lures_n": 1.0, "lure_age_h": 0.4, "lure_profit": 0.3}
    names = {
        feature.name for group in GROUPS if group.code == "lures" for feature in group.features
    }
    (reason,) = summarise_reasons(weights, {name: row[name] for name in names})

    assert (
        reason.zh
        == "14 天内有 1 次：付出一笔小额，6 小时内收回更多（返利），最近一次返利在 60 分钟前"
    )
    assert reason.en == (
        "1 time in the last 14 days a small payment came back with a profit within 6 hours, "
        "the last such profit came 60 minutes ago"
    )
