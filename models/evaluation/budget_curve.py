"""What a larger or smaller daily budget would buy: the policy run again over the same scored
moments.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from models.evaluation.alert_metrics import measure_alerts
from models.policy.alerting import Candidate, Memory, PolicyRules, decide_alerts

__all__ = ["BUDGETS", "Tick", "compute_budget_curve"]

BUDGETS = (4, 8, 12, 20, 40)
Tick = tuple[datetime, Sequence[Candidate]]
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


def compute_budget_curve(
    ticks: Sequence[Tick],
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

    ``ticks`` are moments in order with the candidates scored at each, at least ten times the
    largest budget of them; those before ``start`` only tell what an ordinary day looks like.
    ``episodes`` and ``traces`` are of ``models.labels.episodes``.
    """
    rows = []
    for budget in budgets:
        alerts = alerts_under_budget(ticks, rules=replace(rules, budget=budget), start=start)
        frame = pl.DataFrame(
            alerts,
            schema={"person": pl.String, "issued_at": episodes.schema["opened_at"]},
            orient="row",
        )
        found = measure_alerts(frame, episodes, start=start, end=end, traces=traces)
        rows.append(
            {
                "budget": budget,
                **{name: getattr(found, name) for name in CURVE_SCHEMA if name != "budget"},
            }
        )
    return pl.DataFrame(rows, schema=CURVE_SCHEMA)


def alerts_under_budget(
    ticks: Sequence[Tick], *, rules: PolicyRules, start: datetime
) -> list[tuple[str, datetime]]:
    """The alerts from ``start`` on, repeats left out."""
    memory = Memory()
    alerts: list[tuple[str, datetime]] = []
    for at, candidates in ticks:
        decided = decide_alerts(candidates, memory=memory, at=at, rules=rules)
        if at < start:
            memory.issued.clear()  # nobody was told
        else:
            alerts += [(one.candidate.person, at) for one in decided if not one.repeat]
    return alerts
