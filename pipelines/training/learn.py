"""Learning: the labels known by a moment, the rows they stand in, and the model fitted on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from features.catalogue.definitions import model_inputs
from features.entities.coverage import data_seen_in_snapshot
from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from features.reputation import ReputationModel
from models.labels.disposition_labels import DispositionLabels
from models.labels.drawn_people import draw_people
from models.labels.episodes import build_episodes
from models.labels.sampling import Sampling, draw_training_samples
from models.learning.boosters import (
    Flags,
    GrowParts,
    Say,
    TrainingRows,
    grow_part,
    grow_side_by_side,
)
from models.learning.group_calibration import fit_group_calibration
from models.learning.learned_reputation import LearnedReputation, learn_reputation
from models.learning.outage_augmentation import snapshot_with_outages
from models.learning.pseudo_labels import add_pseudo_labels
from models.learning.risk import (
    RiskModel,
    Tuning,
    fit_risk_model,
    out_of_fold_scores,
    require_episodes,
)
from models.policy.expected_saving import loss_facts
from pipelines.cluster.pieces import THIS_MACHINE, Workers
from pipelines.progress import Progress, no_progress
from pipelines.settings import Settings
from pipelines.training.dispositions import load_disposition_labels

__all__ = [
    "TRAINING_HISTORY",
    "learn_risk_model",
    "sampling_from_settings",
    "tuning_from_settings",
]

TRAINING_HISTORY = timedelta(days=60)


@dataclass(frozen=True, eq=False)
class TrainingLabels:
    """All known ``episodes``, reported or confirmed by a disposition, and what else the
    ``dispositions`` say.
    """

    episodes: pl.DataFrame
    dispositions: DispositionLabels


def learn_risk_model(
    event_index: EventIndex,
    tables: SourceTables,
    *,
    at: datetime,
    seed: int,
    settings: Settings,
    sampling: Sampling | None = None,
    reputations: LearnedReputation | None = None,
    reputation_model: ReputationModel | None = None,
    stories: pl.DataFrame | None = None,
    workers: Workers = THIS_MACHINE,
    progress: Progress = no_progress,
) -> tuple[RiskModel, pl.DataFrame]:
    """Return a model from the cases known before ``at``, and the rows it learned from with their
    out-of-fold score ``raw``.

    ``sampling`` says which moments it learns from, by default :func:`sampling_from_settings`. Where
    ``reputations`` are given, it reads these and learns none, while learning through
    ``reputation_model`` where that is given too. Where ``stories`` are given, episodes as the truth
    of a simulated district has them, it learns from those over before ``at`` as if each had been
    reported, whatever came of it; those whose outcome is ``unclear`` teach nothing either way.
    ``workers`` compute the features and grow the trees.
    Raises ``ModelError`` with too few cases.
    """
    progress("choosing what to learn from")
    sampling = sampling or sampling_from_settings(settings)
    labels = find_training_labels(event_index, tables, at=at, settings=settings)
    if stories is not None:
        labels = as_if_reported(labels, stories.filter(pl.col("closed_at") < at))
    drawn = draw_people(event_index, at=at, seed=seed)
    samples = draw_training_samples(
        event_index,
        labels.episodes,
        at=at,
        sampling=sampling,
        seed=seed,
        drawn=drawn,
        lawful=labels.dispositions.lawful,
        unclear=labels.dispositions.unclear,
    )
    if reputations is None:
        progress("learning which numbers and accounts are suspect")
        # Each training row reads a reputation learned without its own episode.
        reputations, reputation_model = learn_reputation(
            event_index, at=at, seed=seed, threads=settings.training.threads, drawn=drawn
        )
    rows = snapshot_with_outages(
        event_index,
        tables,
        samples,
        reputation_model=reputation_model or reputations,
        at=at,
        outage_share=settings.training.outage_share,
        seed=seed,
        build=partial(snapshots_by_workers, workers),
        say=progress,
    ).with_columns(samples.drop("person", "at"))
    require_episodes(rows, at=at)
    grow: GrowParts = grow_side_by_side
    if workers is not THIS_MACHINE:
        grow = partial(grow_by_workers, workers, event_index)
    rows = with_pseudo_labels(
        rows, labels, sampling=sampling, settings=settings, seed=seed, grow=grow, progress=progress
    )
    model, raw = fit_risk_model(
        rows,
        features=model_inputs(),
        at=at,
        tuning=tuning_from_settings(settings),
        seed=seed,
        grow=grow,
        say=progress,
    )
    rows = rows.with_columns(raw=pl.Series(raw))
    if settings.training.group_calibration:
        model = calibrate_by_coverage(model, rows)
    facts = {
        **model.facts,
        **row_facts(rows),
        **lead_facts(rows, event_index, reputations, seed=seed),
        **label_facts(labels),
    }
    return replace(model, facts=facts, reputations=reputations), rows


def snapshots_by_workers(
    workers: Workers,
    event_index: EventIndex,
    reputation_model: ReputationModel,
    pieces: Sequence[pl.DataFrame],
) -> Iterator[pl.DataFrame]:
    """The snapshot of each piece, computed by ``workers``."""
    return workers.compute_pieces(
        snapshot_piece, pieces, event_index=event_index, shared=reputation_model
    )


def snapshot_piece(
    event_index: EventIndex, reputation_model: ReputationModel, piece: pl.DataFrame
) -> pl.DataFrame:
    """The snapshot of the query points of one piece."""
    return build_snapshot(event_index, piece, reputation_model=reputation_model)


def grow_by_workers(
    workers: Workers,
    event_index: EventIndex,
    rows: TrainingRows,
    parts: Sequence[Flags],
    /,
    *,
    threads: int,  # noqa: ARG001 -- each worker grows by one
    of: str,
    say: Say,
) -> list[Any]:
    """See ``models.learning.boosters.GrowParts``: each booster by one of ``workers``."""
    boosters = []
    for booster in workers.compute_pieces(grow_piece, parts, event_index=event_index, shared=rows):
        boosters.append(booster)
        say(f"{of}: {len(boosters)} of {len(parts)} boosters")
    return boosters


def grow_piece(event_index: EventIndex, rows: TrainingRows, part: Flags) -> Any:  # noqa: ARG001
    """The booster of one part; the rows say all."""
    return grow_part(rows, part)


def find_training_labels(
    event_index: EventIndex, tables: SourceTables, *, at: datetime, settings: Settings
) -> TrainingLabels:
    """Find what cases and dispositions known before ``at`` say."""
    reported = build_episodes(tables.cases, event_index, at=at)
    dispositions = load_disposition_labels(settings, reported, at=at)
    episodes = pl.concat(
        [reported.select(dispositions.episodes.columns), dispositions.episodes],
        how="vertical_relaxed",
    )
    return TrainingLabels(episodes, dispositions)


def as_if_reported(labels: TrainingLabels, stories: pl.DataFrame) -> TrainingLabels:
    """``stories`` in the place of the known episodes; the unclear ones as spans left out."""
    is_unclear = pl.col("outcome") == "unclear"
    spans = stories.filter(is_unclear).select("person", start_at="opened_at", end_at="closed_at")
    unclear = pl.concat([labels.dispositions.unclear, spans], how="vertical_relaxed")
    return TrainingLabels(
        stories.filter(~is_unclear).select(labels.episodes.columns),
        replace(labels.dispositions, unclear=unclear),
    )


def with_pseudo_labels(
    rows: pl.DataFrame,
    labels: TrainingLabels,
    *,
    sampling: Sampling,
    settings: Settings,
    seed: int,
    grow: GrowParts = grow_side_by_side,
    progress: Progress = no_progress,
) -> pl.DataFrame:
    """Give those rows a pseudo-label that look like victims who never reported, if the settings ask
    for it.
    """
    if not settings.training.pseudo_labels_per_reported:
        return rows
    raw = out_of_fold_scores(
        rows,
        features=model_inputs(),
        tuning=tuning_from_settings(settings),
        seed=seed,
        grow=grow,
        say=progress,
    )
    return add_pseudo_labels(
        rows,
        raw,
        episodes_per_reported=settings.training.pseudo_labels_per_reported,
        positive_weight=sampling.positive_weight,
        known_people=pl.concat([labels.episodes["person"], labels.dispositions.lawful["person"]]),
    )


def calibrate_by_coverage(model: RiskModel, rows: pl.DataFrame) -> RiskModel:
    """Give the model a calibration line for each kind of data that there is on a person."""
    group_calibration = fit_group_calibration(
        rows["raw"].to_numpy(),
        rows["label"].to_numpy().astype(np.float64),
        sampling_weight=rows["sampling_weight"].to_numpy(),
        group=rows.select(data_seen_in_snapshot()).to_series(),
    )
    return replace(model, group_calibration=group_calibration)


def row_facts(rows: pl.DataFrame) -> dict[str, float]:
    """Count the rows by their labels, and measure how well the out-of-fold score ranks them."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels, raw = rows["label"].to_numpy(), rows["raw"].to_numpy()
    weight = rows["sampling_weight"].to_numpy()
    reported = float(rows["case_id"].count())
    return {
        "positive_samples": reported,
        "pseudo_positive_samples": float(labels.sum()) - reported,
        "negative_samples": float((labels == 0).sum()),
        "oof_auc": float(roc_auc_score(labels, raw, sample_weight=weight)),
        "oof_average_precision": float(average_precision_score(labels, raw, sample_weight=weight)),
    }


def lead_facts(
    rows: pl.DataFrame, event_index: EventIndex, reputations: LearnedReputation, *, seed: int
) -> dict[str, float]:
    """Measure how often the leading number is the same while learning as it will be in use."""
    from models.evaluation.diagnostics import lead_agreement

    agreement = lead_agreement(rows, event_index, reputation_model=reputations, seed=seed)
    return {"lead_agreement": agreement}


def label_facts(labels: TrainingLabels) -> dict[str, float]:
    """Count the episodes, also by scam type, with their typical losses and the dispositions."""
    episodes = labels.episodes
    return {
        "episodes": float(len(episodes)),
        "losses": float((episodes["outcome"] == "loss").sum()),
        **{
            f"episodes_{kind}": float(number)
            for kind, number in episodes["scam_type"].value_counts().sort("scam_type").iter_rows()
        },
        **loss_facts(episodes),
        **labels.dispositions.facts(),
    }


def sampling_from_settings(settings: Settings) -> Sampling:
    """Return how this installation chooses what to learn from."""
    return Sampling(negatives=settings.training.negative_samples)


def tuning_from_settings(settings: Settings) -> Tuning:
    """Return the boosters' parameters as this installation sets them."""
    chosen = settings.training.model_dump()
    return Tuning(
        **{field.name: chosen[field.name] for field in fields(Tuning) if field.name in chosen}
    )
