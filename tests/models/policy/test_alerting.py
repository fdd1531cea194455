"""Who is alerted, tick by tick."""

from collections import Counter
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.policy.alerting import (
    Candidate,
    Memory,
    PolicyRules,
    alert_level,
    carry_over,
    decide_alerts,
    priority_expression,
)
from models.policy.shortlist import select_candidates
from tests.models.drawn import on

Told = list[tuple[str, bool]]


def run(
    *ticks: tuple[datetime, dict[str, float]], rules: PolicyRules, memory: Memory | None = None
) -> list[Told]:
    """Who is alerted at each tick, and whether as a repeat; nobody has moved money."""
    memory = memory or Memory()
    return [told(scores, memory=memory, at=at, rules=rules) for at, scores in ticks]


def candidate(person: str, score: float, paid_cny: float = 0.0) -> Candidate:
    """Somebody of whose money at stake nothing is known: ranked by probability alone."""
    return Candidate(person, score, priority=score, paid_cny=paid_cny)


def told(
    scores: dict[str, float],
    *,
    memory: Memory,
    at: datetime,
    rules: PolicyRules,
    paid_cny: float = 0.0,
) -> Told:
    asked = [candidate(person, score, paid_cny) for person, score in scores.items()]
    return [
        (one.candidate.person, one.repeat)
        for one in decide_alerts(asked, memory=memory, at=at, rules=rules)
    ]


def test_the_budget_is_that_of_a_calendar_day_and_the_best_come_first():
    many = {"ada": 0.2, "bo": 0.9, "cai": 0.5}
    assert run(
        (on(1, 9), many),
        (on(1, 23, 59), {"dan": 0.99}),
        (on(2), {"dan": 0.99}),
        rules=PolicyRules(budget=2),
    ) == [[("bo", False), ("cai", False)], [], [("dan", False)]]


def test_what_quiet_days_left_over_may_be_used_on_a_busy_one_up_to_a_share_of_the_budget():
    busy = dict.fromkeys("abcdefgh", 0.9)
    rules = PolicyRules(budget=4, carry=0.5)
    assert [
        len(told) for told in run((on(1), {"x": 0.9}), (on(2), busy), (on(3), busy), rules=rules)
    ] == [1, 6, 2]
    strict = PolicyRules(budget=4, carry=0.0)
    assert [len(told) for told in run((on(1), {"x": 0.9}), (on(2), busy), rules=strict)] == [1, 4]


def test_what_is_saved_is_told_by_how_much_each_day_used():
    rules = PolicyRules(budget=4, carry=0.5)
    used = ([], [4], [3], [1], [1, 6], [6], [1, 0, 5])
    assert [carry_over(0, used=days, rules=rules) for days in used] == [0, 0, 1, 2, 0, 0, 1]


def test_people_are_ranked_by_what_a_warning_can_save():
    plain, full = PolicyRules(budget=1, saving_weight=0.0), PolicyRules(budget=1, saving_weight=1.0)
    rows = pl.DataFrame(
        {
            "person": ["ada", "bo", "cai"],
            "score": [0.5, 0.4, 0.4],
            "new_debit_cny_6h": [0.0, 0.0, None],
            "preventable_loss_cny": [1_000.0, 100_000.0, None],
        }
    )

    def ranked(rules: PolicyRules) -> list[Candidate]:
        return select_candidates(rows, column="score", rules=rules)

    def first(rules: PolicyRules) -> str:
        memory = Memory()
        return decide_alerts(ranked(rules), memory=memory, at=on(1), rules=rules)[
            0
        ].candidate.person

    assert (first(plain), first(full)) == ("ada", "bo")
    assert [one.saving_cny for one in ranked(full)] == [500.0, 40_000.0, None]
    # a tenth of the usual money, ten times as much, and nothing known: by probability alone
    assert [one.priority for one in ranked(full)] == pytest.approx([0.05, 4.0, 0.4])
    assert [one.priority for one in ranked(plain)] == [0.5, 0.4, 0.4]
    assert [one.paid_cny for one in ranked(plain)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("weight", [0.0, 0.1, 0.37, 1.0])
def test_a_priority_is_the_same_to_the_last_digit_alone_and_among_others(weight):
    rows = pl.DataFrame(
        {
            "score": [(number % 97 + 1) / 98 for number in range(500)],
            "preventable_loss_cny": [number**2 * 0.37 + 3.1 for number in range(500)],
        }
    )
    priority = priority_expression(rules=PolicyRules(saving_weight=weight))
    among_others = rows.select(priority).to_series()
    alone = pl.concat(rows[number].select(priority) for number in range(500)).to_series()
    assert alone.equals(among_others)


def test_todays_rule_knows_nothing_of_what_is_at_stake():
    rows = pl.DataFrame(
        {
            "person": ["ada", "bo"],
            "baseline_score": [0.5, 0.4],
            "new_debit_cny_6h": [0.0, 0.0],
            "preventable_loss_cny": [1_000.0, 100_000.0],
        }
    )
    rules = PolicyRules(saving_weight=1.0)
    found = select_candidates(rows, column="baseline_score", rules=rules)
    assert [(one.priority, one.preventable_loss_cny) for one in found] == [(0.5, None), (0.4, None)]


def test_equal_scores_are_alerted_in_order_of_person_whatever_the_order_of_the_input():
    rules = PolicyRules(budget=2)
    assert run((on(1), {"cai": 0.5, "ada": 0.5, "bo": 0.5}), rules=rules) == [
        [("ada", False), ("bo", False)]
    ]


def test_no_second_alert_on_a_person_within_72_hours_without_new_money():
    always = {"ada": 0.9}
    ticks = [(on(1, 9), always), (on(2, 9), always), (on(4, 8, 59), always), (on(4, 9), always)]
    assert run(*ticks, rules=PolicyRules()) == [[("ada", False)], [], [], [("ada", False)]]


def test_new_money_is_said_again_after_six_hours_and_costs_no_budget():
    """What is asked with is the money of six hours, so none of it was there at the alert before."""
    memory, rules, ada = Memory(), PolicyRules(budget=1), {"ada": 0.9}
    assert told(ada, memory=memory, at=on(1, 9), rules=rules, paid_cny=500) == [("ada", False)]
    assert told(ada, memory=memory, at=on(1, 14, 59), rules=rules, paid_cny=9_000) == []  # too soon
    assert told(ada, memory=memory, at=on(1, 15), rules=rules, paid_cny=999) == []  # too little
    assert told(ada, memory=memory, at=on(1, 15), rules=rules, paid_cny=1_000) == [("ada", True)]
    assert told(ada, memory=memory, at=on(1, 20), rules=rules, paid_cny=1_000) == []  # said already
    assert told(ada, memory=memory, at=on(1, 21), rules=rules, paid_cny=1_000) == [("ada", True)]
    assert told({"bo": 0.9}, memory=memory, at=on(2, 10), rules=rules) == [("bo", False)]


def test_a_repeat_does_not_lengthen_the_cool_down():
    memory, rules, ada = Memory(), PolicyRules(), {"ada": 0.9}
    told(ada, memory=memory, at=on(1, 9), rules=rules)
    assert told(ada, memory=memory, at=on(3, 9), rules=rules, paid_cny=5_000) == [("ada", True)]
    assert told(ada, memory=memory, at=on(4, 9), rules=rules, paid_cny=5_000) == [("ada", False)]


def test_past_days_set_the_threshold_that_paces_the_budget():
    rules = PolicyRules(budget=2, stretch=1.5)
    first = {"ada": 0.9, "bo": 0.8, "cai": 0.7, "dan": 0.6, "eve": 0.5}
    memory = Memory()
    told(first, memory=memory, at=on(1), rules=rules)
    assert memory.threshold(rules=rules) == 0.0  # a first day has no past to go by
    second = {"fay": 0.59, "gus": 0.6}  # 2 x 1.5 = 3 people stood above 0.6 yesterday
    assert told(second, memory=memory, at=on(2), rules=rules) == [("gus", False)]
    assert memory.threshold(rules=rules) == 0.6
    told({}, memory=memory, at=on(3), rules=rules)
    assert memory.threshold(rules=rules) == 0.5  # the 7th of 0.9 0.8 0.7 0.6 0.6 0.59 0.5


def test_a_persons_best_score_of_a_day_counts_once_and_those_already_alerted_not_at_all():
    rules, memory = PolicyRules(budget=1, stretch=1.0), Memory()
    for hour, scores in enumerate(
        [{"ada": 0.9}, {"bo": 0.3}, {"ada": 0.95, "bo": 0.4}, {"bo": 0.2}]
    ):
        told(scores, memory=memory, at=on(1, hour), rules=rules)
    told({}, memory=memory, at=on(2), rules=rules)
    assert list(memory.past_priorities.values()) == [[0.9, 0.4]]
    assert memory.threshold(rules=rules) == 0.4


def test_only_the_last_days_are_remembered():
    rules, memory = PolicyRules(budget=1, memory_days=3), Memory()
    for day in range(1, 9):
        told({f"on {day}": day / 10}, memory=memory, at=on(day), rules=rules)
    assert list(memory.past_priorities.values()) == [[0.5], [0.6], [0.7]]


def test_days_without_a_run_are_forgotten_with_the_calendar():
    rules, memory = PolicyRules(budget=1, memory_days=3), Memory()
    told({"ada": 0.9}, memory=memory, at=on(1), rules=rules)
    told({"bo": 0.8}, memory=memory, at=on(4), rules=rules)
    assert memory.past_priorities == {on(1).date(): [0.9]}
    told({"cai": 0.7}, memory=memory, at=on(5), rules=rules)
    assert memory.past_priorities == {on(4).date(): [0.8]}


def test_nobody_to_ask_nobody_to_alert():
    assert decide_alerts([], memory=Memory(), at=on(1), rules=PolicyRules()) == []


@pytest.mark.parametrize(
    ("score", "paid_cny", "level"),
    [
        (0.60, 0, "red"),
        (0.59, 0, "orange"),
        (0.30, 0, "orange"),
        (0.29, 0, "yellow"),
        (0.10, 0, "yellow"),
        (0.09, 0, "blue"),
        (0.00, 0, "blue"),
        (0.09, 1_000, "yellow"),  # money is moving: one higher
        (0.09, 999, "blue"),
        (0.90, 1_000, "red"),
    ],
)
def test_levels(score, paid_cny, level):
    assert alert_level(candidate("ada", score, paid_cny), rules=PolicyRules()) == level


def test_levels_are_configurable():
    strict = PolicyRules(levels={"red": 0.9, "orange": 0.8, "yellow": 0.7, "blue": 0.6})
    scores = (0.95, 0.85, 0.75, 0.65, 0.5)
    levels = [alert_level(candidate("ada", score), rules=strict) for score in scores]
    assert levels == ["red", "orange", "yellow", "blue", "blue"]


SCORES = st.floats(0, 1, allow_nan=False)
ASKED = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(SCORES, st.floats(0, 20_000)), max_size=8
)
TICKS = st.lists(st.tuples(st.integers(1, 40), ASKED), min_size=1, max_size=30)
RULES = st.builds(
    PolicyRules,
    budget=st.integers(1, 3),
    memory_days=st.integers(1, 4),
    stretch=st.sampled_from([1.0, 1.3, 2.0]),
    carry=st.sampled_from([0.0, 0.5, 1.0]),
)


def alerts(ticks, *, rules: PolicyRules) -> list[tuple[datetime, str, bool]]:
    """Every alert of a run over ticks given as hours since the last and what was asked there."""
    memory, at, issued = Memory(), on(1), []
    for hours, scored in ticks:
        at += timedelta(hours=hours)
        asked = [candidate(person, score, paid) for person, (score, paid) in scored.items()]
        issued += [
            (at, one.candidate.person, one.repeat)
            for one in decide_alerts(asked, memory=memory, at=at, rules=rules)
        ]
    return issued


@settings(deadline=None)
@given(ticks=TICKS, rules=RULES)
def test_the_budget_and_the_cool_down_hold_whatever_comes(ticks, rules):
    issued = alerts(ticks, rules=rules)
    counted = [(at, person) for at, person, repeat in issued if not repeat]
    by_day = Counter(at.date() for at, _ in counted)
    assert max(by_day.values(), default=0) <= rules.budget + int(rules.carry * rules.budget)
    for day in by_day:  # never more than the days so far have allowed
        days = (day - on(1).date()).days + 1
        assert (
            sum(number for other, number in by_day.items() if other <= day) <= days * rules.budget
        )
    last: dict[str, datetime] = {}
    for at, person, repeat in issued:
        within = person in last and at - last[person] < rules.cool_down
        assert within == repeat
        if not repeat:
            last[person] = at


@settings(deadline=None)
@given(ticks=TICKS, rules=RULES, cut=st.integers(0, 30))
def test_what_comes_later_never_changes_what_was_decided(ticks, rules, cut):
    issued, early = alerts(ticks, rules=rules), alerts(ticks[:cut], rules=rules)
    assert issued[: len(early)] == early
    horizon = on(1) + timedelta(hours=sum(hours for hours, _ in ticks[:cut]))
    assert all(at > horizon for at, _, _ in issued[len(early) :])
