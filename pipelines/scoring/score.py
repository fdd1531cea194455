"""Scoring: everyone at midnight, or those touched since the last tick, explained, ranked and
published as one list.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from sqlalchemy import Engine

from data_contracts.contract import load_contract
from data_contracts.errors import NotReadyError
from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from models.evaluation.drift import Drift
from models.labels.sampling import query_points_after_events, query_points_for_everyone
from models.learning.risk import RiskModel
from models.policy.alerting import (
    LastAlert,
    Level,
    Memory,
    PolicyRules,
    alert_level,
    carry_over,
    decide_alerts,
    priority_expression,
)
from models.registry.mlflow_registry import ModelRegistry
from models.registry.model_store import ModelVersion
from pipelines.progress import Progress, no_progress
from pipelines.scoring.build_alerts import build_alerts
from pipelines.scoring.candidates import policy_rules, score_query_points, select_candidates
from pipelines.scoring.drift import ALERT_HISTORY, measure_drift
from pipelines.scoring.score_history import select_history_scores
from pipelines.scoring.shadow import score_in_shadow
from pipelines.scoring.suppression_filter import drop_suppressed
from pipelines.scoring.suspects import list_suspects
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.lake import Lake
from pipelines.storage.score_log import ScoreLog
from serving.database.engine import open_database
from serving.feedback import RecentAlert, recent_alerts, suppressed_people
from serving.publishing import Alert, Watchlist, publish_suspects, publish_watchlist
from serving.vocabulary.alerts import Kind

__all__ = ["ScoreResult", "score"]

TICK = "1m"
MAX_LOOKBACK = timedelta(hours=24)  # how far back an intraday run looks when none ran before it


@dataclass(frozen=True, kw_only=True)
class ScoreResult:
    """What was published: the list, who was scored, the model that did it, and at night what has
    moved since then.
    """

    at: datetime
    kind: str
    watchlist: int
    scored: int
    alerts: tuple[Alert, ...]
    model_version: str
    drift: Drift | None = None


@dataclass(frozen=True, eq=False)
class ScoringContext:
    """What one run works with."""

    settings: Settings
    at: datetime
    kind: Kind
    tables: SourceTables
    event_index: EventIndex
    model: RiskModel
    version: ModelVersion


def score(
    settings: Settings,
    *,
    at: datetime,
    kind: Kind = "nightly",
    people: Sequence[str] | None = None,
    budget: int | None = None,
    progress: Progress = no_progress,
) -> ScoreResult:
    """Score people as of ``at`` with the champion and publish the alerts in one transaction.

    ``nightly`` scores everyone, ``intraday`` those whose records changed since the last run, or
    just ``people``. Running again for the same moment publishes the same list. Raises
    ``NotReadyError`` without a champion or data.
    """
    context = load_scoring_context(settings, at=at, kind=kind, progress=progress)
    log = ScoreLog(settings.scores_folder)
    moments = query_points_to_score(context, people=people, since=log.latest_run(before=at))
    progress(f"scoring {len(moments)} people")
    rows = score_query_points(
        context.event_index, context.model, moments, effect=settings.intervention_effect
    )
    engine = open_database(settings.serving_database_url)
    rules = policy_rules(settings, budget=budget)
    back = max(rules.cool_down, timedelta(days=rules.memory_days))
    recent = [alert for alert in recent_alerts(engine, at - back) if alert.at < at]
    memory = restore_policy_memory(recent, log=log, at=at, rules=rules)
    chosen = drop_suppressed(rows, suppressed_people(engine, at), at=at, rules=rules)
    decided = decide_alerts(
        select_candidates(chosen, column="score", rules=rules), memory=memory, at=at, rules=rules
    )
    progress(f"explaining {len(decided)} alerts")
    alerts = build_alerts(
        decided,
        rows,
        tables=context.tables,
        event_index=context.event_index,
        model=context.model,
        at=at,
    )
    alerted = {alert.person for alert in recent} | {alert.person for alert in alerts}
    scores = select_history_scores(rows, alerted=alerted, nightly=kind == "nightly")
    number = publish_scored_alerts(
        engine, context, alerts=alerts, scores=scores, scored=len(rows), budget=rules.budget
    )
    log.write(rows, at=at, kind=kind)
    if kind == "nightly":
        fresh = recent_alerts(engine, at - rules.cool_down)
        publish_suspects(
            engine,
            at=at,
            suspects=list_suspects(
                context.event_index, context.model.reputations, at=at, alerts=fresh
            ),
        )
    score_in_shadow(settings, rows, context.event_index, at=at, kind=kind, progress=progress)
    earlier = [alert for alert in recent_alerts(engine, at - ALERT_HISTORY) if alert.at < at]
    return ScoreResult(
        at=at,
        kind=kind,
        watchlist=number,
        scored=len(rows),
        alerts=alerts,
        model_version=context.version.version,
        drift=measure_drift(context.model, rows, alerts=earlier, at=at)
        if kind == "nightly"
        else None,
    )


def load_scoring_context(
    settings: Settings, *, at: datetime, kind: Kind, progress: Progress
) -> ScoringContext:
    """The champion and the event index as of ``at``."""
    registry = ModelRegistry.of(settings)
    version = registry.champion()
    if version is None:
        raise NotReadyError("there is no champion", remedy="Run `forestall train` first.")
    progress("building the event index")
    tables = source_tables_before(settings, at=at, span=MAX_LOOKBACK)
    return ScoringContext(
        settings, at, kind, tables, build_event_index(tables), registry.load(version), version
    )


def query_points_to_score(
    context: ScoringContext, *, people: Sequence[str] | None, since: datetime | None
) -> pl.DataFrame:
    """``person``, ``at``: who is scored."""
    all_people = query_points_for_everyone(context.event_index, at=context.at)
    if people is not None:
        return all_people.filter(pl.col("person").is_in(list(people)))
    if context.kind == "nightly":
        return all_people
    start = max(since or context.at - MAX_LOOKBACK, context.at - MAX_LOOKBACK)
    touched = query_points_after_events(
        context.event_index, start=start, end=context.at, every=TICK
    )
    return all_people.join(touched.select("person").unique(), on="person", how="semi")


def restore_policy_memory(
    recent: Sequence[RecentAlert], *, log: ScoreLog, at: datetime, rules: PolicyRules
) -> Memory:
    """The policy's memory, from what was published and what was scored before ``at``."""
    memory, used = Memory(), Counter[date]()
    for day in log.best_by_day(
        priority_expression(rules=rules), before=at, days=rules.memory_days, most=10 * rules.budget
    ):
        memory.past_priorities.append(day)
    for alert in sorted(recent, key=lambda one: one.issued_at):
        issued_at = alert.issued_at.astimezone(at.tzinfo)
        earlier = memory.issued.get(alert.person)
        fresh = earlier is None or issued_at - earlier.warned_at >= rules.cool_down
        warned_at = issued_at if fresh or earlier is None else earlier.warned_at
        memory.issued[alert.person] = LastAlert(issued_at, warned_at)
        used[issued_at.date()] += fresh
    memory.day, memory.used = at.date(), used[at.date()]
    first = min(used, default=memory.day)
    past_days = [first + timedelta(days=day) for day in range((memory.day - first).days)]
    memory.carried_over = carry_over(0, used=[used[day] for day in past_days], rules=rules)
    return memory


def publish_scored_alerts(
    engine: Engine,
    context: ScoringContext,
    *,
    alerts: tuple[Alert, ...],
    scores: Mapping[str, float],
    scored: int,
    budget: int,
) -> int:
    """One transaction: the list with the versions it can be made again from."""
    return publish_watchlist(
        engine,
        Watchlist(
            at=context.at,
            kind=context.kind,
            model_version=context.version.version,
            model_digest=context.version.digest,
            data_version=Lake(context.settings.lake_folder).version(),
            contract_version=load_contract("watchlist").version,
            budget=budget,
            residents_scored=scored,
            alerts=alerts,
            scores=scores,
        ),
    )


def score_and_level(context: ScoringContext, rows: pl.DataFrame) -> tuple[float, Level]:
    """Probability and level of the only row."""
    rules = policy_rules(context.settings)
    (candidate,) = select_candidates(rows, column="score", rules=rules)
    return candidate.score, alert_level(candidate, rules=rules)
