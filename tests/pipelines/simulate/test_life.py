"""A district at the true rate of fraud: each count lies where chance leaves it at that rate."""

from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm, poisson

from pipelines.simulate import Mix, load_mix, simulate
from pipelines.simulate.events.columns import CallEvents, Journal
from pipelines.simulate.people.population import generate_population
from pipelines.simulate.stories.scams import ScamOperations, TrueEpisode
from tests.pipelines.simulate.conftest import District
from tests.pipelines.simulate.test_volumes import BURN_IN

LIFE = load_mix(life=True)
PEOPLE, DAYS = 20_000, 365  # of the fraud alone: 7.3 million days of one resident
TAIL = 0.0005  # on either side: one such test in a thousand would fail by chance


def _bounds(mean: float) -> tuple[float, float]:
    return float(poisson.ppf(TAIL, mean)), float(poisson.ppf(1 - TAIL, mean))


def _lies_within(count: int, mean: float) -> None:
    low, high = _bounds(mean)
    assert low <= count <= high, (count, low, high)


def _operate(*, people: int, days: int) -> ScamOperations:
    start = date(2026, 6, 1)
    residents = generate_population(LIFE, people=people, start=start, seed=5)
    return ScamOperations(
        LIFE, people=residents, lenders=[7], public_lines=[], start=start, days=days, seed=5
    )


@pytest.fixture(scope="module")
def year() -> list[TrueEpisode]:
    """All fraud of a year among 20,000 residents."""
    operations = _operate(people=PEOPLE, days=DAYS)
    return operations.play_episodes(Journal(np.random.default_rng(5)))


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> District:
    """Four weeks among 4,000 residents, whole."""
    path = tmp_path_factory.mktemp("life") / "landing"
    simulate(path, people=4000, days=28, seed=13, mix=LIFE)
    return District(path, 4000, 28)


def test_losses_are_12_in_a_million_residents_a_day(year: list[TrueEpisode]) -> None:
    # 87.6 are expected, and some of the slowest would have paid after the last day.
    assert _bounds(0.012 * PEOPLE * DAYS / 1000) == (59, 120)
    _lies_within(Counter(j.outcome for j in year)["loss"], 0.012 * PEOPLE * DAYS / 1000)


def test_twenty_are_drawn_in_and_do_not_pay_for_one_who_does(year: list[TrueEpisode]) -> None:
    mix = LIFE
    assert mix.attempts_per_1000_days + mix.contacts_per_1000_days == pytest.approx(20 * 0.012)
    found = Counter(j.outcome for j in year)
    _lies_within(found["contact"] + found["attempt"], 0.24 * PEOPLE * DAYS / 1000)
    assert 10 < (found["contact"] + found["attempt"]) / found["loss"] < 30


def test_a_third_of_the_losses_are_never_reported(year: list[TrueEpisode]) -> None:
    shares = []
    for one in (j for j in year if j.outcome == "loss"):
        how = LIFE.scams[one.scam_type].reporting
        small = one.loss_cents < 100 * how.small_below_cny
        shares.append(how.small_share if small else how.loss_share)
    expected, spread = sum(shares), sum(p * (1 - p) for p in shares) ** 0.5
    assert 0.62 < expected / len(shares) < 0.71
    reported = sum(j.reported_at is not None for j in year if j.outcome == "loss")
    reach = norm.ppf(1 - TAIL) * spread
    assert expected - reach <= reported <= expected + reach


def test_a_fraud_number_reaches_few_of_the_district(year: list[TrueEpisode]) -> None:
    numbers = Counter(number for j in year for number in j.trace.numbers)
    accounts = Counter(account for j in year for account in j.trace.accounts)
    assert np.mean(list(numbers.values())) < 1.6
    assert max(numbers.values()) <= 8
    assert np.mean(list(accounts.values())) < 1.2


def test_scam_calls_and_texts_are_as_many_as_are_cut_off_in_the_country() -> None:
    """2.75 billion calls and 2.28 billion texts a year: 5.3 and 4.4 per 1,000 residents and day."""
    cold = CallEvents.join(list(_operate(people=20_000, days=28).cold_calls()))
    texts, calls = cold.text.sum() / (20 * 28), (~cold.text).sum() / (20 * 28)
    assert calls == pytest.approx(5.3, rel=0.15)
    assert texts == pytest.approx(4.4, rel=0.15)
    # Of the 185 calls that a number makes a day in the whole country one or two end here.
    lines = cold.take(~cold.text).by_day(28)[14]
    assert 1 < len(lines) / len(np.unique(lines.caller)) < 2.5


def test_honest_stories_are_as_frequent_as_in_any_district(month: District) -> None:
    assert load_mix(life=True).lookalikes == Mix().lookalikes
    rows = month.calls().filter(~pl.col("fraud"))
    days = month.people * (month.days - BURN_IN.days) / 1000
    begin = rows["started_at"].dt.truncate("1d").min() + BURN_IN
    met = rows.group_by("id_number", "peer_number").agg(first_at=pl.col("started_at").min())
    soon = pl.col("started_at") - pl.col("first_at") <= pl.duration(days=3)
    long = rows.join(met, on=["id_number", "peer_number"]).filter(
        soon & (pl.col("duration_s") >= 1800) & (pl.col("started_at") >= begin)
    )
    assert _bounds(1 * days)[0] <= len(long) <= _bounds(3 * days)[1]
    assert 1 < len(long) / days < 3
    paid = month.transfers().filter(~pl.col("fraud") & (pl.col("direction") == "debit"))
    first = paid.group_by("id_number", "peer_account").agg(first_at=pl.col("occurred_at").min())
    large = paid.join(first, on=["id_number", "peer_account"]).filter(
        (pl.col("occurred_at") == pl.col("first_at"))
        & (pl.col("amount") >= 5000)
        & (pl.col("occurred_at") >= begin)
    )
    assert 5 < len(large) / days < 10


def test_honest_stories_are_counted_as_the_mix_says(tmp_path: Path) -> None:
    report = simulate(tmp_path / "landing", people=2000, days=10, seed=17, mix=LIFE)
    trade = generate_population(LIFE, people=2000, start=date(2026, 6, 1), seed=17).trade.sum()
    mean = sum(
        look.per_1000_days * 10 * (trade if look.trade_only else 2000) / 1000
        for look in LIFE.lookalikes.values()
    )
    _lies_within(report.lookalikes, mean)


def test_the_month_has_as_much_fraud_as_it_should(month: District) -> None:
    truth = month.register("truth")
    days = month.people * month.days / 1000
    _lies_within(len(truth), 0.252 * days)
    _lies_within(len(truth.filter(outcome="loss")), 0.012 * days)


def test_a_file_lies_over_life_and_life_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "mix.yaml").write_text("contacts_per_1000_days: 0.5", encoding="utf-8")
    mix = load_mix(tmp_path / "mix.yaml", life=True)
    assert (mix.losses_per_1000_days, mix.contacts_per_1000_days) == (0.012, 0.5)
    assert load_mix() == Mix()
    assert Mix().losses_per_1000_days == 0.36
