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
from features.words.catalogue import FEATURES, Feature
from features.words.wording import Language, describe_value
from models.evaluation.drift import Drift
from models.evaluation.explain import Explanation, explain_scores
from models.labels.episodes import build_episodes
from models.labels.sampling import query_points_after_events, query_points_for_everyone
from models.learning.risk import RiskModel
from models.policy.alerting import (
    AlertDecision,
    LastAlert,
    Level,
    Memory,
    PolicyRules,
    alert_level,
    carry_over,
    decide_alerts,
    priority_expression,
)
from models.policy.expected_saving import typical_losses
from models.registry.mlflow_registry import ModelRegistry
from models.registry.model_store import ModelVersion
from pipelines.progress import Progress, no_progress
from pipelines.scoring.alert_timelines import build_alert_timelines
from pipelines.scoring.candidates import policy_rules, score_query_points, select_candidates
from pipelines.scoring.drift import ALERT_HISTORY, measure_drift
from pipelines.scoring.missing_data import find_missing_data
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
from serving.vocabulary.alerts import OTHER, Contribution, Kind, Reason

__all__ = ["ScoreResult", "score"]

TICK = "1m"
MAX_LOOKBACK = timedelta(hours=24)  # how far back an intraday run looks when none ran before it
UNKNOWN_COMMUNITY = "unknown"


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
    alerts = build_alerts(context, decided, rows)
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


def build_alerts(
    context: ScoringContext, decided: Sequence[AlertDecision], rows: pl.DataFrame
) -> tuple[Alert, ...]:
    """The alerts as they are published, in rank order."""
    if not decided:
        return ()
    order = pl.DataFrame({"person": [one.candidate.person for one in decided]})
    chosen = order.join(rows, on="person", maintain_order="left")
    explanations = explain_scores(context.model, chosen)
    types = context.model.predict_scam_type(chosen)
    residents = (
        context.tables.residents.select("person", "community_id", "grid_id")
        .unique("person")
        .collect()
    )
    homes = {row[0]: row[1:] for row in residents.join(order, on="person", how="semi").iter_rows()}
    losses_by_type = typical_losses(
        build_episodes(context.tables.cases, context.event_index, at=context.at)
    )
    suspects = find_lead_suspects(context.event_index, chosen)
    missing = find_missing_data(context.event_index, chosen, at=context.at)
    timelines = build_alert_timelines(
        context.tables,
        context.event_index,
        chosen,
        reputation_model=context.model.reputations,
        at=context.at,
    )
    return tuple(
        Alert(
            person=one.candidate.person,
            rank=rank,
            issued_at=context.at,
            score=one.candidate.score,
            baseline_score=float(row["baseline_score"]),
            level=one.level,
            scam_type=types[rank - 1],
            community_id=homes.get(one.candidate.person, (None, None))[0] or UNKNOWN_COMMUNITY,
            grid_id=homes.get(one.candidate.person, (None, None))[1] or UNKNOWN_COMMUNITY,
            at_stake_cny=losses_by_type.get(types[rank - 1]),
            saving_cny=one.candidate.saving_cny,
            reasons=to_reasons(explanations[rank - 1]),
            contributions=to_contributions(explanations[rank - 1]),
            base_value=explanations[rank - 1].base,
            realert=one.repeat,
            missing=missing[rank - 1],
            age_band=age_band(row["age_years"]),
            suspect_numbers=suspects[0][rank - 1],
            suspect_accounts=suspects[1][rank - 1],
            first_contact_at=timelines[rank - 1].first_contact_at,
            timeline=timelines[rank - 1].events,
            touched=timelines[rank - 1].touched,
        )
        for rank, (one, row) in enumerate(
            zip(decided, chosen.iter_rows(named=True), strict=True), start=1
        )
    )


def to_reasons(explanation: Explanation) -> tuple[Reason, ...]:
    """Reasons as the store keeps them."""
    return tuple(
        Reason(code=one.code, zh=one.zh, en=one.en, contribution=one.contribution)
        for one in explanation.reasons
    )


def to_contributions(explanation: Explanation, *, most: int = 20) -> tuple[Contribution, ...]:
    """The weightiest contributions one by one, and the rest as one, so that they still add up to
    the score.
    """
    parts = explanation.contributions
    by_name = {feature.name: feature for feature in FEATURES}
    names = sorted(parts, key=lambda name: -abs(parts[name]))
    kept = [
        Contribution(
            feature=name,
            value=explanation.values[name],
            contribution=parts[name],
            zh=feature_in_words(by_name, name, explanation.values[name], "zh"),
            en=feature_in_words(by_name, name, explanation.values[name], "en"),
        )
        for name in names[:most]
    ]
    rest = sum(parts[name] for name in names[most:])
    return (
        *kept,
        Contribution(
            feature=OTHER, value=None, contribution=rest, zh="其余各项", en="Everything else"
        ),
    )


def feature_in_words(
    by_name: Mapping[str, Feature], name: str, value: float | None, language: Language
) -> str:
    """A feature with its value in plain words, or its name and that nothing is known."""
    if value is None:
        return f"{name}：未知" if language == "zh" else f"{name}: unknown"
    return describe_value(by_name[name], value, language=language)


def age_band(age_years: float | None) -> str | None:
    """The band that outreach and fairness speak of."""
    if age_years is None:
        return None
    for limit, band in ((18, "0-17"), (30, "18-29"), (45, "30-44"), (60, "45-59")):
        if age_years < limit:
            return band
    return "60+"


def find_lead_suspects(
    event_index: EventIndex, chosen: pl.DataFrame
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Pseudonyms of the number and the account that speak most for each episode."""
    peers = event_index.numbers["peer"].gather(chosen["lead_peer_code"])
    payees = event_index.accounts["payee"].gather(chosen["lead_payee_code"])
    return [(peer,) if peer else () for peer in peers], [
        (payee,) if payee else () for payee in payees
    ]


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
