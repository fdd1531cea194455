"""Numbers that come back, that talk and text, and after which residents pay, drawn and counted by
hand.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from features.counterparties import NUMBERS
from features.event_index import build_event_index
from features.kernel.segment import to_milliseconds
from features.kernel.source_tables import LOOKBACK
from features.point_in_time import build_snapshot
from tests.features.districts import NOON, Row, ago, call, district, frame, moments, text, transfer
from tests.features.districts import TRANSFERS as TRANSFER_COLUMNS


def features(
    *calls: Row, transfers: tuple[Row, ...] = (), person: str = "p1", at: datetime = NOON
) -> Row:
    (row,) = build_snapshot(
        build_event_index(district(calls=calls, transfers=transfers)), moments((person, at))
    ).to_dicts()
    return row


def followed(*calls: Row, transfers: tuple[Row, ...], at: datetime = NOON) -> list[float]:
    """``peer_followed_n`` of every number, in order of the numbers."""
    event_index = build_event_index(district(calls=calls, transfers=transfers))
    peers = event_index.numbers["code"].cast(pl.Int64).to_numpy()
    at_ms = to_milliseconds(pl.Series([at] * len(peers)))
    return NUMBERS.states(event_index, codes=peers, at_ms=at_ms)["peer_followed_n"].to_list()


def reached(peer: str, *, hours: float) -> tuple[Row, ...]:
    """The two other residents are called for ten seconds: with p1 that makes three, a bad name."""
    return tuple(
        call(peer, ago(hours=hours), number=number, duration_s=10) for number in ("n2", "n3")
    )


def test_a_payment_within_a_day_of_contact_counts_for_the_number() -> None:
    """p1 pays an hour after x1, p2 a minute more than a day after; x2 called p1 only after the
    payment.
    """
    calls = [
        call("x1", ago(hours=40), duration_s=600),
        call("x1", ago(hours=40), number="n2"),
        call("x2", ago(hours=30)),
    ]
    soon = transfer("b1", ago(hours=38), "3000.00")
    late = transfer("b1", ago(hours=40) + timedelta(days=1, minutes=2), "3000.00", account="a2")

    assert followed(*calls, transfers=(soon, late)) == [1, 0]


def test_a_resident_counts_once_however_much_is_paid() -> None:
    calls = [call("x1", ago(hours=hour)) for hour in (30, 29, 28)]
    moves = tuple(transfer(payee, ago(hours=27), "3000.00") for payee in ("b1", "b2"))

    assert followed(*calls, transfers=moves) == [1]


def test_a_contact_bears_fruit_with_the_first_payment() -> None:
    """Two payments after one call, an hour more and an hour less than a fortnight ago: the first
    one counts.
    """
    moves = tuple(transfer(f"b{sign}", ago(days=14, hours=sign), "3000.00") for sign in (1, -1))

    assert followed(call("x1", ago(days=14, hours=2)), transfers=moves) == [0]
    assert followed(call("x1", ago(days=14, hours=2)), transfers=moves[1:]) == [1]


def test_a_payment_and_a_call_that_become_known_at_once() -> None:
    """Both come with one delivery; the day after a contact ends to the millisecond."""
    heard = call("x1", ago(hours=30), known_at=ago(hours=25))

    def then(after: timedelta) -> list[float]:
        return followed(heard, transfers=(transfer("b1", ago(hours=25) + after, "3000.00"),))

    assert then(timedelta(0)) == [1]
    assert then(timedelta(milliseconds=-1)) == [0]
    assert then(timedelta(days=1)) == [1]
    assert then(timedelta(days=1, milliseconds=1)) == [0]


def test_a_number_seen_for_weeks_is_not_among_the_young() -> None:
    """Residents paid after it as well, but it called somebody three weeks ago."""
    calls = (call("x1", ago(hours=2)), call("x1", ago(days=2), number="n2"))
    moves = (transfer("b1", ago(days=2, hours=-1), "3000.00", account="a2"),)
    old = call("x1", ago(days=21), number="n3")

    assert features(*calls, transfers=moves)["followed_max"] == 1
    assert features(*calls, old, transfers=moves)["followed_max"] is None


@pytest.mark.parametrize(
    "move",
    [
        transfer("a2", ago(hours=1), "3000.00"),  # to another resident
        transfer("m1", ago(hours=1), "3000.00"),
        transfer("b1", ago(hours=1), "3000.00", direction="credit"),
        transfer(
            "b1", ago(hours=1), "3000.00", account="a2"
        ),  # paid by someone the number never called
    ],
)
def test_only_a_first_payment_outside_the_district_follows(move: Row) -> None:
    assert followed(call("x1", ago(hours=2)), transfers=(move,)) == [0]


def test_an_account_paid_before_is_not_led_to() -> None:
    moves = (transfer("b1", ago(days=5), "10.00"), transfer("b1", ago(hours=1), "3000.00"))

    assert followed(call("x1", ago(hours=2)), transfers=moves) == [0]


def test_a_fortnight_is_looked_at_and_a_payment_not_yet_known_is_not() -> None:
    calls, moves = [call("x1", ago(days=14))], (transfer("b1", ago(days=14, hours=-2), "3000.00"),)

    assert followed(*calls, transfers=moves) == [1]
    assert followed(*calls, transfers=moves, at=ago(days=14, hours=-2)) == [0]
    assert followed(*calls, transfers=moves, at=ago(hours=-2) + timedelta(milliseconds=1)) == [0]


def test_the_next_resident_is_told_what_happened_to_the_others() -> None:
    """Both residents with an account paid after x1; it calls the third this morning."""
    calls = (
        call("x1", ago(days=2), duration_s=900),
        call("x1", ago(days=2), number="n2", duration_s=900),
        call("x1", ago(hours=1), number="n3"),
    )
    moves = tuple(
        transfer("b1", ago(days=2, hours=-1), "3000.00", account=account)
        for account in ("a1", "a2")
    )
    row = features(*calls, transfers=moves, person="p3")

    assert (row["followed_max"], row["followed_share_max"]) == (2, 2 / (3 + 5))
    assert (row["lead_peer_followed_n"], row["lead_peer_engaged_n"]) == (2, 2)


def test_a_caller_who_comes_back() -> None:
    """Talks yesterday, and again at eleven; the residents reached make its name a bad one."""
    calls = [
        call("x1", ago(hours=26)),
        call("x1", ago(hours=1), duration_s=700),
        *reached("x1", hours=30),
    ]
    row = features(*calls)

    age_d = (30 * 3600 - 10) / 86_400
    assert row["returning_n"] == 1
    assert row["returning_reputation"] == row["lead_reputation"] == pytest.approx(1 - age_d / 20)
    assert row["bad_reputation_span_h"] == pytest.approx(25 + (700 - 60) / 3600)
    assert (
        row["bad_reputation_long_24h"],
        row["bad_reputation_talk_s"],
        row["bad_reputation_talk_24h_s"],
    ) == (
        1,
        760,
        0,
    )
    assert row["relay_6h"] == 1


@pytest.mark.parametrize(
    "calls",
    [
        [call("x1", ago(hours=5)), call("x1", ago(hours=1))],  # too soon to be coming back
        [call("x1", ago(hours=80)), call("x1", ago(hours=1))],  # an acquaintance of days
        [call("x1", ago(hours=26)), call("x1", ago(hours=7))],  # silent since the morning
        [call("x1", ago(hours=26)), call("x1", ago(hours=1), duration_s=0)],  # not answered
    ],
)
def test_who_does_not_come_back(calls: list[Row]) -> None:
    row = features(*calls, *reached("x1", hours=30))

    assert (row["returning_reputation"], row["returning_n"], row["bad_reputation_peers_7d"]) == (
        None,
        0,
        1,
    )


def test_texts_and_talk_with_one_number() -> None:
    calls = [
        call("x1", ago(hours=26), duration_s=300),
        text("x1", ago(hours=25)),
        text("x2", ago(hours=2)),
    ]
    row = features(*calls, *reached("x1", hours=30))

    assert (row["text_talk_s"], row["text_talk_reputation"]) == (300, row["lead_reputation"])


def test_one_after_another_on_the_line() -> None:
    """Three unknown numbers since the morning, two of them for long."""
    calls = [
        call("x1", ago(hours=4), duration_s=1800),
        call("x2", ago(hours=3), duration_s=600),
        call("x3", ago(hours=2), duration_s=599),
        call("x4", ago(hours=9), duration_s=3600),
    ]

    assert features(*calls)["relay_6h"] == 2


def test_the_lookback_reaches_to_the_call_before_a_payment_of_a_fortnight_ago() -> None:
    """Sixty days matter: x1 was heard of then, so it is no stranger when p1 pays after its call.

    Without the first call the second would begin a relationship, and the third be that of a
    stranger.
    """
    calls = [
        call("x1", NOON - age)
        for age in (LOOKBACK - timedelta(minutes=10), timedelta(days=30, minutes=-10))
    ]
    calls = [*calls, call("x1", ago(days=15, minutes=-5)), call("x1", ago(hours=1), number="n3")]
    moves = (transfer("b1", ago(days=14, minutes=-3), "3000.00"),)

    assert timedelta(days=60) == LOOKBACK
    assert followed(*calls, transfers=moves) == [0]
    assert followed(*calls[1:], transfers=moves) == [1]


def test_what_became_known_before_the_lookback_changes_nothing() -> None:
    """Calls and payments of months ago, with the same number and the same account."""
    calls = (
        call("x1", ago(hours=26)),
        call("x1", ago(hours=1), duration_s=700),
        *reached("x1", hours=30),
    )
    moves = (transfer("b1", ago(hours=20), "100.00"), transfer("b1", ago(hours=2), "9000.00"))
    tables = district(calls=calls, transfers=moves)
    long_ago = [NOON - LOOKBACK - timedelta(days=day, milliseconds=1) for day in (0, 3, 20)]
    more = replace(
        tables,
        calls=pl.concat(
            [tables.calls, district(calls=[call("x1", at, known_at=at) for at in long_ago]).calls]
        ),
        transfers=pl.concat(
            [
                tables.transfers,
                frame([transfer("b1", at, "5.00") for at in long_ago], TRANSFER_COLUMNS),
            ]
        ),
    )
    asked = moments(("p1", NOON), ("p2", NOON))

    assert build_snapshot(build_event_index(more), asked).equals(
        build_snapshot(build_event_index(tables), asked)
    )
