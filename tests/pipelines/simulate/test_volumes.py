"""How much of everything there is: ordinary life, honest look-alikes, fraud."""

from datetime import timedelta

import polars as pl

from tests.pipelines.simulate.conftest import District

BURN_IN = timedelta(days=14)  # after two weeks "first seen" means something


def _new(rows: pl.DataFrame, at: str, peer: str) -> pl.DataFrame:
    """Rows after the burn-in with ``first_at``, when the person and the peer first met."""
    first = rows.group_by("id_number", peer).agg(first_at=pl.col(at).min())
    begin = rows[at].dt.truncate("1d").min() + BURN_IN
    return rows.join(first, on=["id_number", peer]).filter(pl.col(at) >= begin)


def _per_1000(rows: pl.DataFrame, district: District) -> float:
    return 1000 * len(rows) / (district.people * (district.days - BURN_IN.days))


def test_ordinary_days(lively: District) -> None:
    person_days = lively.people * lively.days
    calls, transfers = lively.daily("calls"), lively.daily("transfers")
    assert 6 < len(calls) / person_days < 8.5
    assert 1.4 < len(transfers) / person_days < 2.3
    assert 0.10 < (calls["service"] == "sms").mean() < 0.20
    voice = calls.filter(service="voice")
    assert 0.72 < (voice["duration_s"] > 0).mean() < 0.85
    assert 0.005 < voice["started_at"].dt.hour().is_in([0, 1, 2, 3, 4, 5]).mean() < 0.05


def test_long_talks_with_strangers_are_one_to_three_per_thousand_a_day(lively: District) -> None:
    honest = _new(lively.calls().filter(~pl.col("fraud")), "started_at", "peer_number")
    soon = pl.col("started_at") - pl.col("first_at") <= timedelta(days=3)
    assert 1 < _per_1000(honest.filter(soon & (pl.col("duration_s") >= 1800)), lively) < 3


def test_large_payments_to_new_payees_are_five_to_ten_per_thousand_a_day(lively: District) -> None:
    honest = lively.transfers().filter(~pl.col("fraud") & (pl.col("direction") == "debit"))
    met = _new(honest, "occurred_at", "peer_account").filter(
        pl.col("occurred_at") == pl.col("first_at")
    )
    assert 5 < _per_1000(met.filter(pl.col("amount") >= 5000), lively) < 10


def test_salaries_come_on_their_days(lively: District) -> None:
    received = (
        lively.daily("transfers").filter(direction="credit").group_by(day="day").len().sort("day")
    )
    usual = received["len"].median()
    busy = received.filter(pl.col("len") > 1.5 * usual)["day"].to_list()
    assert busy == ["2026-06-05", "2026-06-10", "2026-06-15"]


def test_scam_types_have_their_shares(lively: District) -> None:
    truth = lively.register("truth")
    shares = dict(truth["scam_type"].value_counts(normalize=True).iter_rows())
    expected = {
        "brushing": 0.35, "investment": 0.16, "customer_service": 0.15, "fake_loan": 0.14,
        "fake_shopping": 0.13, "police": 0.06, "acquaintance": 0.05,
    }  # fmt: skip
    assert set(shares) == set(expected)
    for name, share in expected.items():
        assert abs(shares[name] - share) < 0.05, name


def test_scam_types_keep_their_clocks(lively: District) -> None:
    losses = lively.register("truth").filter(outcome="loss")
    hours = (pl.col("main_transfer_at") - pl.col("contact_at")).dt.total_minutes() / 60
    lead = dict(losses.group_by("scam_type").agg(hours.median()).iter_rows())
    assert 0.4 < lead["customer_service"] < 3
    assert 1 < lead["police"] < 9
    assert 12 < lead["acquaintance"] < 40
    assert lead["investment"] > 48


def test_most_people_hang_up_on_scam_callers_within_seconds(lively: District) -> None:
    suspects = lively.register("truth")["suspect_numbers"].str.split(";").explode().unique()
    cold = lively.calls().filter(
        pl.col("peer_number").is_in(suspects.implode())
        & ~pl.col("fraud")
        & (pl.col("duration_s") > 0)
    )
    assert 18 <= cold["duration_s"].median() <= 25


def test_scam_numbers_burn_out_and_mules_are_shared(lively: District) -> None:
    truth = lively.register("truth")
    numbers = truth["suspect_numbers"].str.split(";").explode().unique().implode()
    seen = (
        lively.daily("calls").filter(pl.col("peer_number").is_in(numbers)).group_by("peer_number")
    )
    lives = seen.agg(
        days=(pl.col("started_at").max() - pl.col("started_at").min()).dt.total_hours() / 24
    )["days"]
    assert 2 < lives.median() < 8
    payees = truth.filter(outcome="loss").select(
        "journey", pl.col("suspect_accounts").str.split(";").alias("payee")
    )
    victims = payees.explode("payee").group_by("payee").len()["len"]
    assert victims.max() >= 3
    assert 0.1 < (victims > 1).mean() < 0.8
