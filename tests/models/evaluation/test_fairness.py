"""Figures by group, counted by hand."""

from datetime import date, timedelta
from functools import cache

import polars as pl
import pytest

from features.event_index import build_event_index
from models.evaluation.alert_metrics import judge_alerts
from models.evaluation.fairness import (
    assign_groups,
    gap_metrics,
    metrics_by_group,
)
from tests.models.drawn import call, on, payment, source_tables
from tests.models.evaluation.test_alert_metrics import EPISODES, alerts

PEOPLE = pl.DataFrame(
    {
        "person": ["ada", "bo", "cai", "dan", "eve"],
        "residency": ["local", "floating", "local", "floating", None],
        "sex": ["F", "M", "F", "M", "F"],
    }
)
JUDGED = judge_alerts(
    alerts(
        ("ada", on(3, 12)),
        ("bo", on(4, 11, 51)),
        ("cai", on(5)),
        ("dan", on(6)),
        ("eve", on(4)),
        ("zoe", on(2)),
    ),
    EPISODES,
    start=on(1),
    end=on(8),
)


@cache
def table() -> pl.DataFrame:
    return metrics_by_group(JUDGED, PEOPLE, attributes=("residency", "sex"), min_count=1, draws=300)


def row(attribute: str, group: str, figure: str) -> dict:
    return table().row(by_predicate=(pl.col("attribute") == attribute) & (pl.col("group") == group)
                     & (pl.col("figure") == figure), named=True)  # fmt: skip


def test_every_group_has_its_precision_coverage_and_lead():
    local, floating = (
        row("residency", "local", "precision"),
        row("residency", "floating", "precision"),
    )
    assert (local["count"], local["value"]) == (2, 1.0)
    assert (floating["count"], floating["value"]) == (2, 0.5)  # bo is right, dan too late
    unknown = row("residency", "unknown", "precision")  # eve, and zoe who is in no register
    assert (unknown["count"], unknown["value"]) == (2, 0.5)
    assert row("residency", "local", "coverage")["value"] == 1.0
    assert row("residency", "floating", "coverage")["value"] == 0.0
    assert row("residency", "local", "lead_h_median")["value"] == 21.0
    assert row("sex", "M", "coverage")["count"] == 2


def test_gaps_are_to_everybody_else_in_points():
    assert row("residency", "local", "precision")["gap"] == pytest.approx(
        50.0
    )  # 1.0 against 2 of 4
    floating = row("residency", "floating", "coverage")
    assert (floating["gap"], floating["gap_low"], floating["gap_high"]) == (-100.0, -100.0, -100.0)
    sex = row("sex", "F", "precision")
    assert sex["gap"] == pytest.approx(100 * (1 - 1 / 3))
    assert sex["gap_low"] <= sex["gap"] <= sex["gap_high"]
    assert row("residency", "local", "lead_h_median")["gap"] is None  # nobody else was covered


def test_gates_are_told_the_gap_that_is_surest():
    found = gap_metrics(table())
    assert found["residency_gap_coverage_points"] == -100.0
    assert (found["residency_gap_coverage_low"], found["residency_gap_coverage_high"]) == (
        -100.0,
        -100.0,
    )
    assert gap_metrics(table(), attribute="age_band") == {}


def test_nobody_alerted_and_nothing_lost_measures_nothing():
    nothing = judge_alerts(alerts(), EPISODES.clear(), start=on(1), end=on(8))
    assert metrics_by_group(nothing, PEOPLE, attributes=("sex",)).is_empty()
    assert gap_metrics(metrics_by_group(nothing, PEOPLE, attributes=("sex",))) == {}


def test_a_handful_has_a_figure_and_no_interval():
    found = metrics_by_group(JUDGED, PEOPLE, attributes=("residency",), min_count=3)
    assert found["gap"].drop_nulls().abs().max() == 100
    assert found.filter(figure="precision")["low"].to_list() == [None, None, None]
    assert found["gap_low"].drop_nulls().is_empty()
    assert gap_metrics(found) == {}


def test_one_alert_is_enough_to_measure():
    one = judge_alerts(alerts(("ada", on(3, 12))), EPISODES.head(1), start=on(1), end=on(8))
    table = metrics_by_group(one, PEOPLE, attributes=("sex",))
    assert table.select("group", "figure", "value", "gap").rows() == [
        ("F", "precision", 1.0, None), ("F", "coverage", 1.0, None),
        ("F", "lead_h_median", 6.0, None),
    ]  # fmt: skip


def test_groups_come_from_the_register_and_from_what_was_delivered():
    people = ("ada", "bo", "cai", "dan")
    drawn = source_tables(
        calls=[
            call("ada", "friend", on(9)),
            call("bo", "friend", on(9)),
            call("dan", "friend", on(1)),
        ],
        payments=[payment("ada", "shop", on(9), 10), payment("cai", "shop", on(9), 10)],
        people=people,
    )
    born = {"ada": date(2009, 1, 1), "bo": date(1987, 1, 1), "cai": date(1960, 1, 1), "dan": None}
    residents = drawn.residents.with_columns(
        birth_month=pl.col("person").replace_strict(born, return_dtype=pl.Date),
        residency=pl.lit("local"),
    )
    found = assign_groups(
        residents, build_event_index(drawn), start=on(2), end=on(10) + timedelta(hours=1)
    ).sort("person")
    assert found.select("person", "residency", "sex", "age_band", "data_seen").rows() == [
        ("ada", "local", "unknown", "0-17", "both"),
        ("bo", "local", "unknown", "30-44", "calls only"),
        ("cai", "local", "unknown", "65-74", "transfers only"),
        ("dan", "local", "unknown", "unknown", "none"),
    ]
