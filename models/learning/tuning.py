"""The search for the trees' parameters: a small space, judged by time on episodes that were
reported later.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from models.learning.risk import Tuning, fit_risk_model

if TYPE_CHECKING:
    import optuna

__all__ = [
    "SEARCH_SPACE",
    "ParameterValues",
    "SearchResult",
    "TimeSplit",
    "later_average_precision",
    "later_samples",
    "search_parameters",
    "searched_values",
]

ParameterValues = Mapping[str, float]
ValueRange = tuple[float, float]

SEARCH_SPACE: Mapping[
    str, ValueRange
] = {  # of each parameter the least and the largest value that makes sense
    "rounds": (50, 1600),
    "learning_rate": (0.01, 0.15),
    "num_leaves": (4, 63),
    "min_data_in_leaf": (5, 200),
    "feature_fraction": (0.2, 1.0),
    "bagging_fraction": (0.5, 1.0),
    "lambda_l2": (0.1, 200.0),
}
LINEAR_PARAMETERS = (
    "feature_fraction",
    "bagging_fraction",
)  # the others are searched by orders of magnitude
FOLDS = 2  # calibration needs them, the ranking does not: as few as there can be


@dataclass(frozen=True)
class TimeSplit:
    """Learn from what was known before ``learn_until``, judge moments in ``[judge_from,
    judge_until)``.

    What lies between is purged: features look back, so moments on both sides of a sharp cut would
    share their events.
    """

    learn_until: datetime
    judge_from: datetime
    judge_until: datetime

    @classmethod
    def before(cls, at: datetime, *, judged: timedelta, purge: timedelta) -> "TimeSplit":
        """The split that judges the last ``judged`` before ``at``."""
        return cls(at - judged - purge, at - judged, at)


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """The best parameters found and their quality, that of the present ones, and every trial in
    order.
    """

    best: Tuning
    quality: float
    current_quality: float
    trials: tuple[tuple[ParameterValues, float], ...]


def later_samples(moments: pl.DataFrame, split: TimeSplit, *, known: pl.DataFrame) -> pl.DataFrame:
    """Those of ``moments`` to judge by: in the judged time, and of no episode ``known`` when the
    learning ended.
    """
    seen = pl.col("case_id").is_in(known["case_id"].implode()).fill_null(value=False)
    return moments.filter(
        pl.col("at").is_between(split.judge_from, split.judge_until, closed="left"), ~seen
    )


def later_average_precision(
    tuning: Tuning,
    rows: pl.DataFrame,
    later: pl.DataFrame,
    *,
    features: tuple[str, ...],
    at: datetime,
    seed: int,
) -> float:
    """Average precision on the ``later`` moments of a model of ``rows``, each weighted by how many
    it stands for.
    """
    from sklearn.metrics import average_precision_score

    model, _ = fit_risk_model(
        rows, features=features, at=at, tuning=replace(tuning, folds=FOLDS), seed=seed
    )
    labels, sampling_weight = later["label"].to_numpy(), later["sampling_weight"].to_numpy()
    return float(
        average_precision_score(labels, model.predict(later), sample_weight=sampling_weight)
    )


def search_parameters(
    judge: Callable[[Tuning], float],
    *,
    current: Tuning,
    trials: int,
    seed: int,
    on_trial: Callable[[ParameterValues, float], None] = lambda *_: None,
) -> SearchResult:
    """Look for the parameters that ``judge`` likes best, beginning with the ``current`` ones.

    ``on_trial`` hears of every trial. The same seed and judge make the same search.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial(
        {name: clip_to_range(name, value) for name, value in searched_values(current).items()}
    )
    found: list[tuple[ParameterValues, float]] = []

    def attempt(trial: optuna.Trial) -> float:
        tuning = with_values(current, {name: suggest_value(trial, name) for name in SEARCH_SPACE})
        value = judge(tuning)
        found.append((searched_values(tuning), value))
        on_trial(*found[-1])
        return value

    study.optimize(attempt, n_trials=trials)
    best, value = max(found, key=lambda one: one[1])
    return SearchResult(
        best=with_values(current, best),
        quality=value,
        current_quality=found[0][1],
        trials=tuple(found),
    )


def with_values(current: Tuning, parameters: ParameterValues) -> Tuning:
    """The present tuning with other parameters."""
    return Tuning(**{**asdict(current), **parameters})


def searched_values(tuning: Tuning) -> dict[str, float]:
    """The parameters that are searched."""
    return {name: value for name, value in asdict(tuning).items() if name in SEARCH_SPACE}


def clip_to_range(name: str, value: float) -> float:
    """The value, or the nearest that is searched."""
    low, high = SEARCH_SPACE[name]
    return type(value)(min(max(value, low), high))


def suggest_value(trial: "optuna.Trial", name: str) -> float:
    """The next value to try; whole where the present one is."""
    low, high = SEARCH_SPACE[name]
    if isinstance(getattr(Tuning, name), int):
        return trial.suggest_int(name, int(low), int(high), log=True)
    return trial.suggest_float(name, low, high, log=name not in LINEAR_PARAMETERS)
