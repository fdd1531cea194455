"""The flows: thin wrappers of the plain functions, with retries, and tables that a person can read
in Prefect's pages.

What a flow does is settled by its moment ``at``, by default the time it was scheduled for: a retry,
or the same run again, publishes the same list. Nothing that Prefect stores names a person.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from pydantic import AwareDatetime, PositiveInt

from data_contracts.errors import DeliveryError, ModelError, NotReadyError, SettingsError
from models.evaluation.comparison import Comparison
from models.evaluation.drift import Drift
from pipelines.clock import SHANGHAI, wall_clock
from pipelines.ingestion.outcomes.reports import FileReport, IngestReport
from pipelines.orchestration import run_log as runs
from pipelines.orchestration.recorded_loads import run_ingest
from pipelines.orchestration.recorded_verbs import (
    run_replay,
    run_score,
    run_train,
)
from pipelines.retention.kept_until import run_retention
from pipelines.scoring.score import ScoreResult
from pipelines.settings import Settings
from pipelines.storage.places.private_files import write_privately
from pipelines.training.train import PromotionMode, TrainResult
from serving.publishing import Alert
from serving.vocabulary.alerts import Kind

__all__ = ["backtest", "intraday", "nightly", "retention", "retrain"]

# Of a worker's process this is the entry: what its flows write is nobody else's
write_privately()

FINAL_ERRORS = (DeliveryError, ModelError, NotReadyError, SettingsError)  # would say the same again
ROWS_SHOWN = 20
FIGURES = (
    "alerts_per_day",
    "precision_at_budget",
    "coverage_at_budget",
    "money_at_budget",
    "lead_h_median",
)


def is_retryable(_task: Any, _run: Any, state: Any) -> bool:
    """Whether a failed task may do better later: another load was running, a disk was full, a
    database was busy.
    """
    return not isinstance(state.result(raise_on_failure=False), FINAL_ERRORS)


RETRY_OPTIONS: Mapping[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": [30, 120, 600],
    "retry_condition_fn": is_retryable,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}
# Tasks are given the home and read the settings themselves: what is passed between tasks goes
# through Prefect's hands.


@flow(persist_result=False)
def nightly(
    landing: Path, home: Path | None = None, at: AwareDatetime | None = None
) -> ScoreResult:
    """Load what was delivered and publish the list of midnight (or ``at``): everyone is scored."""
    follow_champion(home)
    load_deliveries(landing, home=home)
    return score_and_publish(
        home, at=to_shanghai(at) or start_of_day(scheduled_time()), kind="nightly"
    )


@flow(persist_result=False)
def intraday(
    landing: Path, home: Path | None = None, at: AwareDatetime | None = None
) -> ScoreResult:
    """Load what arrived since the last tick and publish what is new among those touched by it."""
    load_deliveries(landing, home=home)
    return score_and_publish(home, at=to_shanghai(at) or scheduled_time(), kind="intraday")


@flow(persist_result=False)
def retrain(
    home: Path | None = None,
    at: AwareDatetime | None = None,
    promote: PromotionMode = "auto",
    seed: int = 0,
) -> TrainResult:
    """Train a challenger on what was known by midnight (or ``at``) and let it through the gates."""
    return train_challenger(
        home, at=to_shanghai(at) or start_of_day(scheduled_time()), promote=promote, seed=seed
    )


@flow(persist_result=False)
def backtest(
    home: Path | None = None,
    at: AwareDatetime | None = None,
    days: PositiveInt = 14,
    every: str | None = None,
    budget: PositiveInt | None = None,
) -> Mapping[str, float]:
    """Replay the ``days`` before midnight (or ``at``) with a model that knew only what came before
    them, at the clock ``every`` (default: ``tick`` of the settings).
    """
    end = to_shanghai(at) or start_of_day(scheduled_time())
    return replay_period(
        home, start=end - timedelta(days=days), end=end, every=every, budget=budget
    )


@flow(persist_result=False)
def retention(home: Path | None = None, at: AwareDatetime | None = None) -> Mapping[str, int]:
    """Take out what is older than the settings keep, as of midnight (or ``at``)."""
    return erase_by_age(home, at=to_shanghai(at) or start_of_day(scheduled_time()))


@task(**RETRY_OPTIONS)
def erase_by_age(home: Path | None, *, at: datetime) -> Mapping[str, int]:
    """Erase, and tell how much of each class left."""
    gone = run_retention(Settings.load(home), at=at)
    rows = [{"class": name, "gone": number} for name, number in sorted(gone.items())]
    create_table_artifact(key="retention", table=rows, description="What left for its age")
    return gone


@task(**RETRY_OPTIONS)
def follow_champion(home: Path | None) -> str:
    """Promote what somebody chose on MLflow's own pages; return the champion's version, empty where
    there is none.
    """
    version = runs.follow_champion(Settings.load(home))
    return str(version or "")


@task(**RETRY_OPTIONS)
def load_deliveries(landing: Path, *, home: Path | None) -> IngestReport:
    """Ingest the landing folder, and show what became of the rows."""
    report = run_ingest(landing, settings=Settings.load(home), received_at=wall_clock())
    create_table_artifact(
        key="deliveries", table=delivery_rows(report.files), description="Rows by source"
    )
    if waiting := [
        f"- `{file.path}` ({file.status}): {file.reason}. {file.remedy}" for file in report.waiting
    ]:
        create_markdown_artifact(
            key="held-files", markdown="\n".join(["# Files that wait", *waiting])
        )
    return report


@task(**RETRY_OPTIONS)
def score_and_publish(home: Path | None, *, at: datetime, kind: Kind) -> ScoreResult:
    """Score and publish, and show the top of the list without who is on it."""
    result = run_score(Settings.load(home), at=at, kind=kind, progress=get_run_logger().info)
    description = (
        f"List {result.watchlist}, {kind}, {at:%Y-%m-%d %H:%M}: "
        f"{len(result.alerts)} alerts, {result.scored} scored"
    )
    create_table_artifact(
        key="watchlist", table=watchlist_rows(result.alerts[:ROWS_SHOWN]), description=description
    )
    if result.drift:
        create_table_artifact(
            key="drift",
            table=result.drift.table(most=ROWS_SHOWN),
            description=describe_drift(result.drift),
        )
    return result


@task(**RETRY_OPTIONS)
def train_challenger(
    home: Path | None, *, at: datetime, promote: PromotionMode, seed: int
) -> TrainResult:
    """Train, and show the figures beside today's rule and what the gates said."""
    result = run_train(
        Settings.load(home), at=at, promote=promote, seed=seed, progress=get_run_logger().info
    )
    verdict = "promoted" if result.promoted else "not promoted"
    description = f"Model {result.version} beside today's rule"
    create_table_artifact(key="figures", table=figure_rows(result.figures), description=description)
    reasons = [f"- {reason}" for reason in result.reasons]
    create_markdown_artifact(
        key="gates", markdown="\n".join([f"# Model {result.version}: {verdict}", *reasons])
    )
    return result


@task(**RETRY_OPTIONS)
def replay_period(
    home: Path | None, *, start: datetime, end: datetime, every: str | None, budget: int | None
) -> Mapping[str, float]:
    """Replay, and show the figures beside today's rule."""
    settings = Settings.load(home)
    most, tick = budget or settings.daily_budget, every or settings.tick
    result = run_replay(
        settings, start=start, end=end, every=tick, budget=most, progress=get_run_logger().info
    )
    description = f"{start:%Y-%m-%d} to {end:%Y-%m-%d} every {tick}, {most} alerts a day at most"
    create_table_artifact(
        key="backtest", table=figure_rows(result.comparison), description=description
    )
    return dict(result.named)


def scheduled_time() -> datetime:
    """When this run was meant to start, on the full minute; a run started by hand was meant for
    now.
    """
    meant: datetime = flow_run.scheduled_start_time
    return meant.astimezone(SHANGHAI).replace(second=0, microsecond=0)


def to_shanghai(moment: datetime | None) -> datetime | None:
    """The moment in Shanghai's time, where one was given."""
    return moment.astimezone(SHANGHAI) if moment else None


def start_of_day(moment: datetime) -> datetime:
    """The beginning of that day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def delivery_rows(files: Sequence[FileReport]) -> list[dict[str, str | int]]:
    """One row a dataset and source: files and what became of their rows."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for file in files:
        if file.status == "gone":  # nothing was delivered
            continue
        counts.setdefault((file.dataset, file.source), Counter()).update(
            files=1,
            rows=file.rows,
            accepted=file.accepted,
            quarantined=file.quarantined,
            duplicates=file.duplicates,
            held=file.held,
        )
    return [
        {"dataset": dataset, "source": source, **found}
        for (dataset, source), found in sorted(counts.items())
    ]


def watchlist_rows(alerts: Sequence[Alert]) -> list[dict[str, str | int | float]]:
    """One row an alert: its place, level, type and reasons, and nothing that says whose it is."""
    return [
        {
            "rank": alert.rank,
            "level": alert.level,
            "probability": round(alert.score, 3),
            "rule": round(alert.baseline_score, 3),
            "type": alert.scam_type,
            "reasons": "；".join(reason.zh for reason in alert.reasons),
        }
        for alert in alerts
    ]


def describe_drift(drift: Drift) -> str:
    """What has moved since the model learned, in a few plain sentences; advice, nothing is stopped
    by it.
    """
    volume, promised = drift.volume, drift.estimated_precision
    sentences = [" ".join(drift.advice()) or "Nothing that deserves a look."]
    if volume:
        sentences.append(
            f"{volume.seen} alerts in the last 24 hours, {volume.expected:.1f} a day before."
        )
    if promised is not None:
        sentences.append(
            f"By their probabilities {promised:.0%} of the alerts of the last 28 days are right."
        )
    return " ".join(sentences)


def figure_rows(comparison: Comparison | None) -> list[dict[str, str | float | None]]:
    """One row a figure, the model's beside the rule's; None where there is none."""
    figures = comparison.by_scorer() if comparison else {}
    model, rule = figures.get("challenger", {}), figures.get("rule", {})
    return [
        {
            "figure": name.replace("_", " "),
            "model": model.get(name),
            "rule": rule.get(name),
        }
        for name in FIGURES
    ]
