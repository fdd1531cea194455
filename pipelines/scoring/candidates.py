"""From query points to scored people: snapshot, model and today's rule side by side."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import polars as pl

from features.event_index import EventIndex
from features.point_in_time import build_snapshot
from models.learning.baseline_rule import baseline_score
from models.learning.risk import RiskModel
from models.policy.alerting import Candidate, PolicyRules
from models.policy.expected_saving import INTERVENTION_EFFECT, estimate_preventable_loss
from pipelines.settings import Settings

__all__ = [
    "POLICY_COLUMNS",
    "add_scores",
    "group_by_tick",
    "policy_rules",
    "score_query_points",
    "select_candidates",
]

BASELINE_COLUMN = "baseline_score"
CANDIDATES_PER_MOMENT = 200  # of each moment: more than can ever be alerted, far fewer than all
POLICY_COLUMNS = (
    "new_debit_cny_6h",
    "preventable_loss_cny",
)  # what the policy must know of a row beside its score


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
    likely = rows.filter(
        pl.col("score").rank("ordinal", descending=True).over("at") <= CANDIDATES_PER_MOMENT
    )
    losses = likely.select("row").with_columns(
        estimate_preventable_loss(model, likely, effect=effect)
    )
    return rows.join(losses, on="row", how="left", maintain_order="left").drop("row")


def group_by_tick(rows: pl.DataFrame) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """Each moment of ``rows`` with its rows, in order of time."""
    for (tick,), group in rows.sort("at", maintain_order=True).group_by("at", maintain_order=True):
        assert isinstance(tick, datetime)  # noqa: S101 -- tells the type checker what the column holds
        yield tick, group


def select_candidates(
    rows: pl.DataFrame, *, column: str, rules: PolicyRules
) -> Iterator[Candidate]:
    """The best of one tick as the policy sees them. Today's rule knows nothing of what is at stake."""
    most = max(CANDIDATES_PER_MOMENT, 10 * rules.budget)
    best = rows.sort(column, "person", descending=[True, False]).head(most)
    by_baseline = column == BASELINE_COLUMN
    for person, score, paid_cny, stake in best.select(
        "person", column, *POLICY_COLUMNS
    ).iter_rows():
        yield Candidate(
            person=person,
            score=score,
            paid_cny=paid_cny,
            preventable_loss_cny=None if by_baseline else stake,
        )


def policy_rules(settings: Settings, *, budget: int | None = None) -> PolicyRules:
    """The policy's rules as this installation sets them."""
    return PolicyRules(
        budget=budget or settings.daily_budget,
        cool_down=timedelta(hours=settings.cool_down_hours),
        levels=settings.levels.model_dump(),
        carry=settings.carry,
        saving_weight=settings.saving_weight,
    )
