"""Training, scoring and replay as an installation runs them: the plain functions, with each run
written down.

The plain functions know nothing of the run log, so that a test or an experiment can call them
without a trace.
"""

from functools import partial

from pipelines.backtesting.replay import ReplayResult, replay
from pipelines.cluster.piece_report import PieceReport
from pipelines.orchestration.run_log import Arguments, RunResult, recorded
from pipelines.orchestration.run_reports import (
    budget_report,
    drift_report,
    fairness_report,
    models_report,
    replay_report,
)
from pipelines.scoring.score import ScoreResult, score
from pipelines.training.train import TrainResult, train

__all__ = [
    "describe_replay",
    "describe_score",
    "describe_train",
    "run_replay",
    "run_score",
    "run_train",
]


def describe_train(result: TrainResult, arguments: Arguments) -> RunResult:
    """Name the model, and report the models, how the new one serves each group of people, and what
    the budget is worth with it.
    """
    settings = arguments["settings"]
    run_result = RunResult(
        facts={
            "version": result.version,
            "episodes": result.episodes,
            "promoted": float(result.promoted),
            **piece_facts(result.pieces),
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
        if result.outlook:
            run_result.reports.append(
                partial(budget_report, result.outlook, version=result.version, start=start, end=end)
            )
    return run_result


def describe_score(result: ScoreResult, arguments: Arguments) -> RunResult:
    """Count who was scored and alerted, and report what has moved since the model learned."""
    run_result = RunResult(
        facts={
            "scored": result.scored,
            **({"late": result.late} if result.late else {}),
            "alerts": len(result.alerts),
            "model": result.model_version,
            **piece_facts(result.pieces),
        }
    )
    if result.drift:
        run_result.reports.append(
            partial(drift_report, result.drift, version=result.model_version, at=arguments["at"])
        )
    return run_result


def piece_facts(report: PieceReport | None) -> dict[str, float]:
    """Who computed the pieces, and what went wrong with the cluster; nothing where none is set."""
    if report is None:
        return {}
    counts = {
        "workers": report.workers,
        "pieces_by_workers": report.on_workers,
        "pieces_here": report.here,
        **{mishap.value: count for mishap, count in report.mishaps.items()},
    }
    return {name: count for name, count in counts.items() if count}


def describe_replay(result: ReplayResult, arguments: Arguments) -> RunResult:
    """Count alerts and moments, and report the figures beside the rule's and those of each group of
    people.

    A model that was told the truth says what could be at best, not how this installation does: it
    is counted, and reported nowhere.
    """
    run_result = RunResult(facts={"alerts": len(result.alerts), "moments": result.moments})
    if arguments.get("stories") is not None:
        return run_result
    run_result.reports.append(
        partial(replay_report, result.evaluation, model=result.figures, rule=result.baseline)
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


run_train = recorded("train", describe=describe_train, about_at="at")(train)
run_score = recorded(lambda arguments: arguments["kind"], describe=describe_score, about_at="at")(
    score
)
run_replay = recorded("replay", describe=describe_replay, about_at="end")(replay)
