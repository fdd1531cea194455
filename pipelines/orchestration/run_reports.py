"""What the engineers' page shows of models, drift, fairness and replays, made of their results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import polars as pl

from models.evaluation.alert_metrics import AlertMetrics
from models.evaluation.budget_curve import BudgetOutlook
from models.evaluation.comparison import Comparison
from models.evaluation.drift import LARGE, MISSING_POINTS, MODERATE, Drift
from models.registry.model_registry import ModelRegistry
from models.registry.model_store import ModelVersion
from models.registry.promotion_gates import PromotionDecision, decide_promotion
from models.reports.evaluation_report import EvaluationReport
from pipelines.settings import Settings
from pipelines.storage.installation.models import open_registry
from serving.vocabulary.reports import (
    BudgetReport,
    DriftReport,
    FairnessReport,
    FeatureMoved,
    FigureRow,
    GateSaid,
    GroupFigure,
    ModelFacts,
    ModelsReport,
    ReplayReport,
    Volume,
)

__all__ = [
    "budget_report",
    "decide_by_gates",
    "drift_report",
    "fairness_report",
    "models_report",
    "replay_report",
]

COMPARED_FIGURES = (
    *("alerts_per_day", "precision_at_budget", "coverage_at_budget", "money_at_budget"),
    *("lead_h_median", "lead_1h_share", "losses"),
)
TRAINING_FIGURES = (
    "calibration_error",
    "oof_auc",
    "oof_average_precision",
    "max_feature_auc",
    "episodes",
)
TRAINING_FACTS = ("episodes", "losses", "positive_samples", "negative_samples")
DRIFTED_SHOWN = 20

Metrics = Mapping[str, float]


def models_report(settings: Settings) -> ModelsReport:
    """The champion and the challenger beside it, with the figures and gates of the one that is to
    be judged.
    """
    registry = open_registry(settings)
    champion, challenger = registry.champion(), registry.challenger()
    if challenger == champion:
        challenger = None
    before = registry.metrics(champion) if champion else {}
    own = registry.metrics(challenger) if challenger else {}
    return ModelsReport(
        champion=describe_model(registry, champion) if champion else None,
        challenger=describe_model(registry, challenger) if challenger else None,
        figures=compare_figures(own, before),
        gates=gate_outcomes(decide_by_gates(own, before, settings=settings)) if challenger else (),
    )


def decide_by_gates(
    challenger: Metrics, champion: Metrics, *, settings: Settings
) -> PromotionDecision:
    """What the gates say, by what was recorded of a challenger and of the champion.

    The champion is held to its figures on the challenger's days where it was asked about them, else
    to its own.
    """
    return decide_promotion(
        Comparison.from_metrics(challenger),
        metrics=challenger,
        champion=figures_of(Comparison.from_metrics(champion)),
        gates=settings.gates,
    )


def figures_of(training: Comparison | None) -> AlertMetrics | None:
    """Return a model's figures on the days of its own training, where it was compared then."""
    return training.challenger if training else None


def compare_figures(challenger: Metrics, champion: Metrics) -> tuple[FigureRow, ...]:
    """The figures of both and of the rule; without a challenger those of the champion's own
    training.
    """
    now, before = Comparison.from_metrics(challenger), Comparison.from_metrics(champion)
    beside = now if challenger else before
    held = (now.champion if now else None) or figures_of(before)
    columns = {
        "champion": held,
        "challenger": figures_of(now),
        "rule": beside.rule if beside else None,
    }
    compared = {column: found.to_metrics() for column, found in columns.items() if found}
    learned = {"champion": champion, "challenger": challenger}
    return (
        *figure_rows(COMPARED_FIGURES, compared),
        *figure_rows(TRAINING_FIGURES, learned),
    )


def figure_rows(
    names: Sequence[str], columns: Mapping[str, Mapping[str, float]]
) -> Iterator[FigureRow]:
    """Yield a row for each name that the champion or the challenger has."""
    for name in names:
        row = {column: found[name] for column, found in columns.items() if name in found}
        if row.keys() - {"rule"}:
            yield FigureRow(name=name, **row)


def gate_outcomes(verdict: PromotionDecision) -> tuple[GateSaid, ...]:
    """The gates' words as they are published."""
    return tuple(GateSaid(**asdict(result)) for result in verdict.results)


def describe_model(registry: ModelRegistry, version: ModelVersion) -> ModelFacts:
    """What is known of one registered model."""
    model = registry.load(version)
    return ModelFacts(
        version=version.version,
        digest=version.digest,
        trained_at=model.trained_at,
        run_id=version.run_id,
        trees=model.booster.num_trees(),
        features=len(model.features),
        facts={name: float(model.facts[name]) for name in TRAINING_FACTS if name in model.facts},
        pictures=registry.charts(version),
    )


def budget_report(
    outlook: BudgetOutlook, *, version: str, start: datetime, end: datetime
) -> BudgetReport:
    """What the daily budget was worth from ``start`` to ``end`` with the model of a ``version``."""
    return BudgetReport.model_validate(
        {"version": version, "start": start, "end": end, **asdict(outlook)}
    )


def drift_report(drift: Drift, *, version: str, at: datetime) -> DriftReport:
    """What a night found to have moved since the model learned."""
    return DriftReport(
        version=version,
        about_at=at,
        rows=drift.rows,
        moderate=MODERATE,
        large=LARGE,
        missing_points=MISSING_POINTS,
        features=tuple(
            FeatureMoved(**asdict(one), noted=one.noted) for one in drift.features[:DRIFTED_SHOWN]
        ),
        noted=sum(one.noted for one in drift.features),
        volume=Volume(**asdict(drift.volume)) if drift.volume else None,
        estimated_precision=drift.estimated_precision,
    )


def fairness_report(
    groups: Sequence[Mapping[str, Any]],
    *,
    source: str,
    start: datetime,
    end: datetime,
    settings: Settings,
) -> FairnessReport:
    """The figures by group of the days from ``start`` to ``end``, with the picture that MLflow and
    reports show too.
    """
    from models.evaluation.fairness import GROUP_SCHEMA
    from models.reports.charts import group_chart

    table = pl.DataFrame(list(groups), schema=GROUP_SCHEMA)
    return FairnessReport.model_validate(
        {
            "source": source,
            "start": start,
            "end": end,
            "gap_points": settings.gates.residency_gap_points,
            "groups": tuple(GroupFigure(**row) for row in groups),
            "chart": group_chart(table) if len(table) else "",
        }
    )


def replay_report(
    evaluation: EvaluationReport, *, model: AlertMetrics, rule: AlertMetrics
) -> ReplayReport:
    """What a replay came to."""
    from models.reports.charts import daily_budget_chart

    own, other = model.to_metrics(), rule.to_metrics()
    return ReplayReport(
        start=evaluation.start,
        end=evaluation.end,
        every=evaluation.every,
        budget=evaluation.budget,
        figures=tuple(
            FigureRow(name=name, champion=own.get(name), rule=other.get(name))
            for name in COMPARED_FIGURES
        ),
        chart="" if evaluation.budgets is None else daily_budget_chart(evaluation.budgets),
    )
