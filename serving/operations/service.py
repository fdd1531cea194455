"""Filing what pipelines report, and reading it back as one overview."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from serving.access.reveals import unusual_reveals
from serving.database.engine import write_transaction
from serving.operations.repository import ReportRepository
from serving.vocabulary.reports import (
    BudgetReport,
    DriftReport,
    FairnessReport,
    ModelsReport,
    QualityReport,
    ReplayReport,
    Report,
    Run,
    RunKind,
)

__all__ = ["RETENTION", "Filed", "Overview", "begin_run", "end_run", "file_report", "read_overview"]

RETENTION = timedelta(days=90)
LATEST_RUNS = 20

R = TypeVar("R", bound=Report)


@dataclass(frozen=True)
class Filed(Generic[R]):
    """A report and when it was made."""

    at: datetime
    report: R


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The newest report of every kind at ``at`` (None: there is none), the last runs, and of each
    verb the newest.
    """

    at: datetime
    runs: tuple[Run, ...] = ()
    newest: Mapping[RunKind, Run]
    succeeded: Mapping[RunKind, Run]
    quality: Filed[QualityReport] | None = None
    models: Filed[ModelsReport] | None = None
    drift: Filed[DriftReport] | None = None
    fairness: Filed[FairnessReport] | None = None
    replay: Filed[ReplayReport] | None = None
    budget: Filed[BudgetReport] | None = None
    unusual_reveals: tuple[tuple[str, datetime], ...] = ()


def begin_run(engine: Engine, run: Run) -> int:
    """Write down that a run has begun; return the number to end it by."""
    return file_report(engine, run, at=run.started_at)


def end_run(engine: Engine, number: int, run: Run) -> None:
    """Write down how the run of that number ended."""
    with write_transaction(engine) as session:
        ReportRepository(session).rewrite(number, run.model_dump(mode="json"))


def file_report(engine: Engine, report: Report, *, at: datetime) -> int:
    """File a report made at ``at`` and return its number; what is 90 days older is forgotten."""
    with write_transaction(engine) as session:
        reports = ReportRepository(session)
        row = reports.add(report.kind, at=at, content=report.model_dump(mode="json"))
        reports.forget(report.kind, before=at - RETENTION)
        return row.id


def read_overview(session: Session, *, at: datetime) -> Overview:
    """Return what is known at ``at`` of how the system does."""
    reports = ReportRepository(session)
    # They come newest first; reversed, the newest run of a verb is the one that stays in a mapping.
    runs = [Run.model_validate(row.content) for row in reports.since(Run.kind, at - RETENTION)]
    return Overview(
        at=at,
        runs=tuple(runs[:LATEST_RUNS]),
        newest={run.verb: run for run in reversed(runs)},
        succeeded={run.verb: run for run in reversed(runs) if run.ok},
        quality=_newest(reports, QualityReport),
        models=_newest(reports, ModelsReport),
        drift=_newest(reports, DriftReport),
        fairness=_newest(reports, FairnessReport),
        replay=_newest(reports, ReplayReport),
        budget=_newest(reports, BudgetReport),
        unusual_reveals=tuple(unusual_reveals(session, since=at - timedelta(days=1))),
    )


def _newest(reports: ReportRepository, report: type[R]) -> Filed[R] | None:
    row = reports.newest(report.kind)
    return Filed(row.at, report.model_validate(row.content)) if row else None
