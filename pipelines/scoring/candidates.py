"""From query points to scored people: snapshot, model and today's rule side by side."""

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from features.event_index import EventIndex
from features.point_in_time import build_snapshot
from models.learning.baseline_rule import baseline_score
from models.learning.risk import RiskModel
from models.policy.alerting import PolicyRules
from models.policy.candidates import MIN_CANDIDATES, keep_candidates
from models.policy.expected_saving import INTERVENTION_EFFECT, estimate_preventable_loss
from pipelines.settings import Settings

__all__ = ["add_scores", "policy_rules", "score_query_points"]


def score_query_points(
    event_index: EventIndex,
    model: RiskModel,
    query_points: pl.DataFrame,
    *,
    effect: Mapping[str, float] = INTERVENTION_EFFECT,
) -> pl.DataFrame:
    """The snapshot of ``query_points`` with ``score`` (calibrated probability),
    ``estimate_preventable_loss`` and ``baseline_score``.

    ``estimate_preventable_loss`` is what a warning would save (``models.policy.expected_saving``),
    for the likeliest of each moment, else null; ``baseline_score`` is today's rule.
    """
    rows = build_snapshot(event_index, query_points, reputation_model=model.reputations)
    return add_scores(model, rows, effect=effect).with_columns(baseline_score=baseline_score())


def add_scores(
    model: RiskModel, rows: pl.DataFrame, *, effect: Mapping[str, float] = INTERVENTION_EFFECT
) -> pl.DataFrame:
    """``rows`` with the model's ``score`` and ``estimate_preventable_loss``; ``effect`` is the
    chance that a warning works by type.
    """
    scores = (
        pl.Series("score", model.predict(rows))
        if len(rows)
        else pl.Series("score", [], dtype=pl.Float64)
    )
    rows = rows.with_columns(scores).with_row_index("row")
    likely = keep_candidates(rows, column="score", most=MIN_CANDIDATES)
    losses = likely.select("row").with_columns(
        estimate_preventable_loss(model, likely, effect=effect)
    )
    return rows.join(losses, on="row", how="left", maintain_order="left").drop("row")


def policy_rules(settings: Settings, *, budget: int | None = None) -> PolicyRules:
    """The policy's rules as this installation sets them."""
    return PolicyRules(
        budget=budget or settings.daily_budget,
        cool_down=timedelta(hours=settings.cool_down_hours),
        levels=settings.levels.model_dump(),
        carry=settings.carry,
        saving_weight=settings.saving_weight,
    )
