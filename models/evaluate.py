"""How good alerts were, by what cases say: the measures a centre can take of itself, without anybody's truth."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import polars as pl

__all__ = ["Figures", "measure"]

GRACE = timedelta(minutes=10)
BEFORE = timedelta(hours=72)


@dataclass(frozen=True)
class Figures:
    """Measured over a window at a budget.

    ``precision`` share of alerts on people in a reported episode (from 72 hours before its first trace) · ``coverage``
    share of reported losses with an alert at least 10 minutes before the main payment · ``money`` share of the lost
    money of which the alert came before the main payment · ``lead_h_median`` hours from alert to main payment among
    the covered. Reported cases are about two thirds of all, so precision is a lower bound.
    """

    alerts_per_day: float
    precision: float
    coverage: float
    money: float
    lead_h_median: float | None
    losses: int

    def named(self, prefix: str = "") -> dict[str, float]:
        """As metrics: ``{prefix}precision_at_budget`` and so on, without the figures that do not exist."""
        names = {"precision": "precision_at_budget", "coverage": "coverage_at_budget", "money": "money_at_budget"}
        return {prefix + names.get(key, key): float(value) for key, value in asdict(self).items() if value is not None}


def measure(alerts: pl.DataFrame, episodes: pl.DataFrame, *, start: datetime, end: datetime) -> Figures:
    """Hold ``alerts`` (``person``, ``issued_at``, without repeats) against ``episodes`` of ``models.labels``."""
    issued = alerts.filter(pl.col("issued_at").is_between(start, end, closed="left")).with_row_index("alert")
    hits = issued.join(episodes, on="person").filter(
        pl.col("issued_at").is_between(pl.col("opened_at") - BEFORE, pl.col("closed_at"))
    )
    losses = episodes.filter((pl.col("outcome") == "loss") & (pl.col("opened_at") >= start) & (pl.col("main_at") < end))
    warned = hits.group_by("case_id").agg(warned_at=pl.col("issued_at").min())
    judged = losses.join(warned, on="case_id", how="left").with_columns(
        lead=pl.col("main_at") - pl.col("warned_at"),
    )
    covered = judged.filter(pl.col("lead") >= GRACE)
    lead = (covered["lead"].dt.total_seconds() / 3600).median()
    total = float(losses["loss_cny"].sum())
    return Figures(
        alerts_per_day=len(issued) / max(1e-9, (end - start) / timedelta(days=1)),
        precision=hits["alert"].n_unique() / max(1, len(issued)),
        coverage=len(covered) / max(1, len(losses)),
        money=float(covered["loss_cny"].sum()) / total if total else 0.0,
        lead_h_median=float(lead) if isinstance(lead, (int, float)) else None,
        losses=len(losses),
    )
