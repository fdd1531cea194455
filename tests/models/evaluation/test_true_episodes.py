"""A simulated district's truth, judged like reported cases."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from data_contracts.errors import DeliveryError
from models.evaluation.alert_metrics import compute_metrics
from models.evaluation.frames import Truth
from models.evaluation.true_episodes import (
    episodes_from_truth,
    judge_by_truth,
    judge_paid_marks,
    traces_from_truth,
)
from models.labels.frames import Episode, Trace
from tests.frames import check

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 6, 10, 12, tzinfo=SHANGHAI)
WALL = NOON.replace(tzinfo=None)  # the truth tells Shanghai wall time
START, END = datetime(2026, 6, 8, tzinfo=SHANGHAI), datetime(2026, 6, 18, tzinfo=SHANGHAI)


def journey(number, person, outcome, *payments, contact_at=WALL, first_trace_at=None, main_at=None):
    """``payments`` are hours after noon and amounts; the main one is the first unless said
    otherwise.
    """
    times = [WALL + timedelta(hours=hours) for hours, _ in payments]
    return {
        "journey": number,
        "person": person,
        "scam_type": "police",
        "outcome": outcome,
        "contact_at": contact_at,
        "first_trace_at": first_trace_at,
        "main_transfer_at": main_at or (times[0] if times else None),
        "last_transfer_at": times[-1] if times else None,
        "moves": ";".join(
            f"{at.isoformat()}|{amount}" for at, (_, amount) in zip(times, payments, strict=True)
        ),
        "loss": float(sum(amount for _, amount in payments)),
    }


SCHEMA = {
    "scam_type": pl.String, "first_trace_at": pl.Datetime("us"),
    "main_transfer_at": pl.Datetime("us"),
    "last_transfer_at": pl.Datetime("us"),
}  # fmt: skip


@pytest.fixture
def truth():
    """Anna pays 1,000 and then 9,000, Bo tries, Cy only talks, Di pays unseen."""
    return pl.DataFrame(
        [
            journey(
                1,
                "anna",
                "loss",
                (2, 1000),
                (5, 9000),
                main_at=WALL + timedelta(hours=5),
                first_trace_at=WALL,
            ),
            journey(2, "bo", "attempt", first_trace_at=WALL),
            journey(3, "cy", "contact", first_trace_at=WALL),
            journey(4, "di", "loss", (1, 500)),
        ],
        schema_overrides=SCHEMA,
    )


def alerts(*rows):
    """Alerts, each a person and the hours after noon."""
    times = [NOON + timedelta(hours=hours) for _, hours in rows]
    return pl.DataFrame(
        {"person": [person for person, _ in rows], "issued_at": times},
        schema={"person": pl.String, "issued_at": pl.Datetime("us", "Asia/Shanghai")},
    )


def test_the_tiers_tell_loss_attempt_and_contact_apart(truth):
    issued = alerts(("anna", 3), ("bo", 1), ("cy", 1), ("eve", 1), ("bo", 90))
    found = compute_metrics(judge_by_truth(issued, truth, start=START, end=END))
    assert (found.precision_c, found.precision, found.precision_a) == (1 / 5, 2 / 5, 3 / 5)
    assert found.alerts_per_day == 5 / 10


def test_coverage_money_and_lead_are_those_of_all_losses(truth):
    found = compute_metrics(judge_by_truth(alerts(("anna", 3)), truth, start=START, end=END))
    assert (found.losses, found.coverage) == (2, 1 / 2)
    assert (found.traced, found.coverage_traced) == (1, 1.0)
    assert found.money == pytest.approx(9000 / 10_500)
    assert found.lead_h_median == pytest.approx(2.0)


def test_a_contact_is_no_loss_nobody_could_be_warned_of(truth):
    found = compute_metrics(
        judge_by_truth(
            alerts(("cy", 1)), truth.filter(pl.col("person") == "cy"), start=START, end=END
        )
    )
    assert (found.losses, found.coverage, found.money) == (0, 0.0, 0.0)
    assert (found.precision_a, found.precision) == (1.0, 0.0)


def test_a_journey_without_payment_closes_after_72_hours(truth):
    (closed_at,) = episodes_from_truth(truth).filter(pl.col("person") == "bo")["closed_at"]
    assert closed_at == NOON + timedelta(hours=72)


def test_the_truth_gives_the_frames_that_cases_give(truth):
    check(Truth, truth, more=True)
    check(Episode, episodes_from_truth(truth))
    check(Trace, traces_from_truth(truth))


def test_moves_are_first_traces_and_payments(truth):
    moves = traces_from_truth(truth)
    assert moves["amount_cny"].drop_nulls().to_list() == [1000.0, 9000.0, 500.0]
    assert moves.filter(pl.col("known_at").is_not_null())["case_id"].to_list() == ["1", "2", "3"]


def test_a_file_that_is_no_truth_is_named(truth):
    with pytest.raises(DeliveryError, match="main_transfer_at"):
        episodes_from_truth(truth.drop("main_transfer_at"))


def test_marks_are_counted_by_what_was_true_when_the_alert_was_issued(truth):
    # Anna's main payment is at 5, Di's at 1; Bo and Cy never pay
    issued = alerts(
        *[("anna", 5), ("anna", 170), ("di", 20), ("di", 169), ("di", 170)],
        *[("anna", 4.9), ("di", 0.5), ("bo", 1), ("eve", 1), ("anna", 174)],
    ).with_columns(already_paid=pl.Series([True, True, False, True, True] + [True] + [False] * 4))
    found = judge_paid_marks(issued, truth)
    assert found.select("issued", "alerts", "marked", "share").rows() == [
        ("after", 4, 3, 3 / 4),
        ("before", 2, 1, 1 / 2),
        ("no loss", 4, 1, 1 / 4),
    ]
    assert all(found["low"] <= found["share"])
    assert all(found["share"] <= found["high"])


def test_without_alerts_no_share_is_made_up(truth):
    found = judge_paid_marks(alerts().with_columns(already_paid=pl.lit(True)), truth)
    assert found.row(0) == ("after", 0, 0, None, None, None)
