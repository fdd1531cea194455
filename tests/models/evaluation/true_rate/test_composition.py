"""A replay of a dense district put together anew for the true rate, on ten scores drawn by hand.

Of 1,004 residents two lose money, one prepares a payment and one only talks. Nothing happens to the
others: 1,000 innocent residents for ten days. The true rate is that of 100,000 residents, where 1.2
lose money a day and 24 are drawn in. So an alert in one of the two stories with a loss stands for
0.6 a day, one in a story without for 12, and one on an innocent for 10.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from data_contracts.errors import SettingsError
from models.evaluation.true_rate.composition import (
    CHANGES_SCHEMA,
    COMPOSED_SCHEMA,
    TYPES_SCHEMA,
    TrueRates,
    compose_changes,
    compose_scam_types,
    compose_true_rate,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 6, 8, tzinfo=SHANGHAI)
END = START + timedelta(days=10)
RATES = TrueRates(residents=100_000)


def _wall(hours: float | None) -> datetime | None:
    return None if hours is None else START.replace(tzinfo=None) + timedelta(hours=hours)


def _story(number, person, outcome, *, contact, main=None, last=None, moves=()):
    """Moments are hours after the window's begin."""
    return {
        "journey": number,
        "person": person,
        "scam_type": "police",
        "outcome": outcome,
        "first_trace_at": _wall(contact),
        "contact_at": _wall(contact),
        "main_transfer_at": _wall(main),
        "last_transfer_at": _wall(last),
        "loss": float(sum(amount for _, amount in moves)),
        "moves": ";".join(f"{_wall(at).isoformat()}|{amount}" for at, amount in moves),
    }


TRUTH = pl.DataFrame(
    [
        # Alerted at hour 30: 4,000 are gone, 6,000 are not.
        _story(1, "vic", "loss", contact=24, main=40, last=40, moves=[(28, 4000), (40, 6000)]),
        # Alerted two days after the only payment.
        _story(2, "late", "loss", contact=20, main=22, last=22, moves=[(22, 30_000)]),
        _story(3, "try", "attempt", contact=50),
        _story(4, "talk", "contact", contact=60),
    ],
    schema_overrides={
        "main_transfer_at": pl.Datetime("us"), "last_transfer_at": pl.Datetime("us"),
    },
)  # fmt: skip


def _scores(*rows: tuple[str, float, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "person": [person for person, *_ in rows],
            "issued_at": pl.Series(
                [START + timedelta(hours=hour) for _, hour, _ in rows],
                dtype=pl.Datetime("us", "Asia/Shanghai"),
            ),
            "score": [score for *_, score in rows],
        }
    )


SCORES = _scores(
    ("vic", 30, 0.90),
    ("vic", 31, 0.90),  # a repeat
    ("late", 70, 0.80),  # in the week after
    ("ann", 10, 0.75),
    ("talk", 61, 0.70),
    ("try", 49, 0.60),  # an hour before the contact
    ("bob", 200, 0.50),
    ("try", 52, 0.65),  # a repeat under 0.60, the first above it
    ("talk", -24, 0.99),  # before the window
    ("late", 22 + 7 * 24 + 1, 0.95),  # later than a week after: somebody's ordinary day
)


def _compose(budgets, *, scores=SCORES, truth=TRUTH, people=1004):
    return compose_true_rate(
        scores, truth, start=START, end=END, people=people, rates=RATES, budgets=budgets, seed=3
    )


def test_each_kind_of_alert_counts_for_what_it_stands_for() -> None:
    found = _compose([1, 2, 12, 24, 36, 50])
    assert found.schema == COMPOSED_SCHEMA
    assert found["budget"].to_list() == [1, 2, 12, 24, 36, 50]
    assert found["threshold"].to_list() == [0.90, 0.80, 0.75, 0.70, 0.60, 0.50]
    assert found["alerts_per_day"].to_list() == pytest.approx([0.6, 1.2, 11.2, 23.2, 35.2, 45.2])
    assert found["innocent_alerts"].to_list() == [0, 0, 1, 1, 1, 2]
    assert found["innocent_per_100k"].to_list() == pytest.approx([0, 0, 10, 10, 10, 20])
    assert found["losses"].to_list() == [2] * 6


def test_precision_has_the_tiers_of_the_truth() -> None:
    found = _compose([1, 2, 12, 24, 36, 50])
    # The alert in the week after a story is in none.
    assert found["precision_c"].to_list() == pytest.approx(
        [1, 0.5, 0.6 / 11.2, 0.6 / 23.2, 0.6 / 35.2, 0.6 / 45.2]
    )
    assert found["precision"].to_list() == pytest.approx(
        [1, 0.5, 0.6 / 11.2, 0.6 / 23.2, 12.6 / 35.2, 12.6 / 45.2]
    )
    assert found["precision_a"].to_list() == pytest.approx(
        [1, 0.5, 0.6 / 11.2, 12.6 / 23.2, 24.6 / 35.2, 24.6 / 45.2]
    )


def test_coverage_and_money_are_those_of_the_stories_simulated() -> None:
    found = _compose([1, 50])
    assert found["coverage"].to_list() == [0.5, 0.5]
    assert found["money"].to_list() == pytest.approx([6 / 40, 6 / 40])
    # With two losses drawn again none, one or two are the one that was warned in time.
    assert found.select("coverage_low", "coverage_high").row(0) == (0, 1)


def test_each_scam_type_has_its_share_of_coverage_and_money() -> None:
    """The loss that is warned of in time is fake shopping, the one alerted too late fake police."""
    types = {"vic": "fake_shopping", "talk": "fake_loan"}
    truth = TRUTH.with_columns(scam_type=pl.col("person").replace_strict(types, default="police"))
    composed = _compose([1, 50], truth=truth)
    found = compose_scam_types(composed, SCORES, truth, start=START, end=END, people=1004, seed=3)
    assert found.schema == TYPES_SCHEMA
    assert found.select("scam_type", "losses", "budget", "coverage", "money").rows() == [
        ("fake_shopping", 1, 1, 1.0, pytest.approx(0.6)),
        ("fake_shopping", 1, 50, 1.0, pytest.approx(0.6)),
        ("police", 1, 1, 0.0, 0.0),
        ("police", 1, 50, 0.0, 0.0),
    ]
    # A draw may have the one loss never or often, and each time it was warned of.
    assert found.select("coverage_low", "coverage_high").row(0) == (1, 1)


def test_models_are_held_against_the_first_at_as_many_alerts_each() -> None:
    blind = SCORES.filter(pl.col("person") != "vic")
    found = compose_changes(
        {"all": SCORES, "again": SCORES, "blind": blind}, TRUTH,
        start=START, end=END, people=1004, rates=RATES, budgets=[24],
    )  # fmt: skip
    assert found.schema == CHANGES_SCHEMA
    assert found["name"].to_list() == ["all", "again", "blind"]
    assert found["coverage"].to_list() == [0.5, 0.5, 0.0]
    assert found["coverage_change"].to_list() == [0.0, 0.0, -0.5]
    # Both losses are drawn again: none of the two may be the one that was seen, or both.
    spans = found.select("coverage_change_low", "coverage_change_high").rows()
    assert spans == [(0, 0), (0, 0), (-1, 0)]
    assert found["precision_c"].to_list() == pytest.approx([0.6 / 23.2, 0.6 / 23.2, 0.0])
    # The same scores again are the same alerts, whoever is drawn.
    assert found.row(1, named=True)["money_change_high"] == 0


def test_payments_that_wait_are_seen_in_time() -> None:
    """The alert on "late" comes 48 hours after the only payment of 30,000."""

    def composed(hold: timedelta) -> dict:
        (row,) = compose_true_rate(
            SCORES, TRUTH, start=START, end=END, people=1004, rates=RATES, budgets=[24], hold=hold
        ).rows(named=True)
        return row

    assert composed(timedelta(hours=48))["coverage"] == 0.5
    waited = composed(timedelta(hours=49))
    # In time by an hour; of 40,000 nothing but what went before the first alert of "vic" is gone,
    # and that waited as well.
    assert (waited["coverage"], waited["money"]) == (1.0, 1.0)
    assert waited["precision_c"] > composed(timedelta(0))["precision_c"]


def test_without_an_innocent_alert_its_bound_is_three_in_all_days() -> None:
    found = _compose([1, 12])
    # 3 in 10,000 days of one resident, for 100,000 of them.
    assert found["innocent_bound_per_100k"].to_list() == [pytest.approx(30), None]
    bounded, seen = found.rows(named=True)
    # Alerts on vic's story: its number over that of losses drawn, at most one, so 1.2 a day.
    assert 0 <= bounded["precision_c_low"] <= 1.2 / (1.2 + 30)
    assert bounded["precision_c_high"] == 1
    assert seen["precision_c_low"] < 0.6 / 11.2 < seen["precision_c_high"]


def test_other_true_rates_weigh_other_than_losses_apart() -> None:
    (row,) = compose_true_rate(
        SCORES,
        TRUTH,
        start=START,
        end=END,
        people=1004,
        rates=TrueRates(residents=200_000, losses_per_100k=3, contacts_per_loss=10),
        budgets=[1000],
    ).rows(named=True)
    # 6 losses a day: 3 an alert; 60 drawn in: 30 an alert; 20 an innocent.
    assert row["alerts_per_day"] == pytest.approx(2 * 3 + 2 * 30 + 2 * 20)
    assert row["innocent_per_100k"] == pytest.approx(20)


def test_a_budget_that_no_score_fits_takes_the_highest() -> None:
    (row,) = _compose([0]).rows(named=True)
    assert (row["threshold"], row["alerts_per_day"]) == (0.95, 0)
    (row,) = _compose([5], scores=SCORES.filter(person="ann")).rows(named=True)
    assert (row["threshold"], row["alerts_per_day"]) == (0.75, 10)
    assert (row["precision_a"], row["coverage"]) == (0, 0)


def test_a_replay_without_scores_gives_nothing() -> None:
    (row,) = _compose([12], scores=SCORES.clear()).rows(named=True)
    assert row["alerts_per_day"] == 0
    assert row["precision_a"] is None
    assert row["coverage"] == 0


def test_what_cannot_be_weighed_is_refused() -> None:
    with pytest.raises(SettingsError, match="no loss, or no contact"):
        _compose([12], truth=TRUTH.filter(pl.col("outcome") == "loss"))
    with pytest.raises(SettingsError, match="everybody"):
        _compose([12], people=4)
