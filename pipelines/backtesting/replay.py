"""Replay: what would have been alerted, tick by tick, with only what had arrived; and what the rule
would have done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from data_contracts.errors import SettingsError
from features.event_index import EventIndex, build_event_index
from models.evaluation.alert_metrics import AlertMetrics, compute_metrics
from models.evaluation.budget_curve import Tick
from models.evaluation.comparison import Comparison
from models.evaluation.explain import explain_scores
from models.evaluation.frames import Alert
from models.labels.sampling import query_points_after_events, query_points_for_everyone
from models.learning.risk import RiskModel
from models.policy.alerting import AlertDecision, Memory, PolicyRules, decide_alerts
from models.reports.evaluation_report import EvaluationReport
from pipelines.progress import Progress, no_progress
from pipelines.scoring.candidates import (
    group_by_tick,
    policy_rules,
    score_query_points,
    select_candidates,
)
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.training.evaluation import candidates_by_tick, evaluate_replay
from pipelines.training.learn import TRAINING_HISTORY, learn_risk_model

__all__ = ["ReplayResult", "parse_every", "replay"]

WARM_UP = timedelta(
    days=3
)  # days scored before the first, so that the threshold knows what an ordinary day is like
SCORERS = {"score": "model", "baseline_score": "rule"}
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, eq=False)
class ReplayResult:
    """The alerts of the model and of today's rule, and their figures by the cases known at the end."""

    alerts: pl.DataFrame
    baseline_alerts: pl.DataFrame
    figures: AlertMetrics
    baseline: AlertMetrics
    evaluation: EvaluationReport
    moments: int
    models: int

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


def parse_every(text: str) -> timedelta:
    """``15m``, ``1h`` or ``1d`` as a span that divides a day. Raises ``SettingsError`` for anything
    else.
    """
    unit = UNITS.get(text[-1:])
    number = text[:-1]
    span = timedelta(**{unit: int(number)}) if unit and number.isdecimal() else timedelta(0)
    if span <= timedelta(0) or timedelta(days=1) % span:
        raise SettingsError(
            f"a tick of {text!r} cannot be used",
            remedy="Give one that divides a day: 5m, 15m, 1h, 6h, 1d.",
        )
    return span


def replay(
    settings: Settings,
    *,
    start: datetime,
    end: datetime,
    every: str,
    budget: int,
    retrain_every: timedelta | None = None,
    seed: int = 0,
    model: RiskModel | None = None,
    budgets: bool = False,
    progress: Progress = no_progress,
) -> ReplayResult:
    """Alerts from ``start`` to ``end``, decided at ticks ``every`` without looking ahead, at most
    ``budget`` a day.

    ``model`` is used if it was trained no later than ``start``; otherwise one is trained on the
    cases known before ``start``. With ``retrain_every`` a new model takes over so often, trained on
    what was known by then. With ``budgets`` the evaluation also tells what other budgets would have
    bought.
    """
    tick = parse_every(every)
    if end <= start:
        raise SettingsError(
            "the replay ends before it starts", remedy="Give --to later than --from."
        )
    progress("building the event index")
    tables = source_tables_before(settings, at=end, span=(end - start) + TRAINING_HISTORY)
    event_index = build_event_index(tables)
    rules = policy_rules(settings, budget=budget)
    memories = {column: Memory() for column in SCORERS}
    found: dict[str, list[pl.DataFrame]] = {column: [] for column in SCORERS}
    ticks: list[Tick] = []
    moments = models = 0
    for segment in segments(start, end, retrain_every):
        if model is None or model.trained_at > segment.start or models:
            progress(f"training on what was known before {segment.start:%Y-%m-%d %H:%M}")
            model, _ = learn_risk_model(
                event_index, tables, at=segment.start, seed=seed, settings=settings
            )
        models += 1
        warm = segment.start - WARM_UP if segment.start == start else segment.start
        for day in split_into_days(warm, segment.end):
            rows = score_query_points(
                event_index,
                model,
                query_points_of_day(event_index, day, tick=tick, every=every),
                effect=settings.intervention_effect,
            )
            moments += len(rows)
            ticks += candidates_by_tick(rows, rules=rules) if budgets else ()
            for column in SCORERS:
                chosen = decided_rows(rows, column=column, memory=memories[column], rules=rules)
                if day.start < start:
                    memories[
                        column
                    ].issued.clear()  # a warm-up day only tells what scores are ordinary
                elif len(chosen):
                    found[column].append(
                        with_reasons(chosen, model)
                        if column == "score"
                        else without_reasons(chosen)
                    )
            progress(f"replayed {day.start:%Y-%m-%d}")
    alerts, baseline = (concat_alerts(found[column]) for column in SCORERS)
    evaluation = evaluate_replay(
        tables,
        event_index,
        alerts=alerts.filter(~pl.col("repeat")),
        baseline=baseline.filter(~pl.col("repeat")),
        ticks=ticks,
        rules=rules,
        start=start,
        end=end,
        every=every,
    )
    assert evaluation.rule is not None  # noqa: S101 -- tells the type checker that a replay has the rule beside it
    return ReplayResult(
        alerts=alerts,
        baseline_alerts=baseline,
        figures=compute_metrics(evaluation.model),
        baseline=compute_metrics(evaluation.rule),
        evaluation=evaluation,
        moments=moments,
        models=models,
    )


def champion_trained_at(settings: Settings, start: datetime) -> RiskModel | None:
    """The champion if it was trained at exactly ``start``: it knows what a model for the replay may
    know.
    """
    from models.registry.mlflow_registry import ModelRegistry

    registry = ModelRegistry.of(settings)
    champion = registry.champion()
    model = registry.load(champion) if champion else None
    return model if model is not None and model.trained_at == start else None


def segments(start: datetime, end: datetime, every: timedelta | None) -> Iterator[Segment]:
    """The whole replay, or its parts between retrainings."""
    step = every or (end - start)
    while start < end:
        yield Segment(start, min(start + step, end))
        start += step


def split_into_days(start: datetime, end: datetime) -> Iterator[Segment]:
    """Calendar days of ``[start, end)``, the first and last cut where they are."""
    while start < end:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        yield Segment(start, min(midnight, end))
        start = midnight


def query_points_of_day(
    event_index: EventIndex, day: Segment, *, tick: timedelta, every: str
) -> pl.DataFrame:
    """The ticks of ``[day.start, day.end)`` and those touched since the tick before; at the first
    one, everyone.
    """
    ticks = query_points_after_events(
        event_index, start=day.start - tick, end=day.end - tick, every=every
    )
    later = ticks.filter((pl.col("at") > day.start) & (pl.col("at") < day.end))
    return pl.concat([query_points_for_everyone(event_index, at=day.start), later])


def decided_rows(
    rows: pl.DataFrame, *, column: str, memory: Memory, rules: PolicyRules
) -> pl.DataFrame:
    """The rows that are alerted, tick by tick, with ``level``, ``repeat`` and the scorer's
    ``score``.
    """
    picked: list[pl.DataFrame] = []
    for tick, group in group_by_tick(rows):
        chosen = decide_alerts(
            select_candidates(group, column=column, rules=rules),
            memory=memory,
            at=tick,
            rules=rules,
        )
        if chosen:
            picked.append(decisions_frame(chosen).join(group, on="person", maintain_order="left"))
    return pl.concat(picked) if picked else rows.clear()


def decisions_frame(chosen: Sequence[AlertDecision]) -> pl.DataFrame:
    """Decisions as rows."""
    return pl.DataFrame(
        {
            "person": [one.candidate.person for one in chosen],
            "alert_score": [one.candidate.score for one in chosen],
            "level": [one.level for one in chosen],
            "repeat": [one.repeat for one in chosen],
        },
        schema_overrides={"level": pl.String},
    )


def with_reasons(chosen: pl.DataFrame, model: RiskModel) -> pl.DataFrame:
    """The model's alerts with scam type and reasons in plain Chinese."""
    reasons = [[reason.zh for reason in one.reasons] for one in explain_scores(model, chosen)]
    return without_reasons(chosen).with_columns(
        scam_type=pl.Series(model.predict_scam_type(chosen), dtype=pl.String),
        reasons=pl.Series(reasons, dtype=pl.List(pl.String)),
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
    from pipelines.storage.vault import Vault

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
    out.parent.mkdir(parents=True, exist_ok=True)
    alerts.write_parquet(out)
    return out
