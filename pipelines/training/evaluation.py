"""Evaluations of a replay and of what was published, from cases and dispositions, ready to be
reported.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import polars as pl

from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from models.evaluation.alert_metrics import judge_alerts
from models.evaluation.budget_curve import compute_budget_curve
from models.evaluation.fairness import assign_groups, metrics_by_group
from models.labels.disposition_labels import latest_dispositions
from models.labels.episodes import build_episodes, build_traces
from models.policy.alerting import PolicyRules
from models.reports.evaluation_report import EvaluationReport, render_evaluation_report
from pipelines.clock import ZONE
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.event_store.loading import load_event_index
from pipelines.storage.installation.databases import open_serving_database
from pipelines.training.dispositions import read_dispositions
from pipelines.training.model_comparison import CHALLENGER, RULE, ComparedDays
from serving.feedback import recent_alerts

__all__ = [
    "evaluate_challenger",
    "evaluate_published",
    "evaluate_replay",
    "write_report",
]


def evaluate_replay(
    tables: SourceTables,
    event_index: EventIndex,
    *,
    alerts: pl.DataFrame,
    baseline: pl.DataFrame,
    kept: pl.DataFrame | None,
    rules: PolicyRules,
    start: datetime,
    end: datetime,
    every: str,
) -> EvaluationReport:
    """The model's ``alerts`` and the rule's by the cases known at ``end``; budgets only where rows
    were ``kept`` for them (``models.evaluation.budget_curve.keep_for_budgets``).
    """
    known_episodes, traces = (
        build_episodes(tables.cases, event_index, at=end),
        build_traces(tables.cases, event_index, at=end),
    )
    model, rule = (
        judge_alerts(alerted, known_episodes, start=start, end=end, traces=traces)
        for alerted in (alerts, baseline)
    )
    curves = (
        compute_budget_curve(kept, known_episodes, rules=rules, start=start, end=end, traces=traces)
        if kept is not None
        else None
    )
    people = assign_groups(tables.residents, event_index, start=start, end=end)
    return EvaluationReport(
        start=start,
        end=end,
        every=every,
        budget=rules.budget,
        model=model,
        rule=rule,
        groups=metrics_by_group(model, people),
        budgets=curves,
    )


def evaluate_challenger(compared: ComparedDays, *, settings: Settings) -> EvaluationReport:
    """What the challenger would have warned of on the compared days."""
    return EvaluationReport(
        start=compared.span.start,
        end=compared.span.end,
        every=settings.tick,
        budget=settings.daily_budget,
        model=compared.judged[CHALLENGER],
        rule=compared.judged.get(RULE),
        groups=compared.groups,
    )


def evaluate_published(
    settings: Settings, *, start: datetime, end: datetime, at: datetime
) -> EvaluationReport:
    """What was published from ``start`` to ``end``, by the cases and dispositions known at ``at``.

    Raises ``NotReadyError`` where the lake holds no events of that time.
    """
    tables = source_tables_before(settings, at=at, span=at - start)
    event_index = load_event_index(settings, tables, at=at)
    engine = open_serving_database(settings)
    alerts = alerts_frame(
        [asdict(alert) for alert in recent_alerts(engine, start)], ("person",), ("issued_at",)
    )
    judged = judge_alerts(
        alerts,
        build_episodes(tables.cases, event_index, at=at),
        start=start,
        end=end,
        traces=build_traces(tables.cases, event_index, at=at),
        dispositions=latest_dispositions(read_dispositions(engine), at=at),
    )
    people = assign_groups(tables.residents, event_index, start=start, end=end)
    return EvaluationReport(
        start=start,
        end=end,
        every="",
        budget=settings.daily_budget,
        model=judged,
        groups=metrics_by_group(judged, people),
    )


def write_report(evaluation: EvaluationReport, out: Path) -> Path:
    """Write the report as one HTML page, and say where."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(render_evaluation_report(evaluation), encoding="utf-8")
    return out


def alerts_frame(
    rows: Sequence[dict[str, object]], text_columns: tuple[str, ...], time_columns: tuple[str, ...]
) -> pl.DataFrame:
    """Rows of the serving database as a frame, moments in Shanghai's time."""
    schema = {name: pl.String() for name in text_columns} | {
        name: pl.Datetime("us", ZONE) for name in time_columns
    }
    return pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=schema)
