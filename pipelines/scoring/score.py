"""Scoring: everyone at midnight, or those touched since the last tick, explained, ranked and
published as one list.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl
from sqlalchemy import Engine

from data_contracts.contract import load_contract
from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from features.whom_to_ask import query_points_after_events, query_points_for_everyone
from models.evaluation.drift import Drift
from models.learning.risk import RiskModel
from models.policy.alerting import Level, PolicyRules, alert_level
from models.policy.shortlist import select_candidates
from models.registry.model_store import ModelVersion
from pipelines.cluster.cluster_workers import open_workers
from pipelines.cluster.piece_report import PieceReport
from pipelines.cluster.pieces import Workers
from pipelines.progress import Progress, no_progress
from pipelines.scoring.build_alerts import build_alerts
from pipelines.scoring.drift import ALERT_HISTORY, measure_drift
from pipelines.scoring.late_records import people_of_late_records
from pipelines.scoring.policy_memory import (
    BUDGET_HISTORY,
    log_candidates,
    log_warm_up,
    needs_warm_up,
    restore_policy_run,
)
from pipelines.scoring.score_history import select_history_scores
from pipelines.scoring.scored_people import policy_rules, score_query_points
from pipelines.scoring.shadow import score_in_shadow
from pipelines.scoring.suppression_filter import drop_suppressed
from pipelines.scoring.suspects import list_suspects
from pipelines.settings import Settings
from pipelines.storage.event_store.loading import load_known_records
from pipelines.storage.event_store.parts.locks import Hold, hold_lock
from pipelines.storage.event_store.reference import StoreReference
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.installation.loads import require_loads
from pipelines.storage.installation.models import open_registry
from pipelines.storage.lake import Lake
from pipelines.storage.score_log import LoggedRun, ScoreLog
from serving.database.engine import one_publisher
from serving.feedback import (
    data_version_of_list,
    first_number,
    recent_alerts,
    suppressed_people,
)
from serving.publishing import Alert, Watchlist, publish_suspects, publish_watchlist
from serving.vocabulary.alerts import Kind

__all__ = ["ScoreResult", "score"]

TICK = "1m"
PUBLISHING_LOCK = "publishing.lock"
MAX_LOOKBACK = timedelta(hours=24)  # how far back an intraday run looks when none ran before it


@dataclass(frozen=True, kw_only=True)
class ScoreResult:
    """What was published: the list, who was scored, the model that did it, and at night what has
    moved since then. ``late`` is how many were asked about since a record of theirs was loaded only
    after the run that it should have been part of. ``pieces`` says who computed, where a cluster is
    set.
    """

    at: datetime
    kind: str
    watchlist: int
    scored: int
    alerts: tuple[Alert, ...]
    model_version: str
    drift: Drift | None = None
    late: int = 0
    pieces: PieceReport | None = None


@dataclass(frozen=True, eq=False)
class ScoringContext:
    """What one run works with; ``reference`` opens the same ``event_index`` elsewhere."""

    settings: Settings
    at: datetime
    kind: Kind
    tables: SourceTables
    event_index: EventIndex
    reference: StoreReference | None
    data_version: str
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

    ``nightly`` scores everyone, ``intraday`` those of whom a reason to ask again became known
    since the last run or was loaded too late for it, or just ``people``. Running again for the same
    moment publishes the same list. Where nothing was scored for as long as the policy remembers,
    the ``warm_up_days`` before ``at`` are scored first. Raises ``NotReadyError`` without a champion
    or data.
    """
    rules = policy_rules(settings, budget=budget)
    log = ScoreLog(settings.scores_folder)
    warm_up = timedelta(days=settings.warm_up_days)
    if not needs_warm_up(log, at=at, rules=rules):
        warm_up = timedelta(0)
    context = load_scoring_context(
        settings, at=at, kind=kind, span=MAX_LOOKBACK + warm_up, progress=progress
    )
    with open_workers(
        settings.cluster,
        event_index=context.event_index,
        reference=context.reference,
        progress=progress,
    ) as workers:
        if warm_up:
            log_warm_up(
                log,
                context.event_index,
                context.model,
                suppressed_people(open_serving_database(settings), at),
                at=at,
                settings=settings,
                rules=rules,
                workers=workers,
                progress=progress,
            )
        since, late = log.latest_run(before=at), 0
        moments = query_points_to_score(context, people=people, since=since)
        if kind == "intraday" and people is None:
            moments, late = with_late_people(context, moments, since=since)
        result = score_moments(
            context, moments, log=log, rules=rules, workers=workers, progress=progress
        )
        return replace(result, late=late, pieces=workers.report())


def score_moments(
    context: ScoringContext,
    moments: pl.DataFrame,
    *,
    log: ScoreLog,
    rules: PolicyRules,
    workers: Workers,
    progress: Progress,
) -> ScoreResult:
    """Score ``moments``, publish who of them is alerted, and let the challenger score them too."""
    settings, at, kind = context.settings, context.at, context.kind
    engine = open_serving_database(settings)
    suppressed = suppressed_people(engine, at)
    progress(f"scoring {len(moments):,} people")
    rows = score_query_points(
        context.event_index,
        context.model,
        moments,
        effect=settings.intervention_effect,
        workers=workers,
        progress=progress,
    )
    chosen = drop_suppressed(rows, suppressed, at=at, rules=rules)
    with (
        hold_lock(settings.home / PUBLISHING_LOCK, Hold.ALONE),
        one_publisher(engine),
    ):
        number, alerts = decide_and_publish(
            engine,
            context,
            rows=rows,
            chosen=chosen,
            log=log,
            rules=rules,
            workers=workers,
            progress=progress,
        )
    score_in_shadow(
        settings,
        chosen,
        context.event_index,
        at=at,
        kind=kind,
        workers=workers,
        progress=progress,
    )
    earlier = [alert for alert in recent_alerts(engine, at - ALERT_HISTORY) if alert.at < at]
    return ScoreResult(
        at=at,
        kind=kind,
        watchlist=number,
        scored=len(rows),
        alerts=alerts,
        model_version=context.version.version,
        drift=measure_drift(context.model, context.event_index, alerts=earlier, at=at)
        if kind == "nightly"
        else None,
    )


def decide_and_publish(
    engine: Engine,
    context: ScoringContext,
    *,
    rows: pl.DataFrame,
    chosen: pl.DataFrame,
    log: ScoreLog,
    rules: PolicyRules,
    workers: Workers,
    progress: Progress,
) -> tuple[int, tuple[Alert, ...]]:
    """Choose who is alerted among the ``chosen`` of the scored ``rows``, by what was published
    until now, and publish; return the number of the list and its alerts.

    One process at a time: what another publishes meanwhile would not be known to the policy.
    """
    at, kind = context.at, context.kind
    published = recent_alerts(engine, at - BUDGET_HISTORY - rules.cool_down)
    policy = restore_policy_run(
        log,
        published,
        current=LoggedRun(at, kind),
        rules=rules,
        number=first_number(engine, at=at, kind=kind),
    )
    decided = policy.decide_tick(chosen, at=at)
    progress(f"explaining {len(decided)} alerts")
    alerts = build_alerts(
        decided,
        tables=context.tables,
        event_index=context.event_index,
        model=context.model,
        at=at,
    )
    back = max(rules.cool_down, timedelta(days=rules.memory_days))
    recent = {alert.person for alert in recent_alerts(engine, at - back) if alert.at < at}
    alerted = recent | {alert.person for alert in alerts}
    scores = select_history_scores(rows, alerted=alerted, nightly=kind == "nightly")
    number = publish_scored_alerts(
        engine, context, alerts=alerts, scores=scores, scored=len(rows), budget=rules.budget
    )
    log_candidates(log, chosen, at=at, kind=kind, rules=rules)
    if kind == "nightly":
        fresh = recent_alerts(engine, at - rules.cool_down)
        publish_suspects(
            engine,
            at=at,
            suspects=list_suspects(
                context.event_index,
                context.model.reputations,
                at=at,
                alerts=fresh,
                workers=workers,
            ),
        )
    return number, alerts


def load_scoring_context(
    settings: Settings,
    *,
    at: datetime,
    kind: Kind,
    span: timedelta = MAX_LOOKBACK,
    progress: Progress,
) -> ScoringContext:
    """The champion, and the event index for moments of the ``span`` before ``at``.

    Raises ``LakeError`` where the lake or its ledger is gone.
    """
    require_loads(settings)
    registry = open_registry(settings)
    registry.require_champion()  # before minutes are spent on the store
    # A model takes seconds to load, LightGBM with it: as long as a tick takes to add its events.
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(registry.load_in_force)
        known = load_known_records(settings, at=at, span=span, progress=progress)
    version, model = loading.result()
    return ScoringContext(
        settings=settings,
        at=at,
        kind=kind,
        tables=known.tables,
        event_index=known.event_index,
        reference=known.reference,
        data_version=known.data_version,
        model=model,
        version=version,
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


def with_late_people(
    context: ScoringContext, moments: pl.DataFrame, *, since: datetime | None
) -> tuple[pl.DataFrame, int]:
    """``moments`` with those people whose records missed the last run, and how many these are."""
    at = context.at
    engine = open_serving_database(context.settings)
    known_to = data_version_of_list(engine, at=since) if since else None
    if since is None or known_to is None:
        return moments, 0
    late = people_of_late_records(
        Lake.of(context.settings).at_version(context.data_version),
        context.tables,
        known_to=known_to,
        start=at - MAX_LOOKBACK,
        end=since,
    )
    everybody = query_points_for_everyone(context.event_index, at=at)
    is_late = pl.col("person").is_in(late.implode())
    is_touched = pl.col("person").is_in(moments["person"].implode())
    return everybody.filter(is_late | is_touched), len(everybody.filter(is_late))


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
            data_version=context.data_version,
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
