"""Whom to ask about at which tick."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from features.whom_to_ask import query_points_after_events, query_points_for_everyone
from tests.examples import examples
from tests.models.drawn import call, event_index, on, payment

WHOLE_MONTH = {"start": on(1), "end": on(30)}


def ticks_of(
    *calls: dict, payments=(), every: str = "15m", **span: datetime
) -> list[tuple[str, datetime]]:
    drawn = event_index(calls=calls, payments=payments)
    return query_points_after_events(drawn, every=every, **(span or WHOLE_MONTH)).rows()


def test_a_touch_is_asked_about_at_the_first_tick_strictly_after_it():
    calls = [
        call("ada", "x", on(3, 10)),
        call("bo", "x", on(3, 10, 14, 59)),
        call("cai", "x", on(3, 10, 15)),
    ]
    assert ticks_of(*calls) == [
        ("ada", on(3, 10, 15)),
        ("bo", on(3, 10, 15)),
        ("cai", on(3, 10, 30)),
    ]


def test_ticks_follow_local_days_and_hours():
    late = call("ada", "x", on(3, 23, 59))
    assert ticks_of(late, every="1h") == ticks_of(late, every="1d") == [("ada", on(4))]


def test_calls_and_payments_of_one_tick_are_one_moment_and_others_have_none():
    calls = [
        call("ada", "x", on(3, 10)),
        call("ada", "y", on(3, 10, 5)),
        call("nobody", "x", on(3, 10)),
    ]
    assert ticks_of(*calls, payments=[payment("ada", "m", on(3, 10, 7), 5)]) == [
        ("ada", on(3, 10, 15))
    ]
    assert ticks_of(payments=[payment("bo", "m", on(3, 10), 5)]) == [("bo", on(3, 10, 15))]


def test_habits_are_no_reason_to_ask_again():
    """A friend of three weeks calls, a shop and a payee of three weeks are paid."""
    calls = [call("ada", "friend", on(day, 10)) for day in (1, 22)]
    shop = [payment("bo", "shop", on(day, 10), 30, payee_kind="merchant") for day in (21, 22)]
    rent = [payment("cai", "landlord", on(day, 10), 900) for day in (1, 22)]
    later = {"start": on(20), "end": on(30)}
    assert ticks_of(*calls, payments=[*shop, *rent], **later) == []


def test_strangers_and_money_are():
    calls = [call("ada", "stranger", on(22, 10))]
    much = payment("bo", "shop", on(22, 10), 1000, payee_kind="merchant")
    received = {**payment("bo", "employer", on(22, 11), 30), "direction": "credit"}
    known = [payment("cai", "landlord", on(day, 10), 1000) for day in (1, 22)]
    found = ticks_of(*calls, payments=[much, received, *known], start=on(20), end=on(30))
    assert found == [
        ("ada", on(22, 10, 15)),
        ("bo", on(22, 10, 15)),
        ("cai", on(22, 10, 15)),
        ("bo", on(22, 11, 15)),
    ]


def test_events_at_the_start_count_and_events_at_the_end_do_not():
    calls = [
        call("ada", "x", on(3, 9, 59)),
        call("bo", "x", on(3, 10)),
        call("ada", "x", on(3, 11)),
    ]
    assert ticks_of(*calls, start=on(3, 10), end=on(3, 11)) == [("bo", on(3, 10, 15))]
    assert ticks_of(*calls, start=on(3, 10), end=on(3, 11, 0, 1))[-1] == ("ada", on(3, 11, 15))


@examples(30)
@given(seconds=st.lists(st.integers(0, 86_399), min_size=1, max_size=8, unique=True))
def test_ticks_lie_on_the_grid_after_the_start_and_not_after_the_end(seconds):
    moments = [on(3) + timedelta(seconds=second) for second in seconds]
    found = ticks_of(*(call("ada", "x", moment) for moment in moments), start=on(3), end=on(4))
    assert [at for _, at in found] == sorted(
        {on(3) + (s // 900 + 1) * timedelta(minutes=15) for s in seconds}
    )
    assert all(on(3) < at <= on(4) for _, at in found)


def test_everyone_means_also_those_of_whom_nothing_was_ever_heard():
    drawn = event_index(calls=[call("ada", "x", on(3))])
    assert query_points_for_everyone(drawn, at=on(5)).rows() == [
        ("ada", on(5)),
        ("bo", on(5)),
        ("cai", on(5)),
    ]
