"""What a larger or smaller daily budget would buy: the policy run again over the same scored
moments.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import polars as pl

from models.evaluation.alert_metrics import measure_alerts
from models.policy.alerting import PolicyRules
from models.policy.candidates import POLICY_COLUMNS, count_candidates, keep_candidates
from models.policy.policy_run import PolicyRun

__all__ = ["BUDGETS", "alerts_under_budget", "compute_budget_curve", "keep_for_budgets"]

BUDGETS = (4, 8, 12, 20, 40)
CURVE_SCHEMA = pl.Schema(
    {
        "budget": pl.Int64(),
        "alerts_per_day": pl.Float64(),
        "precision": pl.Float64(),
        "coverage": pl.Float64(),
        "money": pl.Float64(),
        "lead_h_median": pl.Float64(),
    }
)


def keep_for_budgets(rows: pl.DataFrame, *, rules: PolicyRules) -> pl.DataFrame:
    """Of scored rows what :func:`compute_budget_curve` needs: of each tick so many as the policy
    looks at under the largest of ``BUDGETS``.
    """
    most = count_candidates(replace(rules, budget=max(*BUDGETS, rules.budget)))
    best = keep_candidates(rows, column="score", most=most)
    return best.select("person", "at", "score", *POLICY_COLUMNS)


def compute_budget_curve(
    rows: pl.DataFrame,
    episodes: pl.DataFrame,
    *,
    rules: PolicyRules,
    start: datetime,
    end: datetime,
    budgets: Iterable[int] = BUDGETS,
    traces: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row a budget: ``alerts_per_day``, ``precision``, ``coverage``, ``money`` and
    ``lead_h_median``.

    ``rows`` are of :func:`keep_for_budgets`; those before ``start`` only show what an ordinary day
    looks like. ``episodes`` and ``traces`` are of ``models.labels.episodes``.
    """
    curve = []
    for budget in budgets:
        alerts = alerts_under_budget(rows, rules=replace(rules, budget=budget), start=start)
        found = measure_alerts(alerts, episodes, start=start, end=end, traces=traces)
        curve.append(
            {
                "budget": budget,
                **{name: getattr(found, name) for name in CURVE_SCHEMA if name != "budget"},
            }
        )
    return pl.DataFrame(curve, schema=CURVE_SCHEMA)


def alerts_under_budget(rows: pl.DataFrame, *, rules: PolicyRules, start: datetime) -> pl.DataFrame:
    """The alerts from ``start`` on, repeats left out, as ``models.policy.policy_run`` has them."""
    run = PolicyRun(rules, start)
    run.decide_rows(rows)
    return run.first_alerts
