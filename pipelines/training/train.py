"""Training: fit on the cases known by a moment, assess by time, record, and promote through the
gates.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.errors import ModelError
from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from models.evaluation.alert_metrics import AlertMetrics
from models.evaluation.budget_curve import BudgetOutlook
from models.evaluation.comparison import Comparison
from models.evaluation.diagnostics import (
    calibration_bins,
    diagnose_model,
    out_of_fold_probabilities,
)
from models.evaluation.drift import Drift
from models.evaluation.stability import Stability, compare_model_explanations
from models.learning.risk import RiskModel
from models.registry.model_registry import ModelRegistry
from models.registry.model_store import ModelVersion
from models.registry.promotion_gates import PromotionDecision, decide_promotion
from pipelines.cluster.cluster_workers import open_workers
from pipelines.cluster.piece_report import PieceReport
from pipelines.cluster.pieces import Workers
from pipelines.progress import Progress, no_progress
from pipelines.scoring.drift import add_feature_profile
from pipelines.settings import Settings
from pipelines.storage.event_store.loading import load_known_records
from pipelines.storage.installation.loads import require_loads
from pipelines.storage.installation.models import open_registry
from pipelines.training.learn import TRAINING_HISTORY, learn_risk_model, tuning_from_settings
from pipelines.training.model_comparison import (
    CHALLENGER,
    CHAMPION,
    ComparedDays,
    compare_models,
    find_known_episodes,
    latest_matured_span,
)

__all__ = ["PromotionMode", "TrainResult", "train"]

PromotionMode = Literal["auto", "always", "never"]
EXPLAINED_MOMENTS = 100  # of the highest scores: on these the reasons of two models are compared


@dataclass(frozen=True)
class TrainResult:
    """What training came to: the registered version, whether it was promoted and why, and its
    figures.

    ``figures`` are those beside champion and rule, ``groups`` those of each group of people (rows
    of ``models.evaluation.fairness.metrics_by_group``) over the ``compared_span``, ``outlook`` what
    the budget was worth in it; empty and None where no days could be judged. ``pieces`` says who
    computed, where a cluster is set.
    """

    version: str
    run_id: str
    digest: str
    promoted: bool
    reasons: tuple[str, ...]
    metrics: Mapping[str, float]
    episodes: int
    moments: int
    figures: Comparison | None = None
    groups: tuple[Mapping[str, Any], ...] = ()
    compared_span: tuple[datetime, datetime] | None = None
    outlook: BudgetOutlook | None = None
    pieces: PieceReport | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Champion:
    """The model in force before the training, and the figures of its own training."""

    model: RiskModel
    figures: AlertMetrics | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A fitted model with the ``rows`` it learned from, and how far residents have drifted since
    the champion learned.
    """

    model: RiskModel
    rows: pl.DataFrame
    drift: Drift | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Assessment:
    """What was measured of a fitted model; ``compared`` is None where no days could be judged.

    ``metrics`` are all figures under one set of names, as the registry keeps them.
    """

    compared: ComparedDays | None
    calibration: pl.DataFrame
    stability: Stability | None
    metrics: Mapping[str, float]
    decision: PromotionDecision


def train(
    settings: Settings,
    *,
    at: datetime,
    promote: PromotionMode = "auto",
    seed: int = 0,
    progress: Progress = no_progress,
) -> TrainResult:
    """Train on what was known before ``at``, register as challenger, and promote if the gates (or
    ``promote``) say so.

    Raises ``NotReadyError`` with an empty lake, ``LakeError`` where it or its ledger is gone, and
    ``ModelError`` with too few cases.
    """
    require_loads(settings)
    known = load_known_records(settings, at=at, span=TRAINING_HISTORY, progress=progress)
    tables, event_index = known.tables, known.event_index
    registry = open_registry(settings, makes_key=True)
    champion = load_champion(registry)
    with open_workers(
        settings.cluster, event_index=event_index, reference=known.reference, progress=progress
    ) as workers:
        compared = compare_with_champion(
            event_index,
            tables,
            champion=champion,
            settings=settings,
            at=at,
            seed=seed,
            workers=workers,
            progress=progress,
        )
        progress("fitting on everything known")
        fit = fit_model(
            event_index,
            tables,
            champion=champion,
            settings=settings,
            at=at,
            seed=seed,
            workers=workers,
            progress=progress,
        )
    progress("measuring the model, drawing its card and report")
    assessment = assess_fit(fit, champion=champion, compared=compared, settings=settings)
    version = record_fit(
        registry,
        fit,
        assessment,
        versions=source_versions(known.data_version),
        settings=settings,
        seed=seed,
    )
    wanted = champion is None or assessment.decision.promote
    promoted = promote == "always" or (promote == "auto" and wanted)
    if promoted:
        registry.promote(version.version, at=at)
    trained = describe_training(version, fit, assessment, promoted=promoted)
    return replace(trained, pieces=workers.report())


def load_champion(registry: ModelRegistry) -> Champion | None:
    """Load the model in force; None before the first promotion."""
    version = registry.champion()
    if version is None:
        return None
    training = Comparison.from_metrics(registry.metrics(version))
    return Champion(model=registry.load(version), figures=training.challenger if training else None)


def compare_with_champion(
    event_index: EventIndex,
    tables: SourceTables,
    *,
    champion: Champion | None,
    settings: Settings,
    at: datetime,
    seed: int,
    workers: Workers,
    progress: Progress,
) -> ComparedDays | None:
    """Judge the latest matured days, scored by the champion as it is and by a model that knew only
    what came before them.

    A champion that learned from some of these days is not asked again: the figures of its own
    training stand for it. None where the district is too young for such a model; the gates then say
    that nothing was measured.
    """
    span = latest_matured_span(settings, at=at)
    progress(f"comparing on {span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}")
    try:
        challenger, _ = learn_risk_model(
            event_index,
            tables,
            at=span.start,
            seed=seed,
            settings=settings,
            workers=workers,
            progress=progress,
        )
    except ModelError:
        return None
    models, recorded = {CHALLENGER: challenger}, champion.figures if champion else None
    if champion and champion.model.trained_at <= span.start:
        models, recorded = {**models, CHAMPION: champion.model}, None
    return compare_models(
        event_index,
        models,
        span=span,
        known_episodes=find_known_episodes(settings, event_index, tables, span=span, at=at),
        settings=settings,
        recorded=recorded,
        seed=seed,
        workers=workers,
        progress=progress,
    )


def fit_model(
    event_index: EventIndex,
    tables: SourceTables,
    *,
    champion: Champion | None,
    settings: Settings,
    at: datetime,
    seed: int,
    workers: Workers,
    progress: Progress,
) -> Fit:
    """Fit on everything known, and keep with the model how its features are spread today."""
    model, rows = learn_risk_model(
        event_index,
        tables,
        at=at,
        seed=seed,
        settings=settings,
        workers=workers,
        progress=progress,
    )
    model, drift = add_feature_profile(
        model, event_index, at=at, before=champion.model if champion else None, seed=seed
    )
    return Fit(model=model, rows=rows, drift=drift)


def assess_fit(
    fit: Fit, *, champion: Champion | None, compared: ComparedDays | None, settings: Settings
) -> Assessment:
    """Measure the model, and ask the gates."""
    alerted = fit.rows.sort("raw").tail(EXPLAINED_MOMENTS)
    stability = compare_model_explanations(champion.model, fit.model, alerted) if champion else None
    metrics = {
        **{
            key: float(value)
            for key, value in fit.model.facts.items()
            if not isinstance(value, str)
        },
        **diagnose_model(fit.model, fit.rows),
        **(compared.to_metrics() if compared else {}),
        **(fit.drift.metrics() if fit.drift else {}),
        **(stability.metrics() if stability else {}),
    }
    scored = fit.rows.select(
        "label", "sampling_weight", probability=out_of_fold_probabilities(fit.model, fit.rows)
    )
    return Assessment(
        compared=compared,
        calibration=calibration_bins(scored),
        stability=stability,
        metrics=metrics,
        decision=compared.decide(metrics, gates=settings.gates)
        if compared
        else decide_promotion(None, metrics=metrics, gates=settings.gates),
    )


def record_fit(
    registry: ModelRegistry,
    fit: Fit,
    assessment: Assessment,
    *,
    versions: Mapping[str, str],
    settings: Settings,
    seed: int,
) -> ModelVersion:
    """Register the model as challenger, with its card, pictures and evaluation report."""
    from models.registry.model_card import render_model_card
    from models.reports.charts import draw_charts

    compared = assessment.compared
    return registry.record(
        fit.model,
        params=tuning_from_settings(settings).params(seed=seed),
        metrics=assessment.metrics,
        card=render_model_card(
            fit.model,
            metrics=assessment.metrics,
            comparison=compared.figures if compared else None,
            versions=versions,
        ),
        rows=fit.rows,
        versions=versions,
        charts=draw_charts(fit.model, fit.rows, groups=compared.groups if compared else None),
        report=render_training_report(fit, assessment, versions=versions, settings=settings),
    )


def render_training_report(
    fit: Fit, assessment: Assessment, *, versions: Mapping[str, str], settings: Settings
) -> str | None:
    """Return the evaluation report as one HTML page; None where no days could be judged."""
    from models.reports.evaluation_report import render_evaluation_report
    from pipelines.training.evaluation import evaluate_challenger

    if assessment.compared is None:
        return None
    evaluation = replace(
        evaluate_challenger(assessment.compared, settings=settings),
        calibration=assessment.calibration,
        stability=assessment.stability,
        drift=fit.drift,
        versions=versions,
    )
    return render_evaluation_report(evaluation)


def describe_training(
    version: ModelVersion, fit: Fit, assessment: Assessment, *, promoted: bool
) -> TrainResult:
    """Sum up what training came to."""
    compared = assessment.compared
    return TrainResult(
        version=version.version,
        run_id=version.run_id,
        digest=version.digest,
        promoted=promoted,
        reasons=assessment.decision.reasons,
        metrics=assessment.metrics,
        episodes=int(fit.model.facts["episodes"]),
        moments=len(fit.rows),
        figures=compared.figures if compared else None,
        groups=tuple(compared.groups.fill_nan(None).to_dicts()) if compared else (),
        compared_span=(compared.span.start, compared.span.end) if compared else None,
        outlook=compared.outlook if compared else None,
    )


def source_versions(data_version: str) -> dict[str, str]:
    """Return the versions of data, contracts and code, from which the model can be made again."""
    return {
        "data_version": data_version,
        "contract_version": load_contract("watchlist").version,
        "git_revision": git_revision(),
    }


def git_revision() -> str:
    """Return the revision of the code, as far as it can be known."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 -- whichever git the user has
            capture_output=True, text=True, timeout=5, check=True, cwd=Path(__file__).parent,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
