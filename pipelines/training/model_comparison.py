"""Champion against challenger: over the same days, at the same ticks, by the same policy under the
same budget.

The days must be over for a while. A case is known only once it is reported, hours to weeks after
the fraud, so of the last few days most victims look like anybody else, and an alert on one of them
would count as a false alarm. Days are compared ``training.maturity_days`` after they ended. What is
not reported by then counts as quiet, for both alike.

Of a large district a part of the residents is asked about (``models.policy.stand_ins``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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
from models.evaluation.budget_curve import BudgetOutlook, keep_for_budgets, measure_outlook
from models.evaluation.comparison import Comparison
from models.evaluation.fairness import assign_groups, gap_metrics, metrics_by_group
from models.labels.episodes import build_episodes, build_traces
from models.labels.sampling import concat_people
from models.learning.risk import RiskModel
from models.policy.policy_run import PolicyRun
from models.policy.shortlist import BASELINE_COLUMN, count_candidates, keep_candidates
from models.policy.stand_ins import ComparedPeople, draw_compared_people, without_stand_ins
from models.policy.ticks import query_points_by_day
from models.registry.promotion_gates import Gates, PromotionDecision, decide_promotion
from pipelines.cluster.pieces import THIS_MACHINE, Workers
from pipelines.progress import Progress, no_progress
from pipelines.scoring.scored_people import policy_rules, score_with_models
from pipelines.settings import Settings
from pipelines.training.dispositions import load_disposition_labels

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "RULE",
    "ComparedDays",
    "KnownEpisodes",
    "Span",
    "compare_models",
    "compare_scores",
    "find_known_episodes",
    "latest_matured_span",
]

CHALLENGER, CHAMPION, RULE = "challenger", "champion", "rule"
PART = "one resident in {times} was asked about, and everybody in a case or disposition"
KNEW = "the champion learned from these days, so its figures are those of its own training"


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
    of them; ``outlook`` is what the challenger makes of the budget, None where only kept scores
    were compared. A champion that learned from days of the span would look better than it is. It is
    not among the ``figures`` then: ``recorded`` are those of its own training, when a model like it
    knew nothing of the days on which it was judged. ``one_in`` says that one resident in so many
    was asked about; the figures are said of all.
    """

    span: Span
    figures: Comparison
    judged: Mapping[str, JudgedAlerts]
    groups: pl.DataFrame
    gaps: Mapping[str, float]
    recorded: AlertMetrics | None = None
    outlook: BudgetOutlook | None = None
    one_in: int = 1

    def to_metrics(self) -> dict[str, float]:
        """Return the figures and gaps as metrics of the challenger."""
        part = {"compared_one_in": float(self.one_in)} if self.one_in > 1 else {}
        return {**part, **self.gaps, **self.figures.to_metrics()}

    def decide(self, metrics: Mapping[str, float], *, gates: Gates) -> PromotionDecision:
        """Ask the gates about the challenger; ``metrics`` are what else was measured of it."""
        decision = decide_promotion(
            self.figures, metrics={**metrics, **self.gaps}, champion=self.recorded, gates=gates
        )
        notes = (
            *([KNEW] if self.recorded is not None else []),
            *([PART.format(times=self.one_in)] if self.one_in > 1 else []),
        )
        return replace(decision, reasons=(*decision.reasons, *notes))


@dataclass(frozen=True, eq=False)
class KnownEpisodes:
    """What is known of the frauds by now: ``build_episodes`` and ``build_traces`` of
    ``models.labels.episodes``, who people are, and whom cases and dispositions name.
    """

    episodes: pl.DataFrame
    traces: pl.DataFrame
    people: pl.DataFrame
    named: pl.Series


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
    labels = load_disposition_labels(settings, reported, at=at)
    confirmed = labels.episodes
    return KnownEpisodes(
        episodes=pl.concat([reported, confirmed.select(reported.columns)]).sort(
            "opened_at", "case_id"
        ),
        traces=build_traces(tables.cases, event_index, at=at),
        people=assign_groups(tables.residents, event_index, start=span.start, end=span.end),
        named=concat_people(reported, confirmed, labels.lawful, labels.unclear),
    )


def compare_models(
    event_index: EventIndex,
    models: Mapping[str, RiskModel],
    *,
    span: Span,
    known_episodes: KnownEpisodes,
    settings: Settings,
    recorded: AlertMetrics | None = None,
    seed: int = 0,
    workers: Workers = THIS_MACHINE,
    progress: Progress = no_progress,
) -> ComparedDays:
    """Let ``models``, ``challenger`` and perhaps ``champion``, score the days of ``span`` anew.

    Neither may have learned from them; of a champion that has, give what was ``recorded``. In a
    large district ``seed`` draws who is asked about. ``workers`` compute the scores.
    """
    runs = start_runs((*models, RULE), span=span, settings=settings)
    start, rules = span.start - timedelta(days=settings.warm_up_days), policy_rules(settings)
    compared = draw_compared_people(
        event_index, named=known_episodes.named, span=span.end - start, seed=seed
    )
    kept = []
    for day, points in query_points_by_day(
        event_index, start=start, end=span.end, tick=settings.tick, owner=compared.codes
    ):
        scored = score_with_models(
            event_index, models, points, effect=settings.intervention_effect, workers=workers
        )
        for scorer, rows in scored.items():
            decide_for_all(runs[scorer], rows, compared)
            if scorer == CHALLENGER:
                decide_for_all(runs[RULE], rows, compared)
                best = compared.with_stand_ins(keep_for_budgets(rows, rules=rules))
                kept.append(keep_for_budgets(best, rules=rules))
        progress(f"compared {day:%Y-%m-%d}")
    outlook = measure_outlook(
        pl.concat(kept),
        known_episodes.episodes,
        rules=rules,
        start=span.start,
        end=span.end,
        residents=event_index.people["person"].count(),
        traces=known_episodes.traces,
    )
    measured = measure_runs(runs, span=span, known_episodes=known_episodes)
    return replace(measured, recorded=recorded, outlook=outlook, one_in=compared.times)


def decide_for_all(run: PolicyRun, rows: pl.DataFrame, compared: ComparedPeople) -> None:
    """Bring ``run`` forward over the scored ``rows``, with all for whom the people stand."""
    if compared.times > 1:
        best = keep_candidates(rows, column=run.column, most=count_candidates(run.rules))
        rows = compared.with_stand_ins(best)
    run.decide_rows(rows)


def compare_scores(
    ticks: Iterable[Mapping[str, pl.DataFrame]],
    *,
    scorers: Iterable[str],
    span: Span,
    known_episodes: KnownEpisodes,
    settings: Settings,
) -> ComparedDays:
    """The same from scores that were kept as they were made, when no model could know the days to
    come.

    ``ticks`` come in order, those of the warm-up first; each holds the rows of every one of the
    ``scorers``, with the columns that a ``PolicyRun`` reads.
    """
    runs = start_runs(scorers, span=span, settings=settings)
    for rows_by_scorer in ticks:
        for scorer, run in runs.items():
            run.decide_rows(rows_by_scorer[scorer])
    return measure_runs(runs, span=span, known_episodes=known_episodes)


def start_runs(scorers: Iterable[str], *, span: Span, settings: Settings) -> dict[str, PolicyRun]:
    """The policy for each scorer; it alerts from the start of ``span`` on."""
    rules = policy_rules(settings)
    return {
        scorer: PolicyRun(rules, span.start, column=BASELINE_COLUMN if scorer == RULE else "score")
        for scorer in scorers
    }


def measure_runs(
    runs: Mapping[str, PolicyRun], *, span: Span, known_episodes: KnownEpisodes
) -> ComparedDays:
    """Measure what each scorer's alerts came to, by what is known by now."""
    judged = {}
    for scorer, run in runs.items():
        found = judge_alerts(
            run.first_alerts,
            known_episodes.episodes,
            start=span.start,
            end=span.end,
            traces=known_episodes.traces,
        )
        judged[scorer] = replace(found, alerts=without_stand_ins(found.alerts))
    groups = metrics_by_group(judged[CHALLENGER], known_episodes.people)
    return ComparedDays(
        span=span,
        figures=Comparison(**{scorer: compute_metrics(found) for scorer, found in judged.items()}),
        judged=judged,
        groups=groups,
        gaps=gap_metrics(groups),
    )
