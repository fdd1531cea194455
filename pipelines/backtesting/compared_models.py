"""The models that experiments compare: the full one, those without a part, those with a lever."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import polars as pl

from data_contracts.errors import ModelError
from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from models.learning.ablations import UntunedTrees, features_without
from models.learning.learned_reputation import LearnedReputation
from models.learning.outage_augmentation import OUTAGE_SHARE
from models.learning.risk import RiskModel, Tuning, fit_risk_model
from pipelines.backtesting.levers import LearnedOnce, pull_lever
from pipelines.backtesting.variants import AFRESH, MODEL, NIGHT, column_of
from pipelines.progress import Progress
from pipelines.settings import Settings
from pipelines.training.learn import (
    learn_risk_model,
    sampling_from_settings,
    tuning_from_settings,
)

__all__ = ["fit_compared_models"]


def fit_compared_models(
    event_index: EventIndex,
    tables: SourceTables,
    *,
    settings: Settings,
    at: datetime,
    ablations: Sequence[str],
    levers: Sequence[str],
    seed: int,
    progress: Progress,
) -> dict[str, RiskModel]:
    """The models by the column of their score: the full one, one for each ablation that can be
    fitted, and one for each lever.

    All but ``hand_written``, ``outages`` and ``nightly`` learn from the same rows.
    """
    progress(f"training on what was known before {at:%Y-%m-%d %H:%M}")
    full, rows = learn_risk_model(event_index, tables, at=at, seed=seed, settings=settings)
    models = {MODEL: full}
    for name in ablations:
        progress(f"training again: {name}")
        try:
            if name in AFRESH:
                model = taught_afresh(name, full, event_index, tables, settings=settings, seed=seed)
            else:
                model = refitted(name, full, rows, tuning=tuning_from_settings(settings), seed=seed)
        except ModelError as error:
            progress(f"{name} is left out: {error}")
        else:
            models[column_of(name)] = model
    learned = LearnedOnce(
        model=full,
        rows=rows,
        event_index=event_index,
        tables=tables,
        settings=settings,
        seed=seed,
    )
    for name in levers:
        progress(f"pulling a lever: {name}")
        models[column_of(name)] = pull_lever(name, learned)
    return models


def refitted(
    ablation: str, full: RiskModel, rows: pl.DataFrame, *, tuning: Tuning, seed: int
) -> RiskModel:
    """``full`` fitted again on its own ``rows``, less what the ablation takes away."""
    features = full.features
    if ablation == "untuned":
        tuning = UntunedTrees(threads=tuning.threads)
    else:
        features = features_without(ablation, features=features)
    model, _ = fit_risk_model(rows, features=features, at=full.trained_at, tuning=tuning, seed=seed)
    return replace(model, reputations=full.reputations, facts=full.facts)


def taught_afresh(
    ablation: str,
    full: RiskModel,
    event_index: EventIndex,
    tables: SourceTables,
    *,
    settings: Settings,
    seed: int,
) -> RiskModel:
    """A model that learns from other rows, as one of ``AFRESH`` says."""
    again = partial(learn_risk_model, event_index, tables, at=full.trained_at, seed=seed)
    if ablation == "hand_written":
        return again(settings=settings, reputations=LearnedReputation())[0]
    if ablation == "nightly":
        sampling = replace(sampling_from_settings(settings), every=NIGHT)
        model, _ = again(settings=settings, sampling=sampling)
    else:
        training = settings.training.model_copy(update={"outage_share": OUTAGE_SHARE})
        model, _ = again(settings=settings.model_copy(update={"training": training}))
    return replace(
        model, reputations=full.reputations
    )  # the same cases taught the same: one snapshot serves both
