"""The verbs as an installation runs them: each run is written down where the engineers' page finds it.

A report that cannot be written or made is logged and stops nothing: the work matters more than the word about it.
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
from pipelines.cli.arguments import SHANGHAI
from pipelines.progress import Progress, quiet
from pipelines.settings import Settings
from serving.database.engine import open_database
from serving.operations.service import begin_run, end_run, file_report
from serving.operations.wording import UNFORESEEN
from serving.store import Kind
from serving.vocabulary.reports import Report, Run, RunKind

if TYPE_CHECKING:  # each verb imports its own, when it is called
    from models.learning.risk import RiskModel
    from models.registry.model_store import ModelVersion
    from pipelines.backtesting.replay import ReplayResult
    from pipelines.ingestion.ingest import IngestReport
    from pipelines.scoring.score import ScoreResult
    from pipelines.training.train import PromotionMode, TrainResult

__all__ = ["Book", "Clock", "follow_champion", "ingest", "replay", "running", "score", "train"]

log = logging.getLogger("pipelines.orchestration.run_log")

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """The present moment in Shanghai's time."""
    return datetime.now(SHANGHAI)


@dataclass
class Findings:
    """What a run found: ``facts`` by name, and reports to be made of it once it is over."""

    facts: dict[str, float | str] = field(default_factory=dict)
    reports: list[Callable[[], Report]] = field(default_factory=list)


def ingest(
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

    with running(settings, "ingest", clock=clock) as found:
        loaded = load(
            landing,
            settings=settings,
            received_at=clock(),
            through=through,
            retry_held=retry_held,
            progress=progress,
        )
        found.facts["files"] = len(loaded.files)
        for name in ("accepted", "quarantined", "duplicates", "held"):
            found.facts[name] = sum(getattr(file, name) for file in loaded.files)
        found.reports.append(lambda: quality_report(settings))
        return loaded


def train(
    settings: Settings,
    *,
    at: datetime,
    promote: "PromotionMode" = "auto",
    seed: int = 0,
    progress: Progress = quiet,
    clock: Clock = wall_clock,
) -> "TrainResult":
    """Train (``pipelines.training.train``), then report the models and how the new one serves each group of people."""
    from pipelines.orchestration.run_reports import fairness_report, models_report
    from pipelines.training.train import train as learn

    with running(settings, "train", about_at=at, clock=clock) as found:
        result = learn(settings, at=at, promote=promote, seed=seed, progress=progress)
        found.facts |= {"version": result.version, "episodes": result.episodes, "promoted": float(result.promoted)}
        found.reports.append(lambda: models_report(settings))
        if result.compared_span:
            start, end = result.compared_span
            found.reports.append(
                lambda: fairness_report(result.groups, source="challenger", start=start, end=end, settings=settings)
            )
        return result


def score(
    settings: Settings,
    *,
    at: datetime,
    kind: Kind = "nightly",
    budget: int | None = None,
    progress: Progress = quiet,
    clock: Clock = wall_clock,
) -> "ScoreResult":
    """Score and publish (``pipelines.scoring.score``), then report what has moved since the model learned."""
    from pipelines.orchestration.run_reports import drift_report
    from pipelines.scoring.score import score as publish

    with running(settings, kind, about_at=at, clock=clock) as found:
        result = publish(settings, at=at, kind=kind, budget=budget, progress=progress)
        found.facts |= {"scored": result.scored, "alerts": len(result.alerts), "model": result.model_version}
        drift = result.drift
        if drift:
            found.reports.append(lambda: drift_report(drift, version=result.model_version, at=at))
        return result


def replay(
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
    progress: Progress = quiet,
    clock: Clock = wall_clock,
) -> "ReplayResult":
    """Replay (``pipelines.backtesting.replay``), then report its figures beside the rule's, and those of each group of people."""
    from pipelines.backtesting.replay import replay as look_back
    from pipelines.orchestration.run_reports import fairness_report, replay_report

    with running(settings, "replay", about_at=end, clock=clock) as found:
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
        found.facts |= {"alerts": len(result.alerts), "moments": result.moments}
        found.reports.append(lambda: replay_report(result.evaluation, model=result.figures, rule=result.baseline))
        if (groups := result.evaluation.groups) is not None:
            rows = groups.fill_nan(None).to_dicts()
            found.reports.append(
                lambda: fairness_report(rows, source="replay", start=start, end=end, settings=settings)
            )
        return result


def follow_champion(settings: Settings, *, clock: Clock = wall_clock) -> "ModelVersion | None":
    """Put in force what somebody chose on MLflow's own pages, and report the models if that changed them."""
    from models.registry.mlflow_registry import ModelRegistry
    from pipelines.orchestration.run_reports import models_report

    registry = ModelRegistry.of(settings)
    before = registry.champion()
    version = registry.follow_alias()
    if version != before:
        Book(settings, clock=clock).file(lambda: models_report(settings))
    return version


@contextmanager
def running(settings: Settings, verb: RunKind, *, clock: Clock, about_at: datetime | None = None) -> Iterator[Findings]:
    """Write down that a run begins, and at the end of the block how it went; errors pass through."""
    book, found = Book(settings, clock=clock), Findings()
    run = Run(verb=verb, started_at=clock(), about_at=about_at)
    book.begin(run)
    try:
        yield found
    except ForestallError as error:
        book.end(run, found, error=str(error), remedy=error.remedy)
        raise
    except Exception as error:
        book.end(run, found, error=type(error).__name__, remedy=UNFORESEEN)  # its words may hold what nobody may see
        raise
    book.end(run, found, ok=True)
    for make in found.reports:
        book.file(make)


class Book:
    """Where runs and reports are written down; a home that does not exist yet is not made for it."""

    def __init__(self, settings: Settings, *, clock: Clock = wall_clock) -> None:
        self._settings = settings
        self._clock = clock
        self._number: int | None = None

    def begin(self, run: Run) -> None:
        """Write down that a run has begun."""
        with self._carefully("the start of a run"):
            self._number = begin_run(self._engine, run)

    def end(self, run: Run, found: Findings, **outcome: object) -> None:
        """Write down how the run ended."""
        ended = Run.model_validate({**run.model_dump(), "finished_at": self._clock(), "facts": found.facts, **outcome})
        with self._carefully("the end of a run"):
            if self._number is None:  # its start could not be written
                begin_run(self._engine, ended)
            else:
                end_run(self._engine, self._number, ended)

    def file(self, make: Callable[[], Report]) -> None:
        """Make a report and file it."""
        with self._carefully("a report"):
            file_report(self._engine, make(), at=self._clock())

    @cached_property
    def _engine(self) -> Engine:
        return open_database(self._settings.serving_database_url)

    @contextmanager
    def _carefully(self, what: str) -> Iterator[None]:
        """Log what goes wrong in the block, by its kind only, and go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run itself has done or will do its work
            if self._settings.home.exists():
                log.warning("%s could not be written down: %s", what, type(error).__name__)
