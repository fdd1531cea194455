"""The verbs as an installation runs them: each run is written down where the engineers' page finds
it.

A report that cannot be written or made is logged and stops nothing: the work matters more than the
report about it.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from data_contracts.errors import ForestallError
from pipelines.clock import wall_clock
from pipelines.progress import Progress, no_progress
from pipelines.settings import Settings
from serving.database.engine import open_database
from serving.operations.service import begin_run, end_run, file_report
from serving.operations.wording import UNFORESEEN
from serving.vocabulary.alerts import Kind
from serving.vocabulary.reports import Report, Run, RunKind

if TYPE_CHECKING:  # each verb imports its own, when it is called
    from models.learning.risk import RiskModel
    from models.registry.model_store import ModelVersion
    from pipelines.backtesting.replay import ReplayResult
    from pipelines.ingestion.ingest import IngestReport
    from pipelines.scoring.score import ScoreResult
    from pipelines.training.train import PromotionMode, TrainResult

__all__ = [
    "Clock",
    "RunLog",
    "follow_champion",
    "record_run",
    "run_ingest",
    "run_replay",
    "run_score",
    "run_train",
]

log = logging.getLogger("pipelines.orchestration.run_log")

Clock = Callable[[], datetime]


@dataclass
class RunResult:
    """What a run found: ``facts`` by name, and reports to be made of it once it is over."""

    facts: dict[str, float | str] = field(default_factory=dict)
    reports: list[Callable[[], Report]] = field(default_factory=list)


def run_ingest(
    landing: Path,
    *,
    settings: Settings,
    through: date | None = None,
    retry_held: bool = False,
    progress: Callable[[int, int], None] | None = None,
    clock: Clock = wall_clock,
) -> "IngestReport":
    """Load what is new (``pipelines.ingestion.ingest``), then report how good the deliveries were."""
    from pipelines.ingestion.delivery_quality import quality_report
    from pipelines.ingestion.ingest import ingest as load

    with record_run(settings, "ingest", clock=clock) as run_result:
        loaded = load(
            landing,
            settings=settings,
            received_at=clock(),
            through=through,
            retry_held=retry_held,
            progress=progress,
        )
        run_result.facts["files"] = len(loaded.files)
        for name in ("accepted", "quarantined", "duplicates", "held"):
            run_result.facts[name] = sum(getattr(file, name) for file in loaded.files)
        run_result.reports.append(lambda: quality_report(settings))
        return loaded


def run_train(
    settings: Settings,
    *,
    at: datetime,
    promote: "PromotionMode" = "auto",
    seed: int = 0,
    progress: Progress = no_progress,
    clock: Clock = wall_clock,
) -> "TrainResult":
    """Train (``pipelines.training.train``), then report the models and how the new one serves each
    group of people.
    """
    from pipelines.orchestration.run_reports import fairness_report, models_report
    from pipelines.training.train import train as learn

    with record_run(settings, "train", about_at=at, clock=clock) as run_result:
        result = learn(settings, at=at, promote=promote, seed=seed, progress=progress)
        run_result.facts |= {
            "version": result.version,
            "episodes": result.episodes,
            "promoted": float(result.promoted),
        }
        run_result.reports.append(lambda: models_report(settings))
        if result.compared_span:
            start, end = result.compared_span
            run_result.reports.append(
                lambda: fairness_report(
                    result.groups, source="challenger", start=start, end=end, settings=settings
                )
            )
        return result


def run_score(
    settings: Settings,
    *,
    at: datetime,
    kind: Kind = "nightly",
    budget: int | None = None,
    progress: Progress = no_progress,
    clock: Clock = wall_clock,
) -> "ScoreResult":
    """Score and publish (``pipelines.scoring.score``), then report what has moved since the model
    learned.
    """
    from pipelines.orchestration.run_reports import drift_report
    from pipelines.scoring.score import score as publish

    with record_run(settings, kind, about_at=at, clock=clock) as run_result:
        result = publish(settings, at=at, kind=kind, budget=budget, progress=progress)
        run_result.facts |= {
            "scored": result.scored,
            "alerts": len(result.alerts),
            "model": result.model_version,
        }
        drift = result.drift
        if drift:
            run_result.reports.append(
                lambda: drift_report(drift, version=result.model_version, at=at)
            )
        return result


def run_replay(
    settings: Settings,
    *,
    start: datetime,
    end: datetime,
    every: str,
    budget: int,
    retrain_every: timedelta | None = None,
    seed: int = 0,
    model: "RiskModel | None" = None,
    budgets: bool = False,
    progress: Progress = no_progress,
    clock: Clock = wall_clock,
) -> "ReplayResult":
    """Replay (``pipelines.backtesting.replay``), then report its figures beside the rule's, and
    those of each group of people.
    """
    from pipelines.backtesting.replay import replay as look_back
    from pipelines.orchestration.run_reports import fairness_report, replay_report

    with record_run(settings, "replay", about_at=end, clock=clock) as run_result:
        result = look_back(
            settings,
            start=start,
            end=end,
            every=every,
            budget=budget,
            retrain_every=retrain_every,
            seed=seed,
            model=model,
            budgets=budgets,
            progress=progress,
        )
        run_result.facts |= {"alerts": len(result.alerts), "moments": result.moments}
        run_result.reports.append(
            lambda: replay_report(result.evaluation, model=result.figures, rule=result.baseline)
        )
        if (groups := result.evaluation.groups) is not None:
            rows = groups.fill_nan(None).to_dicts()
            run_result.reports.append(
                lambda: fairness_report(
                    rows, source="replay", start=start, end=end, settings=settings
                )
            )
        return result


def follow_champion(settings: Settings, *, clock: Clock = wall_clock) -> "ModelVersion | None":
    """Promote what somebody chose on MLflow's own pages, and report the models if that changed
    them.
    """
    from models.registry.mlflow_registry import ModelRegistry
    from pipelines.orchestration.run_reports import models_report

    registry = ModelRegistry.of(settings)
    before = registry.champion()
    version = registry.follow_alias()
    if version != before:
        RunLog(settings, clock=clock).write_report(lambda: models_report(settings))
    return version


@contextmanager
def record_run(
    settings: Settings, verb: RunKind, *, clock: Clock, about_at: datetime | None = None
) -> Iterator[RunResult]:
    """Write down that a run begins, and at the end of the block how it went; errors pass through."""
    run_log, run_result = RunLog(settings, clock=clock), RunResult()
    run = Run(verb=verb, started_at=clock(), about_at=about_at)
    run_log.begin(run)
    try:
        yield run_result
    except ForestallError as error:
        run_log.end(run, run_result, error=str(error), remedy=error.remedy)
        raise
    except Exception as error:
        run_log.end(
            run, run_result, error=type(error).__name__, remedy=UNFORESEEN
        )  # its words may hold what nobody may see
        raise
    run_log.end(run, run_result, ok=True)
    for make in run_result.reports:
        run_log.write_report(make)


class RunLog:
    """Where runs and reports are written down; a home that does not exist yet is not made for it."""

    def __init__(self, settings: Settings, *, clock: Clock = wall_clock) -> None:
        self._settings = settings
        self._clock = clock
        self._number: int | None = None

    def begin(self, run: Run) -> None:
        """Write down that a run has begun."""
        with self._log_failures("the start of a run"):
            self._number = begin_run(self._engine, run)

    def end(self, run: Run, run_result: RunResult, **outcome: object) -> None:
        """Write down how the run ended."""
        ended = Run.model_validate(
            {**run.model_dump(), "finished_at": self._clock(), "facts": run_result.facts, **outcome}
        )
        with self._log_failures("the end of a run"):
            if self._number is None:  # its start could not be written
                begin_run(self._engine, ended)
            else:
                end_run(self._engine, self._number, ended)

    def write_report(self, make: Callable[[], Report]) -> None:
        """Make a report and file it."""
        with self._log_failures("a report"):
            file_report(self._engine, make(), at=self._clock())

    @cached_property
    def _engine(self) -> Engine:
        return open_database(self._settings.serving_database_url)

    @contextmanager
    def _log_failures(self, what: str) -> Iterator[None]:
        """Log what goes wrong in the block, by its kind only, and go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run itself has done or will do its work
            if self._settings.home.exists():
                log.warning("%s could not be written down: %s", what, type(error).__name__)
