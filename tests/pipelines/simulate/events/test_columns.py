"""The small parts, on events drawn by hand."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulate.delivery import cut_when_busy, to_times, to_yuan
from pipelines.simulate.events.callers import Rotation
from pipelines.simulate.events.columns import DAY_S, CallEvents, Journal, to_paid_cents
from pipelines.simulate.events.daytime import draw_seconds, move_to_waking_hours, season_factor
from pipelines.simulate.mix.district_mix import Season
from pipelines.simulate.people.numbering import (
    AccountBook,
    NumberBook,
    draw_id_numbers,
    draw_weighted,
    pack_text,
)


def _calls(*rows: tuple[int, int, bool, int, int, bool]) -> CallEvents:
    table = np.array(rows, np.int64).T
    return CallEvents(
        table[0], table[1], table[2].astype(bool), table[3], table[4], table[5].astype(bool)
    )


def test_calls_on_a_busy_line_are_not_answered() -> None:
    events = _calls(
        # caller, callee, text, at, duration, scripted; residents are 0..9
        (100, 1, False, 1000, 600, True),  # a long call of a story
        (101, 1, False, 1200, 60, False),  # meanwhile: not answered
        (1, 102, False, 1300, 60, False),  # the resident cannot call either
        (103, 1, True, 1400, 0, False),  # a text comes through
        (104, 1, False, 1600, 60, False),  # afterwards
        (105, 2, False, 1200, 60, False),  # another resident
        (106, 1, False, 1300, 90, True),  # a call of a story stays
        (100, 3, False, 1100, 50, False),  # callers outside have many lines
    )
    assert cut_when_busy(events, subscribers=10).duration_s.tolist() == [
        600,
        0,
        0,
        0,
        60,
        60,
        90,
        50,
    ]


def test_events_fall_on_their_days() -> None:
    events = _calls(
        (1, 2, False, DAY_S, 5, False),
        (1, 2, False, 10, 6, False),
        (1, 2, False, 2 * DAY_S, 7, False),
    )
    assert [part.duration_s.tolist() for part in events.by_day(2)] == [[6], [5]]


def test_journal_keeps_what_it_is_told() -> None:
    journal = Journal(np.random.default_rng(0))
    assert journal.call(7, 1, at=100.9, duration_s=65.2) == 165
    assert journal.text(8, 1, at=200) == 200
    cents = journal.pay(3, 4, at=300, amount_cny=1234.56)
    calls, payments = journal.calls(), journal.payments()
    assert calls.at.tolist() == [100, 200]
    assert calls.duration_s.tolist() == [65, 0]
    assert calls.text.tolist() == [False, True]
    assert (payments.payer.tolist(), payments.payee.tolist(), payments.cents.tolist()) == (
        [3],
        [4],
        [cents],
    )
    assert cents in {123_000, 123_500, 123_456}


@given(st.floats(0.01, 1e7), st.integers(0, 1000))
def test_amounts_are_positive_and_near_what_was_meant(amount_cny: float, seed: int) -> None:
    cents = int(to_paid_cents(np.random.default_rng(seed), amount_cny))
    assert cents >= 1
    assert abs(cents - amount_cny * 100) <= 1000


def test_roundness_of_amounts_does_not_depend_on_their_size() -> None:
    rng = np.random.default_rng(1)
    for median in (80, 8000):
        cents = to_paid_cents(rng, rng.lognormal(np.log(median), 0.5, 20_000))
        assert np.mean(cents % 1000 == 0) == pytest.approx(0.22 + 0.33 / 10, abs=0.02)
        assert np.mean(cents % 100 == 0) == pytest.approx(0.22 + 0.33, abs=0.02)


def test_a_rotation_shows_what_is_in_use() -> None:
    line = Rotation(np.array([0, 100, 250]), np.array([11, 12, 13]))
    assert [line.at(second) for second in (0, 99, 100, 249, 250, 10_000)] == [
        11,
        11,
        12,
        12,
        13,
        13,
    ]
    assert Rotation.fixed(5).at(77) == 5


@given(st.floats(0, 40 * DAY_S), st.integers(0, 99))
def test_nobody_pays_in_the_small_hours(at: float, seed: int) -> None:
    moved = move_to_waking_hours(np.random.default_rng(seed), at)
    assert moved >= at
    assert moved - at < 12 * 3600
    assert moved % DAY_S >= 6.5 * 3600


def test_office_hours() -> None:
    hours = draw_seconds(np.random.default_rng(0), "office", 10_000) // 3600
    assert np.mean((hours >= 8) & (hours < 18)) > 0.85
    assert np.mean(hours < 6) == 0


def test_seasons_multiply_where_they_overlap() -> None:
    seasons = (
        Season(first="06-01", last="06-03", spending=1.5),
        Season(first="06-03", last="06-04", spending=2.0, scams={"police": 3.0}),
    )
    assert season_factor(seasons, date(2026, 6, 1), 5).tolist() == [1.5, 1.5, 3.0, 2.0, 1.0]
    assert season_factor(seasons, date(2026, 6, 1), 5, scam_type="police").tolist() == [
        1,
        1,
        3,
        3,
        1,
    ]


def test_times_are_shanghai_wall_time() -> None:
    assert to_times(date(2026, 6, 1), [0, 90_061, None]).dt.to_string("%F %T").to_list() == [
        "2026-06-01 00:00:00",
        "2026-06-02 01:01:01",
        None,
    ]


def test_identity_numbers() -> None:
    numbers = draw_id_numbers(
        np.random.default_rng(0),
        regions=np.array(["110105", "110105"]),
        births=np.array(["1949-12-31", "1949-12-31"], "datetime64[D]"),
        male=np.array([False, True]),
    )
    assert all(number.startswith("11010519491231") for number in numbers)
    assert [int(number[16]) % 2 for number in numbers] == [0, 1]


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("mobile", r"1[3-9]\d{9}"),
        ("virtual", r"(162|165|167|170|171)\d{8}"),
        ("local_landline", r"0471[2-8]\d{7}"),
        ("landline", r"0\d{2,3}[2-8]\d{7}"),
        ("service_95", r"95\d{3}(\d{4})?"),
        ("service_400", r"400\d{7}"),
        ("service_106", r"106\d{8}"),
        ("international", r"(00|\+)\d{9,11}"),
    ],
)
def test_numbers_of_each_kind(kind: str, pattern: str) -> None:
    import re

    book = NumberBook(np.random.default_rng(0), area_code="0471")
    texts = [book[i] for i in book.issue(kind, 200)]
    assert len(set(texts)) == 200
    assert all(re.fullmatch(pattern, text) for text in texts)


def test_accounts_are_cards_with_a_check_digit() -> None:
    book = AccountBook(np.random.default_rng(0))
    for i in book.issue(50):
        digits = [int(d) for d in reversed(book[i])]
        doubled = [d if n % 2 == 0 else sum(divmod(2 * d, 10)) for n, d in enumerate(digits)]
        assert len(digits) == 16
        assert sum(doubled) % 10 == 0
    merchant = int(book.issue_merchants()[0])
    assert book[merchant][0] == "M"
    assert book.is_merchant[merchant]


def test_pick_follows_its_weights() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_weighted(rng, {"a": 3, "b": 1, "c": 0}) for _ in range(4000)]
    assert drawn.count("a") / 4000 == pytest.approx(0.75, abs=0.03)
    assert "c" not in drawn


def test_cents_become_yuan_without_loss() -> None:
    assert to_yuan([12_345, 100, 9_999_999_999_999_999]).cast(str).to_list() == [
        "123.45",
        "1.00",
        "99999999999999.99",
    ]


def test_a_book_keeps_positions_and_draws_nothing_again() -> None:
    plain, kept = (NumberBook(np.random.default_rng(5), area_code="0471") for _ in range(2))
    first = kept.issue("international", 40)
    kept.shelve()
    shelved = [kept[i] for i in first]
    assert kept.gather(first[::-1]).to_list() == shelved[::-1]
    # All 1,000 short service numbers there are, and longer ones, in steps that are forgotten.
    drawn: list[str] = []
    for _ in range(20):
        positions = kept.issue("service_95", 100)
        assert positions.tolist() == list(range(40, 140))
        drawn += kept.gather(positions).to_list()
        kept.forget()
    assert len(kept) == 40
    assert len(set(drawn)) == 2000
    assert shelved + drawn == [
        plain[i] for i in [*plain.issue("international", 40), *np.ravel(_hundreds(plain))]
    ]


def _hundreds(book: NumberBook) -> list[list[int]]:
    return [book.issue("service_95", 100).tolist() for _ in range(20)]


def test_a_number_written_in_another_way_is_another() -> None:
    texts = ["00852123", "+852123", "852123", "6222021234567890", "M6222021"]
    assert len({pack_text(text) for text in texts}) == 5


def test_accounts_that_were_forgotten_leave_their_banks_in_step() -> None:
    book = AccountBook(np.random.default_rng(2))
    book.issue(3, banks=["icbc", "abc", "boc"])
    book.shelve()
    book.issue_merchants(2)
    book.forget()
    assert book.issue(1, banks=["ccb"]).tolist() == [3]
    assert book.banks == ["icbc", "abc", "boc", "ccb"]
    assert book.is_merchant == [False] * 4
