"""How good alerts were, by what cases and dispositions say: the measures a centre can take of
itself.

First alerts and losses are judged once (``judge_alerts``); every figure is then a ratio of sums
over them, so the same few lines give the figure, its interval by chance, and the figure of a scam
type or of a group of people.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, Self

import polars as pl

from models.evaluation.bootstrap import DRAWS, Floats, Interval, Resamples, percentile_interval
from models.labels.disposition_labels import CONTACT_RESULTS

__all__ = [
    "RATIOS",
    "AlertMetrics",
    "JudgedAlerts",
    "Ratio",
    "compute_metrics",
    "judge_alerts",
    "measure_alerts",
    "metric_intervals",
    "metrics_by_scam_type",
]

MIN_LEAD_TIME = timedelta(minutes=10)
EPISODE_LOOKBACK = timedelta(hours=72)
REPEAT_WINDOW = timedelta(hours=72)
TRACE_LEAD_TIME = timedelta(
    minutes=20
)  # a record known so long before the main payment: somebody could have been warned
METRIC_NAMES = {name: f"{name}_at_budget" for name in ("precision", "coverage", "money")}
ALWAYS_MEASURED = ("alerts_per_day", "precision", "coverage", "money", "losses")
COUNTS = ("losses", "traced")


@dataclass(frozen=True)
class AlertMetrics:
    """Measured over a window at a budget. None is what could not be measured.

    ``precision`` share of alerts on people in a reported episode (from 72 hours before its first
    trace) · ``precision_c`` in an episode with a loss · ``precision_a`` in a reported episode, or
    in contact with a fraudster by the word of whoever reached them · ``coverage`` share of reported
    losses with an alert at least 10 minutes before the main payment · ``coverage_traced`` the same
    among the ``traced`` losses, of which some record was known 20 minutes before the main payment ·
    ``money`` share of the lost money that was still unpaid 10 minutes after the first alert ·
    ``lead_h_median`` hours from alert to main payment among the covered, ``lead_1h_share`` of them
    with at least one hour. Reported cases are about two thirds of all, so precision is a lower
    bound.
    """

    alerts_per_day: float
    precision: float
    coverage: float
    money: float
    lead_h_median: float | None
    losses: int
    precision_a: float | None = None
    precision_c: float | None = None
    traced: int | None = None
    coverage_traced: float | None = None
    lead_1h_share: float | None = None

    def to_metrics(self) -> dict[str, float]:
        """Return ``precision_at_budget`` and so on, without the figures that do not exist."""
        return {
            METRIC_NAMES.get(key, key): float(value)
            for key, value in asdict(self).items()
            if value is not None
        }

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, float]) -> Self | None:
        """Read back what ``to_metrics`` gave; None without a figure that always exists."""
        values: dict[str, Any] = {
            one.name: metrics.get(METRIC_NAMES.get(one.name, one.name)) for one in fields(cls)
        }
        if any(values[name] is None for name in ALWAYS_MEASURED):
            return None
        counts = {name: int(values[name]) for name in COUNTS if values[name] is not None}
        return cls(**{**values, **counts})


@dataclass(frozen=True, eq=False)
class JudgedAlerts:
    """First alerts and losses of a window of ``days``, each with what became of it.

    ``alerts``: what was given, and ``lost``, ``reported``, ``confirmed`` (null without
    dispositions): the tiers c, b and a. ``losses``: ``case_id``, ``person``, ``scam_type``,
    ``warned_at``, ``lead_h``, ``covered``, ``traced`` (null without traces), ``total_cny`` and of
    it ``ahead_cny``, unpaid 10 minutes after the first alert.
    """

    alerts: pl.DataFrame
    losses: pl.DataFrame
    days: float


@dataclass(frozen=True, eq=False)
class Ratio:
    """A figure: the sum of ``top`` over the sum of ``bottom``, over the rows of one of the tables
    of ``JudgedAlerts``.
    """

    table: Literal["alerts", "losses"]
    top: pl.Expr
    bottom: pl.Expr

    def rows(self, judged: JudgedAlerts) -> pl.DataFrame:
        """The table that it is about."""
        return judged.alerts if self.table == "alerts" else judged.losses

    def value(self, rows: pl.DataFrame) -> float | None:
        """The figure of these rows; None with nothing to divide by, or where nothing is known."""
        known = rows.select(
            top=self.top.cast(pl.Float64), bottom=self.bottom.cast(pl.Float64)
        ).drop_nulls()
        top, bottom = float(known["top"].sum()), float(known["bottom"].sum())
        return top / bottom if bottom else None

    def resample(self, rows: pl.DataFrame, resamples: Resamples) -> Floats:
        """The figure in every draw, NaN where it does not exist."""
        known = rows.filter(self.top.is_not_null() & self.bottom.is_not_null())
        bottom = resamples.totals(known, self.bottom)
        bottom[bottom == 0] = float("nan")
        return resamples.totals(known, self.top) / bottom


_COVERED = pl.col("covered").cast(pl.Float64)
_ONE = pl.lit(1.0)
RATIOS: Mapping[str, Ratio] = MappingProxyType(
    {
        "precision_a": Ratio("alerts", pl.col("confirmed"), _ONE),
        "precision": Ratio("alerts", pl.col("reported"), _ONE),
        "precision_c": Ratio("alerts", pl.col("lost"), _ONE),
        "coverage": Ratio("losses", _COVERED, _ONE),
        "coverage_traced": Ratio("losses", _COVERED * pl.col("traced"), pl.col("traced")),
        "money": Ratio("losses", pl.col("ahead_cny"), pl.col("total_cny")),
        "lead_1h_share": Ratio("losses", _COVERED * (pl.col("lead_h").fill_null(0) >= 1), _COVERED),
    }
)


def measure_alerts(
    alerts: pl.DataFrame,
    episodes: pl.DataFrame,
    *,
    start: datetime,
    end: datetime,
    traces: pl.DataFrame | None = None,
    dispositions: pl.DataFrame | None = None,
) -> AlertMetrics:
    """The figures of ``alerts``: see ``judge_alerts``."""
    return compute_metrics(
        judge_alerts(
            alerts, episodes, start=start, end=end, traces=traces, dispositions=dispositions
        )
    )


def judge_alerts(
    alerts: pl.DataFrame,
    episodes: pl.DataFrame,
    *,
    start: datetime,
    end: datetime,
    traces: pl.DataFrame | None = None,
    dispositions: pl.DataFrame | None = None,
) -> JudgedAlerts:
    """Hold ``alerts`` (``person``, ``issued_at``) of ``[start, end)`` against ``episodes`` of
    ``models.labels.episodes``.

    ``traces`` of ``models.labels.episodes`` tell when each part of the money went; without them all
    of a loss goes with its main payment. ``dispositions`` (``person``, ``issued_at`` of the alert,
    ``result``, ``decided_at``) tell what was found. The first alert of a person in 72 hours counts;
    losses count that opened in the window and were paid before its end.
    """
    issued = first_alerts(alerts.filter(pl.col("issued_at").is_between(start, end, closed="left")))
    issued = issued.with_row_index("alert")
    hits = issued.join(episodes, on="person").filter(
        pl.col("issued_at").is_between(pl.col("opened_at") - EPISODE_LOOKBACK, pl.col("closed_at"))
    )
    losses = episodes.filter(
        (pl.col("outcome") == "loss") & (pl.col("opened_at") >= start) & (pl.col("main_at") < end)
    )
    warned = losses.join(
        hits.group_by("case_id").agg(warned_at=pl.col("issued_at").min()), on="case_id", how="left"
    )
    lead = pl.col("main_at") - pl.col("warned_at")
    timed = warned.with_columns(
        lead_h=lead.dt.total_microseconds() / 3.6e9,
        covered=(lead >= MIN_LEAD_TIME).fill_null(value=False),
    )
    return JudgedAlerts(
        alerts=grade_alerts(issued, hits, dispositions).drop("alert"),
        losses=add_loss_amounts(mark_traced(timed, traces), traces),
        days=(end - start) / timedelta(days=1),
    )


def first_alerts(alerts: pl.DataFrame) -> pl.DataFrame:
    """Without the alerts on a person within 72 hours of one that is kept, in order of time."""
    ordered = alerts.sort("issued_at", maintain_order=True)
    last: dict[str, datetime] = {}
    keep: list[bool] = []
    for person, issued_at in ordered.select("person", "issued_at").iter_rows():
        keep.append(person not in last or issued_at - last[person] >= REPEAT_WINDOW)
        if keep[-1]:
            last[person] = issued_at
    return ordered.filter(pl.Series(keep, dtype=pl.Boolean))


def grade_alerts(
    issued: pl.DataFrame, hits: pl.DataFrame, dispositions: pl.DataFrame | None
) -> pl.DataFrame:
    """Alerts with their tiers."""
    reported = hits["alert"].unique()
    lost = hits.filter(pl.col("outcome") == "loss")["alert"].unique()
    marked = issued.with_columns(
        lost=pl.col("alert").is_in(lost.implode()),
        reported=pl.col("alert").is_in(reported.implode()),
    )
    if dispositions is None:
        return marked.with_columns(confirmed=pl.lit(None, pl.Boolean))
    latest = (
        dispositions.sort("decided_at").group_by("person", "issued_at").agg(pl.col("result").last())
    )
    contacts = latest.filter(pl.col("result").is_in(CONTACT_RESULTS)).select(
        "person", answered_at="issued_at"
    )
    contacted = issued.join(contacts, on="person").filter(
        (pl.col("answered_at") >= pl.col("issued_at"))
        & (pl.col("answered_at") < pl.col("issued_at") + REPEAT_WINDOW)
    )
    return marked.with_columns(
        confirmed=pl.col("reported") | pl.col("alert").is_in(contacted["alert"].implode())
    )


def mark_traced(losses: pl.DataFrame, traces: pl.DataFrame | None) -> pl.DataFrame:
    """Adds ``traced``: whether some record was known 20 minutes before the main payment."""
    if traces is None:
        return losses.with_columns(traced=pl.lit(None, pl.Boolean))
    first = traces.group_by("case_id").agg(traced_at=pl.col("known_at").min())
    early = (pl.col("traced_at") <= pl.col("main_at") - TRACE_LEAD_TIME).fill_null(value=False)
    return losses.join(first, on="case_id", how="left").with_columns(traced=early).drop("traced_at")


def add_loss_amounts(losses: pl.DataFrame, traces: pl.DataFrame | None) -> pl.DataFrame:
    """Adds ``total_cny`` and ``ahead_cny``; a loss whose payments are in no record goes with its
    main payment.
    """
    paid = losses.select("case_id", "warned_at", paid_at="main_at", amount_cny="loss_cny")
    if traces is not None:
        recorded = traces.filter(pl.col("paid_at").is_not_null()).select(
            "case_id", "paid_at", "amount_cny"
        )
        known = losses.select("case_id", "warned_at").join(recorded, on="case_id")
        paid = pl.concat([known.select(paid.columns), paid.join(known, on="case_id", how="anti")])
    ahead = (pl.col("paid_at") >= pl.col("warned_at") + MIN_LEAD_TIME).fill_null(value=False)
    sums = paid.group_by("case_id").agg(
        total_cny=pl.col("amount_cny").sum(), ahead_cny=pl.col("amount_cny").filter(ahead).sum()
    )
    return losses.join(sums, on="case_id", how="left", maintain_order="left")


def compute_metrics(judged: JudgedAlerts) -> AlertMetrics:
    """The figures of what was judged."""
    found = {name: ratio.value(ratio.rows(judged)) for name, ratio in RATIOS.items()}
    return AlertMetrics(
        alerts_per_day=len(judged.alerts) / max(1e-9, judged.days),
        precision=found["precision"] or 0.0,
        coverage=found["coverage"] or 0.0,
        money=found["money"] or 0.0,
        lead_h_median=median_lead_h(judged.losses),
        losses=len(judged.losses),
        precision_a=found["precision_a"],
        precision_c=found["precision_c"],
        traced=int(judged.losses["traced"].sum()) if judged.losses["traced"].count() else None,
        coverage_traced=found["coverage_traced"],
        lead_1h_share=found["lead_1h_share"],
    )


def median_lead_h(losses: pl.DataFrame) -> float | None:
    """Median hours from alert to main payment among the covered."""
    found = losses.filter("covered")["lead_h"].median()
    return float(found) if isinstance(found, (int, float)) else None


def resample_people(judged: JudgedAlerts, *, draws: int = DRAWS, seed: int = 0) -> Resamples:
    """Draws of all people who were alerted or lost money."""
    people = pl.concat([judged.alerts["person"], judged.losses["person"]])
    return Resamples(people, draws=draws, seed=seed)


def metric_intervals(
    judged: JudgedAlerts, *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """The 90 % interval of each share in ``RATIOS`` and of ``lead_h_median``, where they exist."""
    resamples = resample_people(judged, draws=draws, seed=seed)
    drawn = {name: ratio.resample(ratio.rows(judged), resamples) for name, ratio in RATIOS.items()}
    drawn["lead_h_median"] = resamples.medians(judged.losses.filter("covered"), "lead_h")
    return {
        name: found
        for name, values in drawn.items()
        if (found := percentile_interval(values)) is not None
    }


def metrics_by_scam_type(
    judged: JudgedAlerts, *, draws: int = DRAWS, seed: int = 0
) -> pl.DataFrame:
    """One row a reported scam type, the one with most losses first.

    ``losses``, ``coverage`` with its interval ``low`` to ``high``, ``coverage_traced``, ``money``,
    ``lead_h_median``, ``lead_1h_share``.
    """
    resamples = resample_people(judged, draws=draws, seed=seed)
    lines = []
    for (scam_type,), losses in judged.losses.group_by("scam_type"):
        found = percentile_interval(RATIOS["coverage"].resample(losses, resamples))
        shares = {
            name: RATIOS[name].value(losses)
            for name in ("coverage", "coverage_traced", "money", "lead_1h_share")
        }
        lines.append(
            {
                "scam_type": scam_type,
                "losses": len(losses),
                **shares,
                "lead_h_median": median_lead_h(losses),
                "low": found.low if found else None,
                "high": found.high if found else None,
            }
        )
    return pl.DataFrame(lines, schema=SCAM_TYPE_SCHEMA).sort(
        "losses", "scam_type", descending=[True, False]
    )


SCAM_TYPE_SCHEMA = pl.Schema(
    {
        "scam_type": pl.String(),
        "losses": pl.Int64(),
        "coverage": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "coverage_traced": pl.Float64(),
        "money": pl.Float64(),
        "lead_h_median": pl.Float64(),
        "lead_1h_share": pl.Float64(),
    }
)
