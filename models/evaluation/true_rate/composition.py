"""What a model that was replayed in a district full of fraud would be worth at the true rate of it.

A district of a few thousand residents has no losses to count at the true rate, so a model is
measured where fraud is many times as frequent. What happened there is then put together anew.
Alerts on residents in no story at all are taken over as they are, for each resident and day.
Alerts within a story, and in the week after one, are thinned to as many stories as there truly are:
those of losses, and those of contacts without loss, each by its own ratio.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from models.evaluation.alert_metrics import judge_alerts
from models.evaluation.bootstrap import (
    DRAWS,
    Floats,
    Resamples,
    Total,
    percentile_interval,
    sum_once,
)
from models.evaluation.true_rate.dense_replay import NO_HOLD, DenseReplay

__all__ = [
    "CHANGES_SCHEMA",
    "COMPOSED_BUDGETS",
    "COMPOSED_SCHEMA",
    "TYPES_SCHEMA",
    "TrueRates",
    "compose_changes",
    "compose_scam_types",
    "compose_true_rate",
]

COMPOSED_BUDGETS = (12, 23, 40, 85)
RULE_OF_THREE = 3.0  # nothing seen in n trials: with 95 % certainty fewer than 3 in n
FIGURES = ("precision_a", "precision", "precision_c", "coverage", "money")
COMPOSED_SCHEMA = pl.Schema(
    {
        "budget": pl.Int64(),
        "threshold": pl.Float64(),
        "alerts_per_day": pl.Float64(),
        "innocent_alerts": pl.Int64(),
        "innocent_per_100k": pl.Float64(),
        "innocent_bound_per_100k": pl.Float64(),
        "losses": pl.Int64(),
        **{f"{name}{end}": pl.Float64() for name in FIGURES for end in ("", "_low", "_high")},
    }
)

TYPE_FIGURES = ("coverage", "money")
TYPES_SCHEMA = pl.Schema(
    {
        "scam_type": pl.String(),
        "losses": pl.Int64(),
        "traced": pl.Int64(),
        "budget": pl.Int64(),
        **{f"{name}{end}": pl.Float64() for name in TYPE_FIGURES for end in ("", "_low", "_high")},
    }
)
CHANGES_SCHEMA = pl.Schema(
    {
        "name": pl.String(),
        "budget": pl.Int64(),
        **{
            f"{name}{end}": pl.Float64()
            for name in FIGURES
            for end in ("", "_change", "_change_low", "_change_high")
        },
    }
)

ONE = pl.lit(1.0)


@dataclass(frozen=True)
class TrueRates:
    """The district for which figures are wanted, and how much fraud there truly is."""

    residents: int = 850_000
    losses_per_100k: float = 1.2  # per 100,000 residents and day
    contacts_per_loss: float = 20.0  # people drawn in who do not pay, for one who does

    @property
    def losses_per_day(self) -> float:
        """Losses of the whole district in a day."""
        return self.losses_per_100k * self.residents / 100_000


def compose_true_rate(
    scores: pl.DataFrame,
    truth: pl.DataFrame,
    *,
    start: datetime,
    end: datetime,
    people: int,
    rates: TrueRates | None = None,
    budgets: Sequence[int] = COMPOSED_BUDGETS,
    hold: timedelta = NO_HOLD,
    draws: int = DRAWS,
    seed: int = 0,
) -> pl.DataFrame:
    """One row a budget, in alerts a day of the whole district: what the model gives at the true
    rate.

    ``scores`` (``person``, ``issued_at``, ``score``) are those of a replay of ``[start, end)`` in a
    district of ``people`` residents, tick by tick from some floor on. Its alerts will do too, but a
    score that rose after an alert is then not seen, so coverage comes out lower. ``truth`` is that
    district's, with ``person``.

    An alert is a score of at least ``threshold``, the first of a person in 72 hours; the threshold
    is the lowest under which no more than ``budget`` alerts a day are issued, or the highest score
    there is. With a ``hold`` each payment to a fraudster goes so much later than it did, as if
    banks asked back: an alert on what the payment itself shows is then in time.

    ``innocent_alerts`` are those counted on residents in no story, ``innocent_per_100k`` the same
    per 100,000 residents and day; where there were none, ``innocent_bound_per_100k`` is what it
    lies under with 95 % certainty, and the low ends of precision are taken at that.
    ``precision_a``, ``precision`` (tier b), ``precision_c``, ``coverage`` and ``money`` are as in
    ``models.evaluation.alert_metrics``, by the truth; their 90 % intervals come from drawing the
    stories, and the innocent who were alerted, again. Raises ``SettingsError`` where no story or no
    day without one was simulated.
    """
    dense = DenseReplay.of(scores, truth, start=start, end=end, people=people, hold=hold)
    rates = rates or TrueRates()
    stories = Resamples(dense.episodes["case_id"], draws=draws, seed=seed)
    return pl.DataFrame(
        [_compose_budget(dense, rates=rates, budget=budget, stories=stories) for budget in budgets],
        schema=COMPOSED_SCHEMA,
    )


def compose_changes(
    scores: Mapping[str, pl.DataFrame],
    truth: pl.DataFrame,
    *,
    start: datetime,
    end: datetime,
    people: int,
    rates: TrueRates | None = None,
    budgets: Sequence[int] = COMPOSED_BUDGETS,
    draws: int = DRAWS,
    seed: int = 0,
) -> pl.DataFrame:
    """One row a name and budget: the figures of :func:`compose_true_rate`, and how far each lies
    from that of the first name (``_change``), with the 90 % interval of that distance.

    ``scores`` are of several models over the same days, by name. Each has its own threshold, so all
    issue as many alerts; the same stories are drawn again for all, so that the interval of a change
    is narrower than those of the two figures would suggest.
    """
    rates = rates or TrueRates()
    replays = {
        name: DenseReplay.of(some, truth, start=start, end=end, people=people)
        for name, some in scores.items()
    }
    episodes = next(iter(replays.values())).episodes  # of the same truth, so the same for all
    stories = Resamples(episodes["case_id"], draws=draws, seed=seed)
    rows: list[dict[str, str | float | None]] = []
    for budget in budgets:
        reference: _Composed | None = None
        for name, dense in replays.items():
            composed = _compose(dense, rates=rates, budget=budget, stories=stories)
            reference = reference or composed
            rows.append({"name": name, "budget": budget, **_figure_changes(composed, reference)})
    return pl.DataFrame(rows, schema=CHANGES_SCHEMA).sort("budget", maintain_order=True)


def compose_scam_types(
    composed: pl.DataFrame,
    scores: pl.DataFrame,
    truth: pl.DataFrame,
    *,
    start: datetime,
    end: datetime,
    people: int,
    hold: timedelta = NO_HOLD,
    draws: int = DRAWS,
    seed: int = 0,
) -> pl.DataFrame:
    """One row a scam type and budget, the type with most losses first: what of its losses is seen
    in time, and of their money, under the threshold of that budget.

    ``composed`` is what :func:`compose_true_rate` made of the same arguments, whose ``coverage``
    and ``money`` are those of all types together. ``traced`` of the losses left a record that was
    known 20 minutes before the main payment, the last moment for an alert.
    """
    dense = DenseReplay.of(scores, truth, start=start, end=end, people=people, hold=hold)
    stories = Resamples(dense.episodes["case_id"], draws=draws, seed=seed)
    rows: list[dict[str, str | float | int | None]] = []
    for budget, threshold in composed.select("budget", "threshold").iter_rows():
        losses = _losses(dense, dense.issued(threshold))
        for scam_type in sorted(losses["scam_type"].unique()):
            of_type = losses.filter(pl.col("scam_type") == scam_type)
            found = _loss_figures(of_type, total=sum_once)
            drawn = _loss_figures(of_type, total=stories.totals)
            named = {
                "scam_type": scam_type,
                "losses": len(of_type),
                "traced": int(of_type["traced"].sum()),
                "budget": budget,
            }
            rows.append(named | _with_intervals(found, drawn, drawn))
    return pl.DataFrame(rows, schema=TYPES_SCHEMA).sort(
        "losses", "scam_type", "budget", descending=[True, False, False]
    )


@dataclass(frozen=True, eq=False)
class _Composed:
    """What the alerts of one budget come to: every figure once, in the draws, and in the draws with
    as many false alerts as there might be.
    """

    threshold: float
    innocent_alerts: int
    losses: int
    found: dict[str, Floats]
    drawn: dict[str, Floats]
    lowest: dict[str, Floats]


def _compose(dense: DenseReplay, *, rates: TrueRates, budget: int, stories: Resamples) -> _Composed:
    threshold = _find_threshold(dense, rates=rates, budget=budget)
    issued = dense.issued(threshold)
    innocent, in_stories = dense.innocent(issued), dense.in_stories(issued)
    losses = _losses(dense, issued)

    def figures(total: Total, innocent_alerts: Floats) -> dict[str, Floats]:
        return _figures(
            dense,
            in_stories,
            losses,
            rates=rates,
            total=total,
            innocent_per_day=innocent_alerts * rates.residents / dense.innocent_days,
        )

    drawn = figures(stories.totals, _draw_innocent(innocent, like=stories))
    return _Composed(
        threshold=threshold,
        innocent_alerts=len(innocent),
        losses=len(losses),
        found=figures(sum_once, np.array([float(len(innocent))])),
        drawn=drawn,
        lowest=figures(stories.totals, np.full(stories.draws, RULE_OF_THREE))
        if innocent.is_empty()
        else drawn,
    )


def _compose_budget(
    dense: DenseReplay, *, rates: TrueRates, budget: int, stories: Resamples
) -> dict[str, float | int | None]:
    composed = _compose(dense, rates=rates, budget=budget, stories=stories)
    per_100k = 100_000 / dense.innocent_days
    return {
        "budget": budget,
        "threshold": composed.threshold,
        "alerts_per_day": float(composed.found["alerts_per_day"][0]),
        "innocent_alerts": composed.innocent_alerts,
        "innocent_per_100k": composed.innocent_alerts * per_100k,
        "innocent_bound_per_100k": None if composed.innocent_alerts else RULE_OF_THREE * per_100k,
        "losses": composed.losses,
        **_with_intervals(composed.found, composed.drawn, composed.lowest),
    }


def _figure_changes(composed: _Composed, reference: _Composed) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    for name in FIGURES:
        value = float(composed.found[name][0])
        change = value - float(reference.found[name][0])
        span = percentile_interval(composed.drawn[name] - reference.drawn[name])
        figures[name] = value if np.isfinite(value) else None
        figures[f"{name}_change"] = change if np.isfinite(change) else None
        figures[f"{name}_change_low"] = span.low if span else None
        figures[f"{name}_change_high"] = span.high if span else None
    return figures


def _find_threshold(dense: DenseReplay, *, rates: TrueRates, budget: int) -> float:
    """The lowest score under which no more than ``budget`` alerts a day are issued."""
    levels = dense.scores["score"].unique().sort()
    if levels.is_empty():
        return 1.0
    # The number of alerts falls as the threshold rises: halve until it fits.
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if _alerts_per_day(dense, rates=rates, threshold=levels[middle]) <= budget:
            high = middle
        else:
            low = middle + 1
    return float(levels[low])


def _alerts_per_day(dense: DenseReplay, *, rates: TrueRates, threshold: float) -> float:
    issued = dense.issued(threshold)
    of_stories = _story_alerts_per_day(dense, dense.in_stories(issued), rates=rates, total=sum_once)
    of_innocent = len(dense.innocent(issued)) * rates.residents / dense.innocent_days
    return float(of_stories[0]) + of_innocent


def _story_alerts_per_day(
    dense: DenseReplay, alerts: pl.DataFrame, *, rates: TrueRates, total: Total
) -> Floats:
    """Alerts of stories, for as many stories as there truly are in a day."""
    per_day = np.zeros(1)
    truly = {True: 1.0, False: rates.contacts_per_loss}
    for lost, for_one_loss in truly.items():
        of_kind = alerts.filter((pl.col("outcome") == "loss") == lost)
        with np.errstate(invalid="ignore", divide="ignore"):  # a draw may have none of a kind
            alerts_per_story = total(of_kind, ONE) / total(dense.opened(lost=lost), ONE)
        per_day = per_day + alerts_per_story * for_one_loss * rates.losses_per_day
    return per_day


def _figures(
    dense: DenseReplay,
    in_stories: pl.DataFrame,
    losses: pl.DataFrame,
    *,
    rates: TrueRates,
    total: Total,
    innocent_per_day: Floats,
) -> dict[str, Floats]:
    """Every figure, once or once a draw, as ``total`` sums."""

    def per_day(*outcomes: str) -> Floats:
        tier = in_stories.filter(pl.col("within") & pl.col("outcome").is_in(outcomes))
        return _story_alerts_per_day(dense, tier, rates=rates, total=total)

    every = _story_alerts_per_day(dense, in_stories, rates=rates, total=total) + innocent_per_day
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "alerts_per_day": every,
            "precision_a": per_day("loss", "attempt", "contact") / every,
            "precision": per_day("loss", "attempt") / every,
            "precision_c": per_day("loss") / every,
            **_loss_figures(losses, total=total),
        }


def _losses(dense: DenseReplay, issued: pl.DataFrame) -> pl.DataFrame:
    """The losses of the window, ``person`` being the story, and what the alerts did for each."""
    judged = judge_alerts(
        issued,
        dense.episodes.filter(pl.col("outcome") != "contact"),
        start=dense.start,
        end=dense.end,
        traces=dense.traces,
    )
    return judged.losses.select(
        "scam_type", "covered", "traced", "total_cny", "ahead_cny", person="case_id"
    )


def _loss_figures(losses: pl.DataFrame, *, total: Total) -> dict[str, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may have no loss
        return {
            "coverage": total(losses, pl.col("covered")) / total(losses, ONE),
            "money": total(losses, pl.col("ahead_cny")) / total(losses, pl.col("total_cny")),
        }


def _with_intervals(
    found: dict[str, Floats], drawn: dict[str, Floats], lowest: dict[str, Floats]
) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    for name in found.keys() & {*FIGURES}:
        value = float(found[name][0])
        low, high = percentile_interval(lowest[name]), percentile_interval(drawn[name])
        figures[name] = value if np.isfinite(value) else None
        figures[f"{name}_low"] = low.low if low else None
        figures[f"{name}_high"] = high.high if high else None
    return figures


def _draw_innocent(innocent: pl.DataFrame, *, like: Resamples) -> Floats:
    """How many alerts on the innocent there would be if other residents lived there: each of the
    many comes as often as chance has it, those without an alert as well.
    """
    alerts = innocent.group_by("person").len().sort("person")["len"].to_numpy().astype(np.float64)
    times = np.random.default_rng([like.seed, 1]).poisson(1.0, (like.draws, len(alerts)))
    return np.asarray(times @ alerts)
