"""Training: learn from the cases known by a moment, judge by time, register, and promote through
the gates.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from data_contracts.contract import load_contract
from features.entities.coverage import data_seen_in_snapshot
from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from features.reputation import ReputationModel
from features.words.catalogue import model_inputs
from models.labels.episodes import build_episodes
from models.labels.sampling import Sampling, draw_training_samples
from models.learning.group_calibration import fit_group_calibration
from models.learning.outage_augmentation import snapshot_with_outages
from models.learning.pseudo_labels import add_pseudo_labels
from models.learning.reputation import LearnedReputation, learn_reputation
from models.learning.risk import (
    RiskModel,
    Tuning,
    fit_risk_model,
    out_of_fold_scores,
    require_episodes,
)
from models.policy.expected_saving import loss_facts
from pipelines.progress import Progress, no_progress
from pipelines.scoring.drift import add_feature_profile
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.lake import Lake
from pipelines.training.champion_challenger import (
    CHALLENGER,
    CHAMPION,
    Comparison,
    compare_models,
    find_known_episodes,
    latest_matured_span,
)
from pipelines.training.dispositions import load_disposition_labels

__all__ = ["PromotionMode", "TrainResult", "learn_risk_model", "train"]

PromotionMode = Literal["auto", "always", "never"]
TRAINING_HISTORY = timedelta(days=60)
EXPLAINED_MOMENTS = (
    200  # the moments of the highest scores, on which the reasons of two models are compared
)


@dataclass(frozen=True)
class TrainResult:
    """What training came to: the registered version, whether it was promoted and why, and its
    figures.

    ``groups`` are the figures of each group of people (rows of
    ``models.evaluation.fairness.metrics_by_group``) over the ``compared_span``; empty and None
    where no days could be judged.
    """

    version: str
    run_id: str
    digest: str
    promoted: bool
    reasons: tuple[str, ...]
    metrics: Mapping[str, float]
    episodes: int
    moments: int
    groups: tuple[Mapping[str, Any], ...] = ()
    compared_span: tuple[datetime, datetime] | None = None


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

    Raises ``NotReadyError`` with an empty lake and ``ModelError`` with too few cases.
    """
    from models.evaluation.diagnostics import (
        calibration_bins,
        diagnose_model,
        out_of_fold_probabilities,
    )
    from models.evaluation.stability import compare_model_explanations
    from models.registry.mlflow_registry import ModelRegistry
    from models.registry.model_card import render_model_card
    from models.registry.promotion_gates import decide_promotion
    from models.reports.charts import draw_charts as pictures
    from models.reports.evaluation_report import render_evaluation_report
    from pipelines.training.evaluation import evaluate_challenger

    progress("building the event index")
    tables = source_tables_before(settings, at=at, span=TRAINING_HISTORY)
    event_index = build_event_index(tables)
    registry = ModelRegistry.of(settings)
    champion = registry.champion()
    before = registry.load(champion) if champion else None
    recorded = registry.metrics(champion) if champion else None
    comparison = compare_with_champion(
        event_index,
        tables,
        champion=before,
        recorded=recorded,
        settings=settings,
        at=at,
        seed=seed,
        progress=progress,
    )
    progress("fitting on everything known")
    model, rows = learn_risk_model(event_index, tables, at=at, seed=seed, settings=settings)
    metrics = {
        key: float(value) for key, value in model.facts.items() if isinstance(value, (int, float))
    }
    metrics |= diagnose_model(model, rows)
    metrics |= comparison.metrics() if comparison else {}
    model, drift = add_feature_profile(model, event_index, at=at, before=before, seed=seed)
    metrics |= drift.metrics() if drift else {}
    stable = (
        compare_model_explanations(before, model, rows.sort("raw").tail(EXPLAINED_MOMENTS))
        if before
        else None
    )
    metrics |= stable.metrics() if stable else {}
    versions = {
        "data_version": Lake(settings.lake_folder).version(),
        "contract_version": load_contract("watchlist").version,
        "git_revision": git_revision(),
    }
    groups = comparison.groups if comparison else None
    bins = calibration_bins(
        rows.select("label", "sampling_weight", probability=out_of_fold_probabilities(model, rows))
    )
    more = {"calibration": bins, "stability": stable, "drift": drift, "versions": versions}
    version = registry.record(
        model,
        params=tuning_from_settings(settings).params(seed=seed),
        metrics=metrics,
        card=render_model_card(model, metrics=metrics, versions=versions),
        rows=rows,
        versions=versions,
        charts=pictures(model, rows, groups=groups),
        report=render_evaluation_report(evaluate_challenger(comparison, settings=settings, **more))
        if comparison
        else None,
    )
    verdict = (
        comparison.verdict(metrics, gates=settings.gates)
        if comparison
        else decide_promotion(metrics, None, gates=settings.gates)
    )
    promoted = promote == "always" or (promote == "auto" and (verdict.promote or champion is None))
    if promoted:
        registry.promote(version.version, at=at)
    return TrainResult(
        version=version.version,
        run_id=version.run_id,
        digest=version.digest,
        promoted=promoted,
        reasons=verdict.reasons,
        metrics=metrics,
        episodes=int(model.facts["episodes"]),
        moments=len(rows),
        groups=() if groups is None else tuple(groups.fill_nan(None).to_dicts()),
        compared_span=(comparison.span.start, comparison.span.end) if comparison else None,
    )


def learn_risk_model(
    event_index: EventIndex,
    tables: SourceTables,
    *,
    at: datetime,
    seed: int,
    settings: Settings,
    every: str = "15m",
    reputations: LearnedReputation | None = None,
) -> tuple[RiskModel, pl.DataFrame]:
    """A model from the cases known before ``at``, and the rows it learned from with their
    out-of-fold score ``raw``.

    It learns from the ticks of the clock ``every``. Where ``reputations`` are given, it reads these
    and learns none.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    from models.evaluation.diagnostics import lead_agreement

    sampling = Sampling(negatives=settings.training.negative_samples, every=every)
    reported = build_episodes(tables.cases, event_index, at=at)
    dispositions = load_disposition_labels(settings, reported, at=at)
    known_episodes = pl.concat(
        [reported.select(dispositions.episodes.columns), dispositions.episodes],
        how="vertical_relaxed",
    )
    moments = draw_training_samples(
        event_index,
        known_episodes,
        at=at,
        sampling=sampling,
        seed=seed,
        lawful=dispositions.lawful,
        unclear=dispositions.unclear,
    )
    reputation_model: ReputationModel
    if reputations is None:
        reputations, reputation_model = learn_reputation(
            event_index, at=at, seed=seed, threads=settings.training.threads
        )
    else:
        reputation_model = reputations
    outage_share = settings.training.outage_share
    rows = snapshot_with_outages(
        event_index,
        tables,
        moments,
        reputation_model=reputation_model,
        at=at,
        outage_share=outage_share,
        seed=seed,
    )
    rows = rows.with_columns(moments.drop("person", "at"))
    require_episodes(rows, at=at)
    tuning = tuning_from_settings(settings)
    if settings.training.pseudo_labels_per_reported:
        rows = add_pseudo_labels(
            rows,
            out_of_fold_scores(rows, features=model_inputs(), tuning=tuning, seed=seed),
            episodes_per_reported=settings.training.pseudo_labels_per_reported,
            positive_weight=sampling.positive_weight,
            known_people=pl.concat([known_episodes["person"], dispositions.lawful["person"]]),
        )
    model, raw = fit_risk_model(rows, features=model_inputs(), at=at, tuning=tuning, seed=seed)
    labels, sampling_weight = rows["label"].to_numpy(), rows["sampling_weight"].to_numpy()
    if settings.training.group_calibration:
        group = rows.select(data_seen_in_snapshot()).to_series()
        group_calibration = fit_group_calibration(
            raw, labels.astype(np.float64), sampling_weight=sampling_weight, group=group
        )
        model = replace(model, group_calibration=group_calibration)
    facts = {
        **model.facts,
        "episodes": float(len(known_episodes)),
        "losses": float((known_episodes["outcome"] == "loss").sum()),
        "positive_samples": float(rows["case_id"].count()),
        "pseudo_positive_samples": float(labels.sum() - rows["case_id"].count()),
        "negative_samples": float((labels == 0).sum()),
        "oof_auc": float(roc_auc_score(labels, raw, sample_weight=sampling_weight)),
        "lead_agreement": lead_agreement(
            rows, event_index, reputation_model=reputations, seed=seed
        ),
        "oof_average_precision": float(
            average_precision_score(labels, raw, sample_weight=sampling_weight)
        ),
        **{
            f"episodes_{kind}": float(number)
            for kind, number in known_episodes["scam_type"].value_counts().iter_rows()
        },
        **loss_facts(known_episodes),
        **dispositions.facts(),
    }
    return replace(model, facts=facts, reputations=reputations), rows.with_columns(
        raw=pl.Series(raw)
    )


def compare_with_champion(
    event_index: EventIndex,
    tables: SourceTables,
    *,
    champion: RiskModel | None,
    recorded: Mapping[str, float] | None,
    settings: Settings,
    at: datetime,
    seed: int,
    progress: Progress,
) -> Comparison | None:
    """The latest matured days, scored by the champion as it is and by a model that knew only what
    came before them.

    A champion that learned from some of these days is not asked again: what was ``recorded`` of it
    stands for it. None where the district is too young for such a model; the gates then say that
    nothing was measured.
    """
    from data_contracts.errors import ModelError

    span = latest_matured_span(settings, at=at)
    progress(f"comparing on {span.start:%Y-%m-%d} to {span.end:%Y-%m-%d}")
    try:
        challenger, _ = learn_risk_model(
            event_index, tables, at=span.start, seed=seed, settings=settings
        )
    except ModelError:
        return None
    fair = champion is not None and champion.trained_at <= span.start
    models = {CHALLENGER: challenger} | ({CHAMPION: champion} if champion and fair else {})
    return compare_models(
        event_index,
        models,
        span=span,
        known_episodes=find_known_episodes(settings, event_index, tables, span=span, at=at),
        settings=settings,
        recorded=None if fair else recorded,
        progress=progress,
    )


def tuning_from_settings(settings: Settings) -> Tuning:
    """The boosters' parameters as this installation sets them."""
    chosen = settings.training.model_dump()
    return Tuning(
        **{field.name: chosen[field.name] for field in fields(Tuning) if field.name in chosen}
    )


def git_revision() -> str:
    """The revision of the code, as far as it can be known."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 -- whichever git the user has
            capture_output=True, text=True, timeout=5, check=True, cwd=Path(__file__).parent,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
