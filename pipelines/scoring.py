"""From moments to scored people: snapshot, model and rule side by side."""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from features.evidence import Evidence
from features.snapshot import snapshot
from models.baseline import baseline_score
from models.policy import Candidate, Rules
from models.risk import RiskModel
from pipelines.settings import Settings

__all__ = ["POLICY_COLUMNS", "candidates", "rules_of", "score_moments"]

POLICY_COLUMNS = ("new_debit_cny_6h",)  # what the policy must know of a row beside its score


def score_moments(evidence: Evidence, model: RiskModel, moments: pl.DataFrame) -> pl.DataFrame:
    """The snapshot of ``moments`` with ``score`` (calibrated probability) and ``baseline_score`` (today's rule)."""
    rows = snapshot(evidence, moments, standing=model.reputations)
    scores = pl.Series("score", model.predict(rows)) if len(rows) else pl.Series("score", [], dtype=pl.Float64)
    return rows.with_columns(scores, baseline_score=baseline_score())


def candidates(rows: pl.DataFrame, *, column: str, rules: Rules) -> Iterator[Candidate]:
    """The best of one tick as the policy sees them; more than can ever be alerted, far fewer than all."""
    most = max(200, 10 * rules.budget)
    best = rows.sort(column, "person", descending=[True, False]).head(most)
    for person, score, paid_cny in best.select("person", column, *POLICY_COLUMNS).iter_rows():
        yield Candidate(person=person, score=score, paid_cny=paid_cny)


def rules_of(settings: Settings, *, budget: int | None = None) -> Rules:
    """The policy's rules as this installation sets them."""
    return Rules(
        budget=budget or settings.daily_budget,
        cool_down=timedelta(hours=settings.cool_down_hours),
        levels=settings.levels.model_dump(),
    )
