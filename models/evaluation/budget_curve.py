"""What a larger or smaller daily budget would buy: the policy run again over the same scored
moments.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from models.evaluation.alert_metrics import JudgedAlerts, judge_alerts, measure_alerts
from models.evaluation.bootstrap import (
    HIGH,
    LOW,
    Floats,
    Resamples,
    Total,
    percentile_interval,
    sum_once,
)
from models.policy.alerting import PolicyRules
from models.policy.policy_run import PolicyRun
from models.policy.shortlist import POLICY_COLUMNS, count_candidates, keep_candidates
from models.policy.stand_ins import without_stand_ins

__all__ = [
    "BUDGETS",
    "BudgetOutlook",
    "Estimate",
    "alerts_under_budget",
    "compute_budget_curve",
    "keep_for_budgets",
    "measure_outlook",
]

BUDGETS = (4, 8, 12, 20, 40)
MONTH_DAYS = 30
# What one more alert a day buys is measured on so many more at once: on one alone chance decides.
MORE_SHARE = 0.5
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


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class BudgetOutlook:
    """What a daily ``budget`` of alerts is worth at an installation's own rate of fraud, by the
    cases reported among ``residents`` in ``days``.

    ``loss_rate`` losses reported per 100,000 residents and day · ``precision`` share of alerts on
    people in a reported episode, None without an alert · ``one_more_losses`` and ``one_more_cny``
    how many more losses would be seen in time in 30 days, and how much money would still be unpaid,
    with one more alert a day. Both are None where there is nobody left to alert, the money also
    where no further loss would have been seen: what the next one would be worth nobody knows. About
    a third of the losses is never reported, so all of these are lower bounds.
    """

    budget: int
    days: float
    residents: int
    losses: int
    loss_rate: Estimate
    precision: Estimate | None
    one_more_losses: Estimate | None
    one_more_cny: Estimate | None


def keep_for_budgets(rows: pl.DataFrame, *, rules: PolicyRules) -> pl.DataFrame:
    """Of scored rows what :func:`compute_budget_curve` and :func:`measure_outlook` need: of each
    tick so many as the policy looks at under the largest of their budgets.
    """
    most = count_candidates(replace(rules, budget=max(*BUDGETS, wider_rules(rules).budget)))
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


def measure_outlook(
    rows: pl.DataFrame,
    episodes: pl.DataFrame,
    *,
    rules: PolicyRules,
    start: datetime,
    end: datetime,
    residents: int,
    traces: pl.DataFrame | None = None,
) -> BudgetOutlook:
    """What the budget of ``rules`` is worth, and what one more alert a day would add.

    ``rows``, ``episodes`` and ``traces`` are those of :func:`compute_budget_curve`. Intervals of
    counts and shares are exact (Garwood's of a Poisson count, Jeffreys' of a share), so that none
    found among few is not taken for never; that of the money comes from drawing the people again.
    Stand-ins go with the person whose scores they have.
    """
    judged = [
        judge_alerts(
            alerts_under_budget(rows, rules=chosen, start=start),
            episodes,
            start=start,
            end=end,
            traces=traces,
        )
        for chosen in (rules, wider_rules(rules))
    ]
    now, more = (replace(one, alerts=without_stand_ins(one.alerts)) for one in judged)
    losses, added = len(now.losses), len(more.alerts) - len(now.alerts)
    further = max(0, int(more.losses["covered"].sum()) - int(now.losses["covered"].sum()))
    return BudgetOutlook(
        budget=rules.budget,
        days=now.days,
        residents=residents,
        losses=losses,
        loss_rate=_estimate_rate(losses, of=residents * now.days / 100_000),
        precision=_estimate_precision(now.alerts),
        one_more_losses=_estimate_rate(further, of=added / MONTH_DAYS) if added > 0 else None,
        one_more_cny=_estimate_saving(now, more) if added > 0 and further else None,
    )


def wider_rules(rules: PolicyRules) -> PolicyRules:
    """The same with half as large a budget again, on which what one more alert buys is measured."""
    return replace(rules, budget=rules.budget + max(1, math.ceil(MORE_SHARE * rules.budget)))


def _estimate_rate(count: int, *, of: float) -> Estimate:
    from scipy.stats import chi2

    low = chi2.ppf(LOW, 2 * count) / 2 if count else 0.0
    high = chi2.ppf(HIGH, 2 * count + 2) / 2
    return Estimate(value=count / of, low=float(low) / of, high=float(high) / of)


def _estimate_precision(alerts: pl.DataFrame) -> Estimate | None:
    """The share of alerts on people in a reported episode.

    Alerts of a person and his stand-ins at one moment are one observation: the interval is that of
    as many single ones as tell as much (Kish).
    """
    if alerts.is_empty():
        return None
    alike = alerts.group_by("person", "issued_at").len()["len"].cast(pl.Float64)
    telling = len(alerts) ** 2 / float((alike**2).sum())
    return _estimate_share(int(alerts["reported"].sum()) * (telling / len(alerts)), of=telling)


def _estimate_share(count: float, *, of: float) -> Estimate:
    from scipy.stats import beta

    low, high = beta.ppf([LOW, HIGH], count + 0.5, of - count + 0.5)
    return Estimate(
        value=count / of,
        low=float(low) if count else 0.0,
        high=float(high) if count < of else 1.0,
    )


def _estimate_saving(now: JudgedAlerts, more: JudgedAlerts) -> Estimate | None:
    """The money that a month of one more alert a day would find still unpaid."""
    draws = Resamples(
        pl.concat([more.alerts["person"], now.alerts["person"], now.losses["person"]])
    )

    def saving(total: Total) -> Floats:
        ahead = total(more.losses, pl.col("ahead_cny")) - total(now.losses, pl.col("ahead_cny"))
        alerts = total(more.alerts, pl.lit(1.0)) - total(now.alerts, pl.lit(1.0))
        with np.errstate(invalid="ignore", divide="ignore"):  # a draw may have no further alert
            return np.where(alerts > 0, np.maximum(ahead, 0) / alerts * MONTH_DAYS, np.nan)

    found = percentile_interval(saving(draws.totals))
    if found is None:
        return None
    return Estimate(value=float(saving(sum_once)[0]), low=found.low, high=found.high)
