"""The models that experiments compare: the full one, those without a part, those with a lever."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from data_contracts.errors import ModelError
from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from models.learning.ablations import UntunedTrees
from models.learning.learned_reputation import LearnedReputation
from models.learning.outage_augmentation import OUTAGE_SHARE
from models.learning.risk import RiskModel
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
    learned = LearnedOnce(
        model=full,
        rows=rows,
        event_index=event_index,
        tables=tables,
        settings=settings,
        seed=seed,
    )
    models = {MODEL: full}
    for name in ablations:
        progress(f"training again: {name}")
        try:
            models[column_of(name)] = without_part(name, learned)
        except ModelError as error:
            progress(f"{name} is left out: {error}")
    for name in levers:
        progress(f"pulling a lever: {name}")
        models[column_of(name)] = pull_lever(name, learned)
    return models


def without_part(ablation: str, learned: LearnedOnce) -> RiskModel:
    """The model less what the ablation takes away: fitted again on its own rows, or taught from
    others, as one of ``AFRESH`` says.
    """
    settings = learned.settings
    if ablation == "untuned":
        tuning = UntunedTrees(threads=tuning_from_settings(settings).threads)
        return learned.refit(learned.rows, tuning=tuning)
    if ablation not in AFRESH:
        return learned.refit(learned.rows, without=ablation)
    if ablation == "hand_written":
        model, _ = learn_risk_model(
            learned.event_index,
            learned.tables,
            at=learned.model.trained_at,
            seed=learned.seed,
            settings=settings,
            reputations=LearnedReputation(),
        )
        return model
    sampling = sampling_from_settings(settings)
    if ablation == "nightly":
        return learned.learn_again(replace(sampling, every=NIGHT))
    training = settings.training.model_copy(update={"outage_share": OUTAGE_SHARE})
    changed = settings.model_copy(update={"training": training})
    return replace(learned, settings=changed).learn_again(sampling)
