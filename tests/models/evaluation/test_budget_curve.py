"""Budgets over three days drawn by hand."""

from datetime import timedelta

import polars as pl

from models.evaluation.budget_curve import BUDGETS, compute_budget_curve, keep_for_budgets
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


def test_alerts_of_days_before_the_start_only_teach():
    late = compute_budget_curve(
        ROWS, EPISODES, rules=RULES, start=on(1) + timedelta(hours=1), end=on(8), budgets=[40]
    )
    assert late["alerts_per_day"].item() == 6 / (6 + 23 / 24)
    none = compute_budget_curve(ROWS.clear(), EPISODES, rules=RULES, start=on(2), end=on(8))
    assert none["alerts_per_day"].to_list() == [0.0] * 5
    assert isinstance(none, pl.DataFrame)


def test_enough_of_each_tick_is_kept_for_the_largest_budget():
    many = pl.concat([tick(1, **{f"p{n:03}": n / 1000 for n in range(500)}), tick(2, ada=0.1)])
    kept = keep_for_budgets(many, rules=RULES)
    assert kept["at"].value_counts(sort=True)["count"].to_list() == [10 * max(BUDGETS), 1]
    assert kept.filter(at=on(1))["score"].min() == 0.1
    assert len(keep_for_budgets(many, rules=PolicyRules(budget=45))) == 451
