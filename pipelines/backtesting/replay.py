"""Replay: what would have been alerted, tick by tick, with only what had arrived; and what the rule
would have done.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from models.evaluation.alert_metrics import AlertMetrics, compute_metrics, measure_alerts
from models.evaluation.budget_curve import keep_for_budgets
from models.evaluation.comparison import Comparison
from models.evaluation.explain import explain_scores
from models.evaluation.frames import Alert
from models.labels.episodes import build_episodes, build_traces
from models.learning.risk import RiskModel
from models.policy.already_paid import find_already_paid
from models.policy.policy_run import PolicyRun
from models.policy.shortlist import BASELINE_COLUMN
from models.policy.ticks import parse_tick, query_points_by_day
from models.reports.evaluation_report import EvaluationReport
from pipelines.backtesting.window import check_window
from pipelines.progress import Progress, no_progress
from pipelines.scoring.scored_people import policy_rules, score_query_points
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.event_store.loading import load_event_index
from pipelines.storage.places.private_files import make_private
from pipelines.training.evaluation import evaluate_replay
from pipelines.training.learn import TRAINING_HISTORY, learn_risk_model

__all__ = ["ReplayResult", "replay"]


@dataclass(frozen=True, eq=False)
class ReplayResult:
    """The alerts of the model and of today's rule, and their figures by the cases known by then.

    ``with_texts`` are the model's figures if those next in rank had got a text, and that counted as
    an alert; None where it was not asked.
    """

    alerts: pl.DataFrame
    baseline_alerts: pl.DataFrame
    figures: AlertMetrics
    baseline: AlertMetrics
    evaluation: EvaluationReport
    moments: int
    models: int
    with_texts: AlertMetrics | None = None

    @property
    def comparison(self) -> Comparison:
        """The model's figures beside those of the rule."""
        return Comparison(challenger=self.figures, rule=self.baseline)

    @property
    def named(self) -> Mapping[str, float]:
        """All figures as metrics."""
        return self.comparison.to_metrics()


@dataclass(frozen=True)
class Segment:
    """A stretch of the replay served by one model."""

    start: datetime
    end: datetime


def replay(
    settings: Settings,
    *,
    start: datetime,
    end: datetime,
    every: str,
    budget: int,
    text_budget: int = 0,
    retrain_every: timedelta | None = None,
    seed: int = 0,
    model: RiskModel | None = None,
    stories: pl.DataFrame | None = None,
    budgets: bool = False,
    take_scores: Callable[[pl.DataFrame], object] | None = None,
    progress: Progress = no_progress,
) -> ReplayResult:
    """Alerts from ``start`` to ``end``, decided at ticks ``every`` without looking ahead, at most
    ``budget`` a day; also what ``text_budget`` texts a day to those next in rank would add.

    The ``warm_up_days`` of the settings before ``start`` only show what an ordinary day looks like.
    ``model`` is used if it was trained no later than ``start``; otherwise one is trained on the
    cases known before ``start``. With ``retrain_every`` a new model takes over so often, trained on
    what was known by then. Where ``stories`` are given, the truth of a simulated district as
    episodes, each model learns from all that were over, as if each had been reported. With
    ``budgets`` the evaluation also tells what other budgets would have bought. ``take_scores`` is
    given the scored people of each day from ``start`` on.
    """
    parse_tick(every)
    check_window(start=start, end=end)
    tables = source_tables_before(settings, at=end, span=(end - start) + TRAINING_HISTORY)
    event_index = load_event_index(settings, tables, at=end, progress=progress)
    rules = policy_rules(settings, budget=budget)
    run = PolicyRun(replace(rules, text_budget=text_budget), start)
    rule_run = PolicyRun(rules, start, column=BASELINE_COLUMN)
    alerts: list[pl.DataFrame] = []
    rule_alerts: list[pl.DataFrame] = []
    kept: list[pl.DataFrame] = []
    moments = models = 0
    for segment in segments(start, end, retrain_every):
        if model is None or model.trained_at > segment.start or models:
            progress(f"training on what was known before {segment.start:%Y-%m-%d %H:%M}")
            model, _ = learn_risk_model(
                event_index,
                tables,
                at=segment.start,
                seed=seed,
                settings=settings,
                stories=stories,
                progress=progress,
            )
        warm_up = timedelta(days=0 if models else settings.warm_up_days)
        models += 1
        for day, points in query_points_by_day(
            event_index, start=segment.start - warm_up, end=segment.end, tick=every
        ):
            rows = score_query_points(
                event_index, model, points, effect=settings.intervention_effect
            )
            moments += len(rows)
            if take_scores is not None:
                take_scores(rows.filter(pl.col("at") >= start))
            kept += [keep_for_budgets(rows, rules=rules)] if budgets else []
            alerts.append(with_reasons(run.decide_rows(rows), event_index, model))
            rule_alerts.append(without_reasons(rule_run.decide_rows(rows)))
            progress(f"replayed {day:%Y-%m-%d}")
    evaluation = evaluate_replay(
        tables,
        event_index,
        alerts=run.first_alerts,
        baseline=rule_run.first_alerts,
        kept=pl.concat(kept) if kept else None,
        rules=rules,
        start=start,
        end=end,
        every=every,
    )
    assert evaluation.rule is not None  # noqa: S101 -- tells the type checker that a replay has the rule beside it
    return ReplayResult(
        alerts=concat_alerts(alerts),
        baseline_alerts=concat_alerts(rule_alerts),
        figures=compute_metrics(evaluation.model),
        baseline=compute_metrics(evaluation.rule),
        evaluation=evaluation,
        moments=moments,
        models=models,
        with_texts=measure_texts(tables, event_index, run, start=start, end=end)
        if text_budget
        else None,
    )


def measure_texts(
    tables: SourceTables, event_index: EventIndex, run: PolicyRun, *, start: datetime, end: datetime
) -> AlertMetrics:
    """The figures of a run's alerts with its texts among them."""
    return measure_alerts(
        pl.concat([run.first_alerts, run.texts]),
        build_episodes(tables.cases, event_index, at=end),
        start=start,
        end=end,
        traces=build_traces(tables.cases, event_index, at=end),
    )


def champion_trained_at(settings: Settings, start: datetime) -> RiskModel | None:
    """The champion if it was trained at exactly ``start``: it knows what a model for the replay may
    know.
    """
    from pipelines.storage.installation.models import open_registry

    registry = open_registry(settings)
    champion = registry.champion()
    model = registry.load(champion) if champion else None
    return model if model is not None and model.trained_at == start else None


def segments(start: datetime, end: datetime, every: timedelta | None) -> Iterator[Segment]:
    """The whole replay, or its parts between retrainings."""
    step = every or (end - start)
    while start < end:
        yield Segment(start, min(start + step, end))
        start += step


def with_reasons(chosen: pl.DataFrame, event_index: EventIndex, model: RiskModel) -> pl.DataFrame:
    """The model's alerts with scam type, reasons in plain Chinese, and who has already paid."""
    if chosen.is_empty():
        return without_reasons(chosen)
    rows = build_snapshot(
        event_index, chosen.select("person", "at"), reputation_model=model.reputations
    )
    reasons = [[reason.zh for reason in one.reasons] for one in explain_scores(model, rows)]
    scam_type = pl.Series("scam_type", model.predict_scam_type(rows), dtype=pl.String)
    paid = find_already_paid(model, rows.with_columns(scam_type))
    return without_reasons(chosen).with_columns(
        scam_type,
        reasons=pl.Series(reasons, dtype=pl.List(pl.String)),
        already_paid=paid.is_not_null(),
    )


def without_reasons(chosen: pl.DataFrame) -> pl.DataFrame:
    """The rule's alerts: it knows no type and gives no reasons."""
    return chosen.select(
        "person",
        issued_at="at",
        score="alert_score",
        level="level",
        scam_type=pl.lit("unknown"),
        reasons=pl.lit([], dtype=pl.List(pl.String)),
        repeat="repeat",
        already_paid=pl.lit(False),
    )


def concat_alerts(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All alerts in order of time, then score."""
    frame, columns = pl.concat(parts or [Alert.create_empty()]), Alert.polars_schema()
    return (
        frame.cast(columns)
        .select(columns.names())
        .sort("issued_at", "score", descending=[False, True])
    )


def reveal_persons(alerts: pl.DataFrame, *, settings: Settings) -> pl.DataFrame:
    """``id_number`` in the place of ``person``, from the vault."""
    from pipelines.storage.installation.vault import Vault

    numbers = Vault.open(settings).reveal("person", alerts["person"].unique().to_list())
    known = pl.DataFrame(
        {"person": list(numbers), "id_number": list(numbers.values())},
        schema_overrides={"person": pl.String, "id_number": pl.String},
    )
    return alerts.join(known, on="person", how="left", maintain_order="left").select(
        "id_number", pl.exclude("person", "id_number")
    )


def write_alerts(alerts: pl.DataFrame, out: Path) -> Path:
    """Write alerts as Parquet, and say where."""
    make_private(out)
    alerts.write_parquet(out)
    return out
