"""Whether some group of people is served worse: the figures by residency, sex, age and by what data
there is on them.

Residency and sex are here to be measured by. They are never an input of a model, and nothing here
changes an alert.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from data_contracts.ages import AGE_BAND_STARTS, AGE_BANDS
from features.entities.coverage import data_seen
from features.event_index import EventIndex
from models.evaluation.alert_metrics import RATIOS, JudgedAlerts, median_lead_h, resample_people
from models.evaluation.bootstrap import DRAWS, Floats, Resamples, percentile_interval

__all__ = [
    "ATTRIBUTES",
    "assign_groups",
    "gap_metrics",
    "metrics_by_group",
]

ATTRIBUTES = ("residency", "sex", "age_band", "data_seen")
UNKNOWN = "unknown"
GATED_METRICS = ("precision", "coverage")
MIN_COUNT = 10  # of fewer alerts or losses, drawing again shows too little of what chance can do
GROUP_SCHEMA = pl.Schema(
    {
        "attribute": pl.String(),
        "group": pl.String(),
        "figure": pl.String(),
        "count": pl.Int64(),
        "value": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "gap": pl.Float64(),
        "gap_low": pl.Float64(),
        "gap_high": pl.Float64(),
    }
)


def assign_groups(
    residents: pl.LazyFrame, event_index: EventIndex, *, start: datetime, end: datetime
) -> pl.DataFrame:
    """``person`` and the group of each attribute, one row a resident, ``unknown`` where the
    register does not say.

    Age is that at ``end``; ``data_seen`` says which records of the person became known in ``[start,
    end)``: ``both`` calls and transfers, ``calls only``, ``transfers only`` or ``none``.
    """
    age_years = (pl.lit(end.date()) - pl.col("birth_month")).dt.total_days() / 365.25
    band = pl.lit(None, pl.String)
    for start_age, name in zip(AGE_BAND_STARTS, AGE_BANDS, strict=True):
        band = pl.when(age_years >= start_age).then(pl.lit(name)).otherwise(band)
    register = residents.unique("person").select(
        "person",
        pl.col("residency", "sex").fill_null(UNKNOWN),
        age_band=band.fill_null(UNKNOWN),
    )
    return (
        register.collect()
        .join(data_seen_by_person(event_index, start=start, end=end), on="person", how="left")
        .with_columns(pl.col("data_seen").fill_null("none"))
    )


def data_seen_by_person(event_index: EventIndex, *, start: datetime, end: datetime) -> pl.DataFrame:
    """``person``, ``data_seen`` of everybody in the event_index."""
    logs = {"calls": event_index.contacts, "transfers": event_index.payments}
    owners = {name: log.owners_between(start, end) for name, log in logs.items()}
    return event_index.people.select(
        "person",
        data_seen=data_seen(
            calls=pl.col("code").is_in(owners["calls"].implode()),
            transfers=pl.col("code").is_in(owners["transfers"].implode()),
        ),
    )


def metrics_by_group(
    judged: JudgedAlerts,
    people: pl.DataFrame,
    *,
    attributes: tuple[str, ...] = ATTRIBUTES,
    min_count: int = MIN_COUNT,
    draws: int = DRAWS,
    seed: int = 0,
) -> pl.DataFrame:
    """Precision, coverage and median lead of every group, with 90 % intervals by drawing people
    again.

    ``people`` has ``person`` and a column for each attribute. One row an ``attribute``, ``group``
    and ``figure``: ``count`` (alerts, losses or covered losses that it is measured on), ``value``
    (a share; hours for ``lead_h_median``) from ``low`` to ``high``, and ``gap`` to everybody else
    (percentage points; hours) from ``gap_low`` to ``gap_high``, null where there is nobody else.
    What is measured on fewer than ``min_count`` has no interval: nothing can be concluded from it.
    """
    resamples = resample_people(judged, draws=draws, seed=seed)
    lines = [
        line
        for attribute in attributes
        for figure, rows in tables_of(judged).items()
        for line in compare_groups(
            _grouped(rows, people, attribute),
            figure=figure,
            resamples=resamples,
            min_count=min_count,
        )
    ]
    return pl.DataFrame(lines, schema=GROUP_SCHEMA)


def tables_of(judged: JudgedAlerts) -> Mapping[str, pl.DataFrame]:
    """What each figure is measured on."""
    return {
        "precision": judged.alerts,
        "coverage": judged.losses,
        "lead_h_median": judged.losses.filter("covered"),
    }


def compare_groups(
    rows: pl.DataFrame, *, figure: str, resamples: Resamples, min_count: int
) -> list[dict[str, Any]]:
    """One figure of each group among ``rows`` with ``attribute`` and ``group``."""
    values = group_values(rows, figure=figure)
    lines = []
    for (group,), mine in sorted(rows.group_by("group"), key=lambda one: str(one[0][0])):
        rest = rows.filter(pl.col("group") != group)
        drawn = _drawn(mine, figure, resamples)
        found = percentile_interval(drawn) if len(mine) >= min_count else None
        enough = min(len(mine), len(rest)) >= min_count
        gap_interval = (
            percentile_interval(_scale(figure) * (drawn - _drawn(rest, figure, resamples)))
            if enough
            else None
        )
        lines.append(
            {
                "attribute": mine["attribute"][0],
                "group": group,
                "figure": figure,
                "count": len(mine),
                "value": values[str(group)],
                "low": found.low if found else None,
                "high": found.high if found else None,
                "gap": _scale(figure) * (values[str(group)] - _value(rest, figure))
                if len(rest)
                else None,
                "gap_low": gap_interval.low if gap_interval else None,
                "gap_high": gap_interval.high if gap_interval else None,
            }
        )
    return lines


def group_values(rows: pl.DataFrame, *, figure: str) -> dict[str, float]:
    """The figure of each group, by fairlearn."""
    from fairlearn.metrics import MetricFrame

    if rows.is_empty():
        return {}
    truth, prediction, metric = _as_classified(rows, figure)
    groups = {
        "group": rows["group"].to_list()
    }  # as a column by name: fairlearn takes no bare array of one row
    frame = MetricFrame(metrics=metric, y_true=truth, y_pred=prediction, sensitive_features=groups)
    return {str(group): float(value) for group, value in frame.by_group.items()}


def gap_metrics(table: pl.DataFrame, *, attribute: str = "residency") -> dict[str, float]:
    """``residency_gap_coverage_points``, ``…_low`` and ``…_high``, likewise precision, as the gates
    ask for them.

    Of several groups the one that most surely fares otherwise than the rest. Empty where no gap
    could be measured.
    """
    found: dict[str, float] = {}
    for figure in GATED_METRICS:
        rows = table.filter(attribute=attribute, figure=figure).drop_nulls(
            ["gap", "gap_low", "gap_high"]
        )
        if rows.is_empty():
            continue
        chance = (pl.col("gap_low") <= 0) & (pl.col("gap_high") >= 0)
        worst = rows.sort(chance, -pl.col("gap").abs(), "group").row(0, named=True)
        name = f"{attribute}_gap_{figure}"
        found |= {
            f"{name}_points": worst["gap"],
            f"{name}_low": worst["gap_low"],
            f"{name}_high": worst["gap_high"],
        }
    return found


def _grouped(rows: pl.DataFrame, people: pl.DataFrame, attribute: str) -> pl.DataFrame:
    groups = people.select(
        "person", pl.lit(attribute).alias("attribute"), group=pl.col(attribute).cast(pl.String)
    )
    joined = rows.join(groups, on="person", how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("attribute").fill_null(attribute), pl.col("group").fill_null(UNKNOWN)
    )


def _as_classified(
    rows: pl.DataFrame, figure: str
) -> tuple[Floats, Floats, Callable[[Floats, Floats], float]]:
    """Truth, prediction and metric: every alert was predicted to be right, every loss was there to
    be found.
    """
    from sklearn.metrics import precision_score, recall_score

    ones = np.ones(len(rows))
    if figure == "precision":
        return rows["reported"].to_numpy().astype(np.float64), ones, precision_score
    if figure == "coverage":
        return ones, rows["covered"].to_numpy().astype(np.float64), recall_score
    return ones, rows["lead_h"].to_numpy(), lambda _, lead_h: float(np.median(lead_h))


def _value(rows: pl.DataFrame, figure: str) -> float:
    found = RATIOS[figure].value(rows) if figure in RATIOS else median_lead_h(rows)
    return float("nan") if found is None else found


def _drawn(rows: pl.DataFrame, figure: str, resamples: Resamples) -> Floats:
    return (
        RATIOS[figure].resample(rows, resamples)
        if figure in RATIOS
        else resamples.medians(rows, "lead_h")
    )


def _scale(figure: str) -> float:
    return 100.0 if figure in RATIOS else 1.0
