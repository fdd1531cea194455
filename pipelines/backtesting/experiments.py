"""Experiments: what each clock, each part of the inputs and each policy brings, on one window and
one budget.

The event index is built once and every model is fitted once, on what was known before the window.
Each clock is then walked once: the snapshot of a day's query points is built once, scored by every
model, and handed to every *variant*, one way to decide.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from data_contracts.errors import SettingsError
from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from models.evaluation.alert_metrics import JudgedAlerts, compute_metrics, judge_alerts
from models.evaluation.true_episodes import judge_by_truth
from models.evaluation.true_rate.composition import compose_changes, compose_true_rate
from models.labels.episodes import build_episodes, build_traces
from models.learning.risk import RiskModel
from models.policy.policy_run import PolicyRun
from models.policy.ticks import parse_tick, query_points_by_day
from pipelines.backtesting.compared_models import fit_compared_models
from pipelines.backtesting.levers import LEVERS
from pipelines.backtesting.truth import read_truth
from pipelines.backtesting.variants import (
    ABLATIONS,
    CLOCKS,
    FULL,
    MODEL,
    RULE,
    Variant,
    ablation_variants,
    clock_variants,
    column_of,
    lever_variants,
    policy_variants,
)
from pipelines.backtesting.window import check_window
from pipelines.progress import Progress, no_progress
from pipelines.scoring.scored_people import policy_rules, score_with_models
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.event_store.loading import load_event_index
from pipelines.storage.lake_schemas import MOMENT
from pipelines.training.learn import (
    TRAINING_HISTORY,
)

# Of a day's moments so many of the likeliest tell what the model gives at the true rate: there few
# of 10,000 residents are alerted in a day, and each is asked about less than four times.
LIKELIEST_SHARE, LEAST_LIKELY = 0.02, 1_000
LEVER_BUDGETS = (23, 85)
NO_SCORES = pl.DataFrame(schema={"person": pl.String, "issued_at": MOMENT, "score": pl.Float64})

__all__ = ["Experiments", "VariantResult", "result_rows", "run_experiments"]


@dataclass(frozen=True, eq=False)
class VariantResult:
    """What came of a variant, by the reported cases and, in a simulated district, by the truth."""

    variant: Variant
    by_cases: JudgedAlerts
    by_truth: JudgedAlerts | None = None


@dataclass(frozen=True, eq=False)
class Experiments:
    """The results in the order of the tables, and the models by the column of their score."""

    start: datetime
    end: datetime
    budget: int
    every: str
    results: tuple[VariantResult, ...]
    models: Mapping[str, RiskModel]
    # Of a simulated district, as ``models.evaluation.true_rate.composition`` has them.
    at_true_rate: pl.DataFrame | None = None
    levers_at_true_rate: pl.DataFrame | None = None

    def of(self, table: str) -> tuple[VariantResult, ...]:
        """The results of one table."""
        return tuple(result for result in self.results if result.variant.table == table)


@dataclass(frozen=True, eq=False)
class VariantRun:
    """A variant on its way."""

    variant: Variant
    run: PolicyRun

    @property
    def alerts(self) -> pl.DataFrame:
        """All alerts so far but repeats, in order of time, with whom texts would have reached."""
        return pl.concat([self.run.first_alerts, self.run.texts]).sort("issued_at")


def start_variant(variant: Variant, *, start: datetime) -> VariantRun:
    """The policy of ``variant``, which alerts from ``start`` on; every model's score is read from
    the same column of its own rows.
    """
    column = RULE if variant.is_rule else MODEL
    return VariantRun(variant, PolicyRun(variant.rules, start, column=column))


def run_experiments(
    settings: Settings,
    *,
    start: datetime,
    end: datetime,
    budget: int,
    every: str | None = None,
    clocks: Sequence[str] = CLOCKS,
    ablations: Sequence[str] = ABLATIONS,
    levers: Sequence[str] = (),
    policies: bool = True,
    truth: Path | None = None,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Experiments:
    """Compare clocks, ablations, levers and policies from ``start`` to ``end`` at ``budget`` alerts
    a day.

    Ablations, levers and policies are compared at the clock ``every``, by default the ``tick`` of
    the settings. ``truth`` is the file of that name in a simulated landing folder. Raises
    ``SettingsError`` for a clock, an ablation or a lever that does not exist.
    """
    every = every or settings.tick
    check(start=start, end=end, clocks=(every, *clocks), ablations=ablations, levers=levers)
    known_truth = read_truth(truth, settings=settings) if truth else None
    tables = source_tables_before(settings, at=end, span=(end - start) + TRAINING_HISTORY)
    event_index = load_event_index(settings, tables, at=end, progress=progress)
    models = fit_compared_models(
        event_index,
        tables,
        settings=settings,
        at=start,
        ablations=ablations,
        levers=levers,
        seed=seed,
        progress=progress,
    )
    rules = policy_rules(settings, budget=budget)
    variants = (
        *clock_variants(clocks, rules=rules),
        *ablation_variants(ablations, models, every=every, rules=rules),
        *lever_variants(levers, every=every, rules=rules),
        *(policy_variants(every=every, rules=rules) if policies else ()),
    )
    variant_runs = [start_variant(variant, start=start) for variant in variants]
    finest = min((variant.every for variant in variants), key=parse_tick, default=every)
    scores = LikeliestScores()
    for clock in sorted({variant.every for variant in variants}, key=parse_tick, reverse=True):
        together = [one for one in variant_runs if one.variant.every == clock]
        run_variants(
            event_index,
            models,
            together,
            start=start,
            end=end,
            every=clock,
            settings=settings,
            take_scores=scores.take
            if known_truth is not None and clock in {finest, every if levers else finest}
            else None,
            progress=progress,
        )
    episodes, traces = (
        build_episodes(tables.cases, event_index, at=end),
        build_traces(tables.cases, event_index, at=end),
    )
    results = tuple(
        VariantResult(
            variant=one.variant,
            by_cases=judge_alerts(one.alerts, episodes, start=start, end=end, traces=traces),
            by_truth=judge_by_truth(one.alerts, known_truth, start=start, end=end)
            if known_truth is not None
            else None,
        )
        for one in variant_runs
    )
    at_true_rate = levers_at_true_rate = None
    if known_truth is not None:
        people = count_people(tables)
        full = scores.of(MODEL, clock=finest)
        at_true_rate = composed(
            lambda: compose_true_rate(
                full, known_truth, start=start, end=end, people=people, seed=seed
            ),
            what="the true rate",
            progress=progress,
        )
        if levers:
            named = {name: scores.of(column_of(name), clock=every) for name in (FULL, *levers)}
            levers_at_true_rate = composed(
                lambda: compose_changes(
                    named,
                    known_truth,
                    start=start,
                    end=end,
                    people=people,
                    budgets=LEVER_BUDGETS,
                    seed=seed,
                ),
                what="what levers bring at the true rate",
                progress=progress,
            )
    return Experiments(
        start=start,
        end=end,
        budget=budget,
        every=every,
        results=results,
        models=models,
        at_true_rate=at_true_rate,
        levers_at_true_rate=levers_at_true_rate,
    )


@dataclass(frozen=True, eq=False)
class LikeliestScores:
    """Of each day's moments those that a model scores highest, by clock and column."""

    kept: dict[tuple[str, str], list[pl.DataFrame]] = field(default_factory=dict)

    def take(self, rows: pl.DataFrame, *, clock: str, column: str) -> None:
        """Keep the likeliest of a day's scored ``rows``."""
        most = max(LEAST_LIKELY, int(LIKELIEST_SHARE * len(rows)))
        best = rows.top_k(most, by=MODEL).select("person", issued_at="at", score=MODEL)
        self.kept.setdefault((clock, column), []).append(best)

    def of(self, column: str, *, clock: str) -> pl.DataFrame:
        """``person``, ``issued_at`` and ``score`` of all days."""
        return pl.concat([NO_SCORES, *self.kept.get((clock, column), [])])


def composed(
    compose: Callable[[], pl.DataFrame], *, what: str, progress: Progress
) -> pl.DataFrame | None:
    """What ``compose`` gives at the true rate of fraud; None where too little happened to say."""
    try:
        return compose()
    except SettingsError as error:
        progress(f"{what} is left out: {error}")
        return None


def count_people(tables: SourceTables) -> int:
    """How many residents there are."""
    return int(tables.residents.select(pl.len()).collect().item())


def check(
    *,
    start: datetime,
    end: datetime,
    clocks: Sequence[str],
    ablations: Sequence[str],
    levers: Sequence[str],
) -> None:
    """Raise ``SettingsError``, or ``ModelError`` for outdated parts, for what cannot be studied, at
    once.
    """
    check_window(start=start, end=end)
    for kind, wanted, known in (
        ("ablation", ablations, ABLATIONS),
        ("lever", levers, tuple(LEVERS)),
    ):
        for unknown in sorted(set(wanted) - set(known)):
            raise SettingsError(
                f"no {kind} {unknown!r}", remedy=f"Choose among {', '.join(known)}."
            )
    for clock in clocks:
        parse_tick(clock)


def result_rows(experiments: Experiments) -> list[dict[str, str | dict[str, float]]]:
    """Every result with its figures by name, for machines."""
    return [
        {
            "table": one.variant.table,
            "name": one.variant.name,
            "every": one.variant.every,
            "by": "rule" if one.variant.is_rule else "model",
        }
        | {"cases": compute_metrics(one.by_cases).to_metrics()}
        | ({"truth": compute_metrics(one.by_truth).to_metrics()} if one.by_truth else {})
        for one in experiments.results
    ]


def run_variants(
    event_index: EventIndex,
    models: Mapping[str, RiskModel],
    variant_runs: Sequence[VariantRun],
    *,
    start: datetime,
    end: datetime,
    every: str,
    settings: Settings,
    progress: Progress,
    take_scores: Callable[..., None] | None = None,
) -> None:
    """Bring the variants of one clock from tick to tick; each keeps its alerts.

    ``take_scores`` is given the scored moments of each day, with their ``clock`` and ``column``.
    """
    columns = {MODEL if one.variant.is_rule else one.variant.column for one in variant_runs}
    read = {column: models[column] for column in sorted(columns)}
    warm_up = timedelta(days=settings.warm_up_days)
    for day, points in query_points_by_day(event_index, start=start - warm_up, end=end, tick=every):
        frames = score_with_models(event_index, read, points, effect=settings.intervention_effect)
        for one in variant_runs:
            one.run.decide_rows(frames[MODEL if one.variant.is_rule else one.variant.column])
        if take_scores is not None:
            for column, rows in frames.items():
                take_scores(rows, clock=every, column=column)
        progress(f"every {every}: {day:%Y-%m-%d} is decided")
