"""What a handful of alerts is worth, counted by hand."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from models.evaluate import Figures, measure
from tests.models.drawn import on

MOMENT = pl.Datetime("us", "Asia/Shanghai")
EPISODES = pl.DataFrame(
    [
        # covered: ada is warned 6 hours before the main payment
        ("A1", "ada", "loss", on(3, 8), on(3, 18), on(4), 10_000.0),
        # too late: bo is warned 9 minutes before it
        ("A2", "bo", "loss", on(4, 8), on(4, 12), on(4, 13), 30_000.0),
        # covered: cai is warned in the 72 hours before the first trace, 36 hours ahead of the main payment
        ("A3", "cai", "loss", on(6), on(6, 12), on(6, 12), 20_000.0),
        # dan is missed
        ("A4", "dan", "loss", on(5), on(5, 12), on(5, 12), 40_000.0),
        # a reported attempt
        ("A5", "eve", "attempt", on(2), None, on(5), 0.0),
        # opened before the window, ended after it: alerts on them are right, but they are nobody's to cover
        ("A6", "fay", "loss", on(1) - timedelta(minutes=1), on(2), on(2), 5_000.0),
        ("A7", "gus", "loss", on(7), on(8), on(9), 5_000.0),
    ],
    schema={
        "case_id": pl.String,
        "person": pl.String,
        "outcome": pl.String,
        "opened_at": MOMENT,
        "main_at": MOMENT,
        "closed_at": MOMENT,
        "loss_cny": pl.Float64,
    },
    orient="row",
)
START, END = on(1), on(8)


def alerts(*issued: tuple[str, datetime]) -> pl.DataFrame:
    return pl.DataFrame(issued, schema={"person": pl.String, "issued_at": MOMENT}, orient="row")


def test_every_figure_of_a_week_of_alerts():
    issued = alerts(
        ("ada", on(3, 12)),
        ("bo", on(4, 11, 51)),
        ("cai", on(5)),
        ("dan", on(5, 12, 1)),  # a minute after the last payment: no longer live
        ("eve", on(4)),
        ("fay", on(1)),
        ("nobody", on(2)),
        ("ada", on(7)),  # right once, but not any more
        ("ada", on(8)),  # after the window
    )
    assert measure(issued, EPISODES, start=START, end=END) == Figures(
        alerts_per_day=8 / 7,
        precision=5 / 8,
        coverage=2 / 4,
        money=30_000 / 100_000,
        lead_h_median=21.0,
        losses=4,
    )


@pytest.mark.parametrize(
    ("issued_at", "right", "covered"),
    [
        (on(3, 8) - timedelta(hours=72, seconds=1), 0.0, 0.0),
        (on(3, 8) - timedelta(hours=72), 1.0, 1.0),
        (on(3, 17, 50), 1.0, 1.0),
        (on(3, 17, 50, 1), 1.0, 0.0),
        (on(4), 1.0, 0.0),
        (on(4, 0, 0, 1), 0.0, 0.0),
    ],
)
def test_when_an_alert_is_right_and_when_in_time(issued_at, right, covered):
    one = EPISODES.filter(pl.col("case_id") == "A1").with_columns(opened_at=pl.lit(on(3, 8), MOMENT))
    found = measure(alerts(("ada", issued_at)), one, start=on(1) - timedelta(days=5), end=END)
    assert (found.precision, found.coverage) == (right, covered)


def test_the_first_of_several_alerts_counts_for_the_lead():
    found = measure(alerts(("ada", on(3, 12)), ("ada", on(3, 16))), EPISODES.head(1), start=START, end=END)
    assert (found.precision, found.coverage, found.lead_h_median) == (1.0, 1.0, 6.0)


def test_no_alerts_and_no_episodes_are_counted_without_complaint():
    assert measure(alerts(), EPISODES, start=START, end=END) == Figures(0.0, 0.0, 0.0, 0.0, None, 4)
    found = measure(alerts(("ada", on(3))), EPISODES.clear(), start=START, end=END)
    assert found == Figures(1 / 7, 0.0, 0.0, 0.0, None, 0)


def test_figures_as_metrics_leave_out_what_does_not_exist():
    assert Figures(1.0, 0.5, 0.25, 0.4, None, 4).named("baseline_") == {
        "baseline_alerts_per_day": 1.0,
        "baseline_precision_at_budget": 0.5,
        "baseline_coverage_at_budget": 0.25,
        "baseline_money_at_budget": 0.4,
        "baseline_losses": 4.0,
    }
    assert Figures(1.0, 0.5, 0.25, 0.4, 6.0, 4).named()["lead_h_median"] == 6.0
