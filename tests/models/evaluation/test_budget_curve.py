"""Budgets over three days drawn by hand."""

from datetime import timedelta

import polars as pl
import pytest

from models.evaluation.budget_curve import (
    BUDGETS,
    BudgetOutlook,
    Estimate,
    compute_budget_curve,
    keep_for_budgets,
    measure_outlook,
)
from models.policy.alerting import PolicyRules
from tests.models.drawn import on
from tests.models.evaluation.test_alert_metrics import EPISODES

RULES = PolicyRules(budget=1, stretch=1.0)


def tick(day: int, **scores: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "person": list(scores),
            "at": pl.Series([on(day)] * len(scores), dtype=EPISODES.schema["opened_at"]),
            "score": list(scores.values()),
            "new_debit_cny_6h": [0.0] * len(scores),
            "preventable_loss_cny": pl.Series([None] * len(scores), dtype=pl.Float64),
        }
    )


ROWS = pl.concat(
    [
        tick(1, ada=0.9, zoe=0.8, yan=0.2),  # before the start
        tick(3, ada=0.7, zoe=0.9),
        tick(4, bo=0.8, cai=0.95, zoe=0.9),
        tick(5, dan=0.9, yan=0.95, cai=0.99),
    ]
)


def test_a_larger_budget_reaches_more_people_and_is_right_less_often():
    found = compute_budget_curve(
        ROWS, EPISODES, rules=RULES, start=on(2), end=on(8), budgets=[1, 2]
    )
    # one a day: zoe, cai, yan · two a day: zoe and ada, cai and bo, yan and dan; zoe and cai are
    # resting
    assert found.to_dict(as_series=False) == {
        "budget": [1, 2],
        "alerts_per_day": [3 / 6, 6 / 6],
        "precision": [1 / 3, 4 / 6],
        "coverage": [1 / 4, 4 / 4],
        "money": [20_000 / 100_000, 1.0],
        "lead_h_median": [60.0, 15.0],
    }


def look_ahead(rows: pl.DataFrame, *, budget: int = 1) -> BudgetOutlook:
    rules = PolicyRules(budget=budget, stretch=1.0)
    return measure_outlook(rows, EPISODES, rules=rules, start=on(2), end=on(8), residents=1_000)


def test_one_more_alert_a_day_is_what_those_after_the_budget_would_have_found():
    found = look_ahead(ROWS)
    assert (found.budget, found.days, found.residents, found.losses) == (1, 6.0, 1_000, 4)
    # four losses among 1,000 residents in six days; a third of the alerts were right
    assert found.loss_rate.value == pytest.approx(4 / (1_000 * 6) * 100_000)
    assert found.precision is not None
    assert found.precision.value == pytest.approx(1 / 3)
    # ada, bo and dan by three more alerts: as many losses a month as alerts, and all their money
    assert found.one_more_losses is not None
    assert found.one_more_losses.value == pytest.approx(30.0)
    assert found.one_more_cny is not None
    assert found.one_more_cny.value == pytest.approx(80_000 / 3 * 30)
    assert found.one_more_cny.low <= found.one_more_cny.value <= found.one_more_cny.high


def test_where_nobody_is_left_to_alert_one_more_alert_is_worth_nothing_known():
    found = look_ahead(ROWS, budget=40)
    assert (found.one_more_losses, found.one_more_cny) == (None, None)
    assert look_ahead(ROWS.clear()).precision is None


def test_where_one_more_alert_found_nothing_its_worth_is_bounded_and_its_money_unknown():
    # two a day reach everybody; one a day reaches the same losses
    rows = pl.concat([tick(3, ada=0.9, yan=0.1), tick(4, bo=0.8, zoe=0.2)])
    found = look_ahead(rows)
    assert found.one_more_losses == Estimate(
        value=0.0, low=0.0, high=pytest.approx(2.9957 / 2 * 30, rel=1e-4)
    )
    assert found.one_more_cny is None


def test_stand_ins_make_precision_no_surer():
    one, alike = (
        measure_outlook(
            tick(3, ada=0.9, **dict.fromkeys(others, 0.8)),
            EPISODES,
            rules=PolicyRules(budget=9),
            start=on(2),
            end=on(8),
            residents=1_000,
        ).precision
        for others in (("yan", "zoe"), ("zoe", "zoe#1", "zoe#2"))
    )
    assert one is not None
    assert alike is not None
    assert (one.value, alike.value) == (pytest.approx(1 / 3), pytest.approx(1 / 4))
    assert alike.high - alike.low > one.high - one.low


def test_none_found_among_few_is_not_taken_for_never():
    quiet = measure_outlook(
        tick(3, zoe=0.9),
        EPISODES.clear(),
        rules=RULES,
        start=on(2),
        end=on(8),
        residents=50_000,
    )
    # the upper end of a count of none at 95 %: 3.0 in 50,000 · 6 person-days
    assert quiet.loss_rate == Estimate(value=0.0, low=0.0, high=pytest.approx(2.9957 / 3, rel=1e-4))
    assert quiet.precision is not None
    assert (quiet.precision.value, quiet.precision.low) == (0.0, 0.0)
    assert 0.5 < quiet.precision.high < 1.0


def test_alerts_of_days_before_the_start_only_teach():
    late = compute_budget_curve(
        ROWS, EPISODES, rules=RULES, start=on(1) + timedelta(hours=1), end=on(8), budgets=[40]
    )
    assert late["alerts_per_day"].item() == 6 / (6 + 23 / 24)
    none = compute_budget_curve(ROWS.clear(), EPISODES, rules=RULES, start=on(2), end=on(8))
    assert none["alerts_per_day"].to_list() == [0.0] * 5
    assert isinstance(none, pl.DataFrame)


def test_enough_of_each_tick_is_kept_for_the_largest_budget():
    many = pl.concat([tick(1, **{f"p{n:03}": n / 1000 for n in range(900)}), tick(2, ada=0.1)])
    kept = keep_for_budgets(many, rules=RULES)
    assert kept["at"].value_counts(sort=True)["count"].to_list() == [10 * max(BUDGETS), 1]
    assert kept.filter(at=on(1))["score"].min() == 0.5
    assert (
        len(keep_for_budgets(many, rules=PolicyRules(budget=45))) == 10 * 68 + 1
    )  # half as many again
