"""What a handful of alerts is worth, counted by hand."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from models.evaluation.alert_metrics import (
    AlertMetrics,
    compute_metrics,
    first_alerts,
    judge_alerts,
    measure_alerts,
    metric_intervals,
    metrics_by_scam_type,
)
from models.evaluation.bootstrap import Interval
from models.evaluation.frames import JudgedAlert, JudgedLoss
from models.labels.frames import Episode, Trace
from tests.frames import check
from tests.models.drawn import on

MOMENT = pl.Datetime("us", "Asia/Shanghai")
EPISODES = pl.DataFrame(
    [
        # covered: ada is warned 6 hours before the main payment
        ("A1", "ada", "police", "loss", on(3, 8), on(3, 18), on(4), 10_000.0),
        # too late: bo is warned 9 minutes before it
        ("A2", "bo", "brushing", "loss", on(4, 8), on(4, 12), on(4, 13), 30_000.0),
        # covered: cai is warned in the 72 hours before the first trace, 36 hours ahead of the main
        # payment
        ("A3", "cai", "police", "loss", on(6), on(6, 12), on(6, 12), 20_000.0),
        # dan is missed
        ("A4", "dan", "brushing", "loss", on(5), on(5, 12), on(5, 12), 40_000.0),
        # a reported attempt
        ("A5", "eve", "brushing", "attempt", on(2), None, on(5), 0.0),
        # opened before the window, ended after it: alerts on them are right, but they are nobody's
        # to cover
        ("A6", "fay", "police", "loss", on(1) - timedelta(minutes=1), on(2), on(2), 5_000.0),
        ("A7", "gus", "police", "loss", on(7), on(8), on(9), 5_000.0),
    ],
    schema=Episode.polars_schema(),
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
    assert measure_alerts(issued, EPISODES, start=START, end=END) == AlertMetrics(
        alerts_per_day=8 / 7,
        precision=5 / 8,
        coverage=2 / 4,
        money=30_000 / 100_000,
        lead_h_median=21.0,
        losses=4,
        precision_c=4 / 8,
        lead_1h_share=1.0,
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
    one = EPISODES.filter(pl.col("case_id") == "A1").with_columns(
        opened_at=pl.lit(on(3, 8), MOMENT)
    )
    found = measure_alerts(
        alerts(("ada", issued_at)), one, start=on(1) - timedelta(days=5), end=END
    )
    assert (found.precision, found.coverage) == (right, covered)


def test_the_first_of_several_alerts_counts_for_the_lead():
    found = measure_alerts(
        alerts(("ada", on(3, 12)), ("ada", on(3, 16))), EPISODES.head(1), start=START, end=END
    )
    assert (found.precision, found.coverage, found.lead_h_median) == (1.0, 1.0, 6.0)


def test_no_alerts_and_no_episodes_are_counted_without_complaint():
    assert measure_alerts(alerts(), EPISODES, start=START, end=END) == AlertMetrics(
        0.0, 0.0, 0.0, 0.0, None, 4
    )
    found = measure_alerts(alerts(("ada", on(3))), EPISODES.clear(), start=START, end=END)
    assert found == AlertMetrics(1 / 7, 0.0, 0.0, 0.0, None, 0, precision_c=0.0)


def test_figures_as_metrics_leave_out_what_does_not_exist():
    assert AlertMetrics(1.0, 0.5, 0.25, 0.4, None, 4).to_metrics() == {
        "alerts_per_day": 1.0,
        "precision_at_budget": 0.5,
        "coverage_at_budget": 0.25,
        "money_at_budget": 0.4,
        "losses": 4.0,
    }
    assert AlertMetrics(1.0, 0.5, 0.25, 0.4, 6.0, 4).to_metrics()["lead_h_median"] == 6.0


TRACES = pl.DataFrame(
    [
        ("A1", on(3, 8), None, None),  # a call
        ("A1", on(3, 10), on(3, 10), 1_000.0),  # gone before the alert
        ("A1", on(3, 12, 9), on(3, 12, 9), 1_000.0),  # nine minutes after it
        ("A1", on(3, 18), on(3, 18), 8_000.0),
        (
            "A2",
            on(4, 11, 41),
            None,
            None,
        ),  # nineteen minutes before the main payment: no time to warn
        ("A4", on(5, 11, 40), None, None),
    ],
    schema={"case_id": pl.String, "known_at": MOMENT, "paid_at": MOMENT, "amount_cny": pl.Float64},
    orient="row",
)


def test_with_the_moves_of_each_case_money_is_counted_payment_by_payment():
    found = measure_alerts(
        alerts(("ada", on(3, 12)), ("cai", on(5))), EPISODES, start=START, end=END, traces=TRACES
    )
    # ada 8,000 of 10,000; cai's payments are in no record, so all 20,000 go with the main one; bo
    # and dan lose 70,000
    assert found.money == 28_000 / 100_000
    assert (found.traced, found.coverage_traced) == (2, 1 / 2)  # ada and dan


def dispositions(*rows: tuple[str, datetime, str, datetime]) -> pl.DataFrame:
    schema = {"person": pl.String, "issued_at": MOMENT, "result": pl.String, "decided_at": MOMENT}
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.mark.parametrize(
    ("results", "precision_a"),
    [
        (["stopped"], 1.0),
        (["contact_no_payment"], 1.0),
        (["already_paid"], 1.0),
        (["lawful"], 0.5),
        (["not_found_yet", "stopped"], 1.0),  # the last word counts
        (["stopped", "wrong_person"], 0.5),
    ],
)
def test_whoever_was_reached_tells_whether_there_was_a_fraudster(results, precision_a):
    words = [("zoe", on(3), result, on(4, hour)) for hour, result in enumerate(results)]
    issued = alerts(("ada", on(3, 12)), ("zoe", on(3)))
    found = measure_alerts(
        issued, EPISODES, start=START, end=END, dispositions=dispositions(*words)
    )
    assert (found.precision_a, found.precision, found.precision_c) == (precision_a, 0.5, 0.5)


def test_an_answer_to_a_repeat_speaks_for_the_first_alert_and_one_after_three_days_does_not():
    issued = alerts(("zoe", on(2)), ("zoe", on(3)))
    for answered_at, precision_a in [(on(3), 1.0), (on(5), 0.0), (on(1), 0.0)]:
        words = dispositions(("zoe", answered_at, "stopped", on(6)))
        assert (
            measure_alerts(issued, EPISODES, start=START, end=END, dispositions=words).precision_a
            == precision_a
        )


def test_repeats_within_72_hours_of_a_counted_alert_do_not_count():
    issued = alerts(
        ("ada", on(4)),
        ("ada", on(1)),
        ("bo", on(3)),
        ("ada", on(3)),
        ("ada", on(6, 23)),
        ("ada", on(7)),
    )
    assert first_alerts(issued).rows() == [
        ("ada", on(1)),
        ("bo", on(3)),
        ("ada", on(4)),
        ("ada", on(7)),
    ]


def test_intervals_are_those_of_chance_and_the_same_every_time():
    issued = alerts(("ada", on(3, 12)), ("cai", on(5)), ("nobody", on(2)))
    check(Episode, EPISODES)
    check(Trace, TRACES)
    judged = judge_alerts(issued, EPISODES, start=START, end=END, traces=TRACES)
    check(JudgedAlert, judged.alerts, more=True)
    check(JudgedLoss, judged.losses, more=True)
    found = metric_intervals(judged)
    assert found == metric_intervals(judged)
    assert found["precision"] == Interval(0.0, 1.0)  # three alerts say next to nothing
    assert found["coverage"].low < compute_metrics(judged).coverage == 0.5 < found["coverage"].high
    assert found["lead_h_median"] == Interval(6.0, 36.0)
    assert "precision_a" not in found


def test_types_are_measured_one_by_one():
    issued = alerts(("ada", on(3, 12)), ("cai", on(5)), ("bo", on(4, 11, 51)))
    rows = metrics_by_scam_type(judge_alerts(issued, EPISODES, start=START, end=END)).rows(
        named=True
    )
    assert [(row["scam_type"], row["losses"], row["coverage"], row["money"]) for row in rows] == [
        ("brushing", 2, 0.0, 0.0),
        ("police", 2, 1.0, 1.0),
    ]
    assert (rows[1]["lead_h_median"], rows[0]["lead_h_median"]) == (21.0, None)
    assert (rows[1]["low"], rows[1]["high"]) == (1.0, 1.0)
