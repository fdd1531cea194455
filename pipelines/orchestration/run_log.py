"""Runs written down where the engineers' page finds them: start, end, facts and reports.

A report that cannot be written or made is logged and stops nothing: the work matters more than the
report about it.
"""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from sqlalchemy import Engine

from data_contracts.errors import ForestallError
from pipelines.clock import wall_clock
from pipelines.settings import Settings
from pipelines.storage.faults import explain_fault
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.places.answers import plain_answers
from serving.operations.service import begin_run, end_run, file_report
from serving.operations.wording import UNFORESEEN
from serving.vocabulary.reports import Report, Run, RunKind

if TYPE_CHECKING:
    from models.registry.model_store import ModelVersion

__all__ = [
    "Clock",
    "RunLog",
    "RunResult",
    "follow_champion",
    "record_run",
    "recorded",
]

log = logging.getLogger("pipelines.orchestration.run_log")

Clock = Callable[[], datetime]
Arguments = Mapping[str, Any]  # of a verb, by name
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass
class RunResult:
    """What a run found: ``facts`` by name, and reports to be made of it once it is over."""

    facts: dict[str, float | str] = field(default_factory=dict)
    reports: list[Callable[[], Report]] = field(default_factory=list)


def recorded(
    verb: RunKind | Callable[[Arguments], RunKind],
    *,
    describe: Callable[[Result, Arguments], RunResult],
    about_at: str | None = None,
    clock: Clock = wall_clock,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Decorate a plain verb so that each of its runs is written down; its signature stays.

    ``verb`` names the run, or tells the name from the arguments. ``describe`` makes facts and
    reports of the result and the arguments, which must have ``settings``. ``about_at`` is the
    argument that says which moment the run is about.
    """

    def decorate(run: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        signature = inspect.signature(run)

        @wraps(run)
        def run_recorded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            arguments = bound.arguments
            with record_run(
                arguments["settings"],
                verb if isinstance(verb, str) else verb(arguments),
                clock=clock,
                about_at=arguments[about_at] if about_at else None,
            ) as run_result:
                result = run(*args, **kwargs)
                described = describe(result, arguments)
                run_result.facts |= described.facts
                run_result.reports += described.reports
                return result

        return run_recorded

    return decorate


def follow_champion(settings: Settings, *, clock: Clock = wall_clock) -> "ModelVersion | None":
    """Promote what somebody chose on MLflow's own pages, and report the models if that changed
    them.
    """
    from pipelines.orchestration.run_reports import models_report
    from pipelines.storage.installation.models import open_registry

    registry = open_registry(settings)
    before = registry.champion()
    version = registry.follow_alias()
    if version != before:
        RunLog(settings, clock=clock).write_report(lambda: models_report(settings))
    return version


@contextmanager
def record_run(
    settings: Settings, verb: RunKind, *, clock: Clock, about_at: datetime | None = None
) -> Iterator[RunResult]:
    """Write down that a run begins, and after the block how it went; errors pass through, those of
    a disk or a data file in our words.
    """
    run_log, run_result = RunLog(settings, clock=clock), RunResult()
    run = Run(verb=verb, started_at=clock(), about_at=about_at)
    run_log.begin(run)
    try:
        with plain_answers():
            yield run_result
    except ForestallError as error:
        run_log.end(run, run_result, error=str(error), remedy=error.remedy)
        raise
    except BaseException as error:
        explained = explain_fault(error)
        if explained is not None:
            run_log.end(run, run_result, error=str(explained), remedy=explained.remedy)
            raise explained from error
        if not isinstance(error, Exception):  # somebody stopped it
            raise
        run_log.end(
            run, run_result, error=type(error).__name__, remedy=UNFORESEEN
        )  # its words may hold what nobody may see
        raise
    run_log.end(run, run_result, ok=True)
    for make in run_result.reports:
        run_log.write_report(make)


class RunLog:
    """Where runs and reports are written down; no home is made for it."""

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
        return open_serving_database(self._settings)

    @contextmanager
    def _log_failures(self, what: str) -> Iterator[None]:
        """Log what goes wrong in the block, by its kind only, and go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run itself has done or will do its work
            if self._settings.home.exists():
                log.warning("%s could not be written down: %s", what, type(error).__name__)
