"""Champion against challenger: over the same days, at the same ticks, by the same policy under the
same budget.

The days must be over for a while. A case is known only once it is reported, hours to weeks after
the fraud, so of the last few days most victims look like anybody else, and an alert on one of them
would count as a false alarm. Days are compared ``training.maturity_days`` after they ended. What is
not reported by then counts as quiet, for both alike.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from models.evaluation.alert_metrics import (
    AlertMetrics,
    JudgedAlerts,
    compute_metrics,
    judge_alerts,
)
from models.evaluation.comparison import Comparison
from models.evaluation.fairness import assign_groups, gap_metrics, metrics_by_group
from models.labels.episodes import build_episodes, build_traces
from models.labels.sampling import query_points_after_events
from models.learning.risk import RiskModel
from models.policy.alerting import Memory, PolicyRules
from models.policy.alerting import decide_alerts as pick
from models.registry.promotion_gates import Gates, PromotionDecision, decide_promotion
from pipelines.progress import Progress, no_progress
from pipelines.scoring.candidates import (
    group_by_tick,
    policy_rules,
    score_query_points,
    select_candidates,
)
from pipelines.settings import Settings
from pipelines.training.dispositions import load_disposition_labels

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "RULE",
    "WARM_UP",
    "ComparedDays",
    "KnownEpisodes",
    "Span",
    "compare_models",
    "compare_scores",
    "find_known_episodes",
    "latest_matured_span",
]

CHALLENGER, CHAMPION, RULE = "challenger", "champion", "rule"
KNEW = "the champion learned from these days, so its figures are those of its own training"
WARM_UP = timedelta(
    days=2
)  # days before the first, so that the policy knows what an ordinary day is like
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days from ``start`` up to ``end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedDays:
    """What challenger, champion and rule would have alerted in ``span``, judged and measured.

    ``judged`` are the alerts that the ``figures`` count, by scorer; ``groups`` are the challenger's
    figures by group (``models.evaluation.fairness.metrics_by_group``), ``gaps`` what the gates ask
    of them. A champion that learned from days of the span would look better than it is. It is not
    among the ``figures`` then: ``recorded`` are those of its own training, when a model like it
    knew nothing of the days on which it was judged.
    """

    span: Span
    figures: Comparison
    judged: Mapping[str, JudgedAlerts]
    groups: pl.DataFrame
    gaps: Mapping[str, float]
    recorded: AlertMetrics | None = None

    def to_metrics(self) -> dict[str, float]:
        """Return the figures and gaps as metrics of the challenger."""
        return {**self.gaps, **self.figures.to_metrics()}

    def decide(self, metrics: Mapping[str, float], *, gates: Gates) -> PromotionDecision:
        """Ask the gates about the challenger; ``metrics`` are what else was measured of it."""
        decision = decide_promotion(
            self.figures, metrics={**metrics, **self.gaps}, champion=self.recorded, gates=gates
        )
        notes = (KNEW,) if self.recorded is not None else ()
        return replace(decision, reasons=(*decision.reasons, *notes))


@dataclass(frozen=True, eq=False)
class KnownEpisodes:
    """What is known of the frauds by now: ``build_episodes`` and ``build_traces`` of
    ``models.labels.episodes``, and who people are.
    """

    episodes: pl.DataFrame
    traces: pl.DataFrame
    people: pl.DataFrame


@dataclass(eq=False)
class Trial:
    """The policy run over one scorer's rows, tick by tick."""

    rules: PolicyRules
    start: datetime
    memory: Memory = field(default_factory=Memory)
    alerts: list[tuple[str, datetime]] = field(default_factory=list)

    def see(self, rows: pl.DataFrame, *, column: str) -> None:
        """Decide on ``rows`` of one or more ticks; those before ``start`` only tell what is
        ordinary.
        """
        for tick, group in group_by_tick(rows):
            chosen = pick(
                select_candidates(group, column=column, rules=self.rules),
                memory=self.memory,
                at=tick,
                rules=self.rules,
            )
            if tick < self.start:
                self.memory.issued.clear()  # nobody was told
            else:
                self.alerts += [(one.candidate.person, tick) for one in chosen if not one.repeat]

    def judged(self, span: Span, known_episodes: KnownEpisodes) -> JudgedAlerts:
        """The alerts, held against what is known by now."""
        schema = {"person": pl.String(), "issued_at": known_episodes.episodes.schema["opened_at"]}
        alerts = pl.DataFrame(self.alerts, schema=schema, orient="row")
        return judge_alerts(
            alerts,
            known_episodes.episodes,
            start=span.start,
            end=span.end,
            traces=known_episodes.traces,
        )


def latest_matured_span(settings: Settings, *, at: datetime) -> Span:
    """The latest days whose frauds were mostly reported by ``at``."""
    end = at - timedelta(days=settings.training.maturity_days)
    return Span(end - timedelta(days=settings.training.judged_days), end)


def find_known_episodes(
    settings: Settings, event_index: EventIndex, tables: SourceTables, *, span: Span, at: datetime
) -> KnownEpisodes:
    """What cases and dispositions known before ``at`` say of the days of ``span``.

    A fraud that an alert stopped is a fraud: without the dispositions, whoever warns well would
    look worse for it.
    """
    reported = build_episodes(tables.cases, event_index, at=at)
    confirmed = load_disposition_labels(settings, reported, at=at).episodes
    return KnownEpisodes(
        episodes=pl.concat([reported, confirmed.select(reported.columns)]).sort(
            "opened_at", "case_id"
        ),
        traces=build_traces(tables.cases, event_index, at=at),
        people=assign_groups(tables.residents, event_index, start=span.start, end=span.end),
    )


def compare_models(
    event_index: EventIndex,
    models: Mapping[str, RiskModel],
    *,
    span: Span,
    known_episodes: KnownEpisodes,
    settings: Settings,
    recorded: AlertMetrics | None = None,
    progress: Progress = no_progress,
) -> ComparedDays:
    """Let ``models``, ``challenger`` and perhaps ``champion``, score the days of ``span`` anew.

    Neither may have learned from them; of a champion that has, give what was ``recorded``.
    """
    rules = policy_rules(settings)
    trials = {scorer: Trial(rules, span.start) for scorer in (*models, RULE)}
    for moments in days(event_index, span, every=settings.training.judged_every):
        for scorer, model in models.items():
            rows = score_query_points(
                event_index, model, moments, effect=settings.intervention_effect
            )
            trials[scorer].see(rows, column="score")
            if scorer == CHALLENGER:
                trials[RULE].see(rows, column="baseline_score")
        progress("compared one more day")
    return replace(measured(trials, span=span, known_episodes=known_episodes), recorded=recorded)


def compare_scores(
    ticks: Iterable[pl.DataFrame],
    *,
    columns: Mapping[str, str],
    span: Span,
    known_episodes: KnownEpisodes,
    settings: Settings,
) -> ComparedDays:
    """The same from scores that were kept as they were made, when no model could know the days to
    come.

    ``ticks`` come in order, ``columns`` names the column of each scorer.
    """
    trials = {scorer: Trial(policy_rules(settings), span.start) for scorer in columns}
    for rows in ticks:
        for scorer, column in columns.items():
            trials[scorer].see(rows, column=column)
    return measured(trials, span=span, known_episodes=known_episodes)


def measured(
    trials: Mapping[str, Trial], *, span: Span, known_episodes: KnownEpisodes
) -> ComparedDays:
    """Measure what each trial came to."""
    judged = {scorer: trial.judged(span, known_episodes) for scorer, trial in trials.items()}
    groups = metrics_by_group(judged[CHALLENGER], known_episodes.people)
    return ComparedDays(
        span=span,
        figures=Comparison(**{scorer: compute_metrics(found) for scorer, found in judged.items()}),
        judged=judged,
        groups=groups,
        gaps=gap_metrics(groups),
    )


def days(event_index: EventIndex, span: Span, *, every: str) -> Iterator[pl.DataFrame]:
    """``person``, ``at``: the ticks at which somebody was touched, a day at a time, from the
    warm-up on.
    """
    start = span.start - WARM_UP
    while start < span.end:
        yield query_points_after_events(
            event_index, start=start, end=min(start + DAY, span.end), every=every
        )
        start += DAY
