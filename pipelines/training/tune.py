"""Tuning: search the trees' parameters by time, track every trial, and say what to write into the
settings.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from data_contracts.errors import NotReadyError
from models.labels.drawn_people import draw_people
from models.labels.episodes import build_episodes
from models.labels.sampling import Sampling, draw_training_samples
from models.learning.risk import Tuning
from models.learning.tuning import (
    ParameterValues,
    TimeSplit,
    later_average_precision,
    later_samples,
    search_parameters,
    searched_values,
)
from pipelines.progress import Progress, no_progress
from pipelines.scoring.scored_people import scored_snapshot
from pipelines.settings import SETTINGS_FILE, Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.event_store.loading import load_event_index
from pipelines.storage.installation.models import open_registry
from pipelines.training.learn import TRAINING_HISTORY, learn_risk_model, tuning_from_settings

__all__ = ["TuneResult", "tune"]

JUDGED_SPAN = timedelta(days=14)
PURGED_SPAN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class TuneResult:
    """The search in short: qualities are average precisions on later moments; ``text`` goes into
    the settings file.
    """

    run_id: str
    trials: int
    quality: float
    current_quality: float
    later_episodes: int
    best: ParameterValues
    text: str


def tune(
    settings: Settings,
    *,
    at: datetime,
    trials: int = 30,
    seed: int = 0,
    judged: timedelta = JUDGED_SPAN,
    purge: timedelta = PURGED_SPAN,
    progress: Progress = no_progress,
) -> TuneResult:
    """Search parameters that, learned from what was known before, rank later moments best; nothing
    is changed by it.

    The last ``judged`` before ``at`` are judged, ``purge`` before them is left out. Rows are laid
    out once and serve all trials; the first trial is the present parameters. Raises ``ModelError``
    where too little was known before, and ``NotReadyError`` where no new episode was reported
    since.
    """
    split = TimeSplit.before(at, judged=judged, purge=purge)
    tables = source_tables_before(settings, at=at, span=TRAINING_HISTORY)
    event_index = load_event_index(settings, tables, at=at, progress=progress)
    progress(f"laying out what was known before {split.learn_until:%Y-%m-%d %H:%M}")
    model, rows = learn_risk_model(
        event_index,
        tables,
        at=split.learn_until,
        seed=seed,
        settings=settings,
        progress=progress,
    )
    sampling = Sampling(negatives=settings.training.negative_samples)
    known_episodes = build_episodes(tables.cases, event_index, at=at)
    moments = later_samples(
        draw_training_samples(
            event_index,
            known_episodes,
            at=at,
            sampling=sampling,
            seed=seed,
            drawn=draw_people(event_index, at=at, seed=seed),
        ),
        split,
        known=build_episodes(tables.cases, event_index, at=split.learn_until),
    )
    later_episodes = moments["case_id"].drop_nulls().n_unique()
    if not later_episodes:
        raise NotReadyError(
            f"no episode since {split.judge_from:%Y-%m-%d} was reported by {at:%Y-%m-%d %H:%M}",
            remedy="Tune at a later moment.",
        )
    later = scored_snapshot(event_index, model, moments.select("person", "at")).with_columns(
        moments.drop("person", "at")
    )
    current = tuning_from_settings(settings)

    def judge(tuning: Tuning) -> float:
        return later_average_precision(
            tuning, rows, later, features=model.features, at=split.learn_until, seed=seed
        )

    run_tags = {
        "at": at.isoformat(),
        "learn_until": split.learn_until.isoformat(),
        "seed": str(seed),
    }
    with open_registry(settings).tracked_search(run_tags) as tracked:

        def record_trial(parameters: ParameterValues, value: float) -> None:
            tracked.trial(parameters, value)
            progress(f"average precision {value:.4f}")

        found = search_parameters(
            judge, current=current, trials=trials, seed=seed, on_trial=record_trial
        )
        tracked.best(searched_values(found.best), found.quality)
    return TuneResult(
        run_id=tracked.run_id,
        trials=len(found.trials),
        quality=found.quality,
        current_quality=found.current_quality,
        later_episodes=later_episodes,
        best=searched_values(found.best),
        text=settings_text(searched_values(found.best)),
    )


def settings_text(parameters: ParameterValues) -> str:
    """The parameters as lines of the settings file."""
    lines = (f"{name} = {value:.4g}" for name, value in parameters.items())
    return "\n".join([f"# {SETTINGS_FILE}", "[training]", *lines])
