"""The verbs as an installation runs them: the plain functions, with each run written down.

The plain functions know nothing of the run log, so that a test or an experiment can call them
without a trace.
"""

from collections import Counter
from functools import partial

from pipelines.backtesting.replay import ReplayResult, replay
from pipelines.ingestion.ingest import ingest
from pipelines.ingestion.outcomes.delivery_quality import quality_report
from pipelines.ingestion.outcomes.reports import IngestReport
from pipelines.ingestion.retries.retry import RetryReport, retry_quarantine
from pipelines.orchestration.run_log import Arguments, RunResult, recorded
from pipelines.orchestration.run_reports import (
    drift_report,
    fairness_report,
    models_report,
    replay_report,
)
from pipelines.scoring.score import ScoreResult, score
from pipelines.training.train import TrainResult, train

__all__ = [
    "describe_ingest",
    "describe_replay",
    "describe_retry",
    "describe_score",
    "describe_train",
    "run_ingest",
    "run_replay",
    "run_retry",
    "run_score",
    "run_train",
]


# What is told of files, by the kind of decision about them.
DECIDED = {"accept": "waived", "replace": "replaced", "undo": "undone"}


def describe_ingest(loaded: IngestReport, arguments: Arguments) -> RunResult:
    """Count files and rows, what was decided beside the rules and how many rows left the lake for
    it, and report how good the deliveries were.
    """
    counts = {
        name: sum(getattr(file, name) for file in loaded.files)
        for name in ("accepted", "quarantined", "duplicates", "held")
    }
    decided = Counter(DECIDED[decision.kind] for decision in loaded.decisions)
    decided["unreadable"] = sum(file.status == "unreadable" for file in loaded.files)
    decided["removed"] = sum(decision.rows for decision in loaded.decisions)
    return RunResult(
        facts={"files": len(loaded.files), **counts, **+decided},
        reports=[partial(quality_report, arguments["settings"])],
    )


def describe_retry(retried: RetryReport, arguments: Arguments) -> RunResult:
    """Count what left the quarantine and what is still in it, and report how good the deliveries
    are by now.
    """
    counts = {
        name: sum(getattr(file, field) for file in retried.files)
        for name, field in (
            ("accepted", "accepted"),
            ("quarantined", "rejected"),
            ("duplicates", "duplicates"),
        )
    }
    return RunResult(
        facts={"files": len(retried.files), **counts},
        reports=[partial(quality_report, arguments["settings"])],
    )


def describe_train(result: TrainResult, arguments: Arguments) -> RunResult:
    """Name the model, and report the models and how the new one serves each group of people."""
    settings = arguments["settings"]
    run_result = RunResult(
        facts={
            "version": result.version,
            "episodes": result.episodes,
            "promoted": float(result.promoted),
        },
        reports=[partial(models_report, settings)],
    )
    if result.compared_span:
        start, end = result.compared_span
        run_result.reports.append(
            partial(
                fairness_report,
                result.groups,
                source="challenger",
                start=start,
                end=end,
                settings=settings,
            )
        )
    return run_result


def describe_score(result: ScoreResult, arguments: Arguments) -> RunResult:
    """Count who was scored and alerted, and report what has moved since the model learned."""
    run_result = RunResult(
        facts={
            "scored": result.scored,
            "alerts": len(result.alerts),
            "model": result.model_version,
        }
    )
    if result.drift:
        run_result.reports.append(
            partial(drift_report, result.drift, version=result.model_version, at=arguments["at"])
        )
    return run_result


def describe_replay(result: ReplayResult, arguments: Arguments) -> RunResult:
    """Count alerts and moments, and report the figures beside the rule's and those of each group of
    people.
    """
    run_result = RunResult(
        facts={"alerts": len(result.alerts), "moments": result.moments},
        reports=[
            partial(replay_report, result.evaluation, model=result.figures, rule=result.baseline)
        ],
    )
    groups = result.evaluation.groups
    if groups is not None:
        run_result.reports.append(
            partial(
                fairness_report,
                groups.fill_nan(None).to_dicts(),
                source="replay",
                start=arguments["start"],
                end=arguments["end"],
                settings=arguments["settings"],
            )
        )
    return run_result


run_ingest = recorded("ingest", describe=describe_ingest)(ingest)
run_retry = recorded("ingest", describe=describe_retry)(retry_quarantine)
run_train = recorded("train", describe=describe_train, about_at="at")(train)
run_score = recorded(lambda arguments: arguments["kind"], describe=describe_score, about_at="at")(
    score
)
run_replay = recorded("replay", describe=describe_replay, about_at="end")(replay)
