"""Whom a comparison asks about, and that stand-ins decide as those would for whom they stand."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from features.event_index import build_event_index
from models.labels.drawn_people import draw_share
from models.policy import stand_ins
from models.policy.alerting import PolicyRules
from models.policy.policy_run import PolicyRun
from models.policy.shortlist import count_candidates
from models.policy.stand_ins import ComparedPeople, draw_compared_people, without_stand_ins
from tests.features.districts import district

START = datetime(2026, 7, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
RULES = PolicyRules(budget=12, cool_down=timedelta(hours=30))
DAYS, TICKS, GROUPS, TWINS, NAMED = 4, 4, 80, 4, 6
NAMED_PEOPLE = [f"n{number:02}-0" for number in range(NAMED)]


def scored_rows() -> pl.DataFrame:
    """A day of warm-up and three more of 80 people with three twins each, whose scores and payments
    are theirs, and of six who are known from cases.
    """
    rng = np.random.default_rng(7)
    usual = rng.random(GROUPS + NAMED)
    people = [f"p{group:02}-{twin}" for group in range(GROUPS) for twin in range(TWINS)]
    repeated = np.repeat(np.arange(GROUPS + NAMED), [TWINS] * GROUPS + [1] * NAMED)
    return pl.concat(
        pl.DataFrame(
            {
                "person": [*people, *NAMED_PEOPLE],
                "score": (0.8 * usual + 0.2 * rng.random(GROUPS + NAMED))[repeated],
                "new_debit_cny_6h": rng.choice([0.0, 3000.0], GROUPS + NAMED)[repeated],
                "preventable_loss_cny": rng.lognormal(9, 1, GROUPS + NAMED)[repeated],
            }
        ).with_columns(at=pl.lit(START + timedelta(days=tick / TICKS - 1)).dt.cast_time_unit("us"))
        for tick in range(DAYS * TICKS)
    )


def issued(rows: pl.DataFrame) -> list[tuple]:
    """The alerts, each with the name that twins share."""
    run = PolicyRun(RULES, START)
    run.decide_rows(rows)
    return sorted(run.issued.with_columns(pl.col("person").str.slice(0, 3)).rows())


def test_stand_ins_are_alerted_as_those_they_stand_for():
    rows = scored_rows()
    one_of_each = rows.filter(pl.col("person").str.ends_with("-0"))
    drawn = ComparedPeople(TWINS, named=pl.Series(NAMED_PEOPLE))
    assert count_candidates(RULES) < rows["person"].n_unique()
    found = issued(drawn.with_stand_ins(one_of_each))
    assert len(found) > DAYS * RULES.budget / 2
    assert {repeat for *_, repeat in found} == {False, True}
    assert {person[0] for person, *_ in found} == {"p", "n"}
    assert found == issued(rows)


def test_stand_ins_have_the_scores_of_the_person_and_the_named_have_none():
    rows = pl.DataFrame(
        {"at": [START] * 3, "person": ["ada", "bo", "cai"], "score": [0.9, 0.7, 0.8]}
    )
    drawn = ComparedPeople(3, named=pl.Series(["cai", "dan"]))
    found = drawn.with_stand_ins(rows)
    assert found.select("person", "score").rows() == [
        ("ada", 0.9),
        ("ada#1", 0.9),
        ("ada#2", 0.9),
        ("bo", 0.7),
        ("bo#1", 0.7),
        ("bo#2", 0.7),
        ("cai", 0.8),
    ]
    assert without_stand_ins(found)["person"].to_list() == ["ada"] * 3 + ["bo"] * 3 + ["cai"]


@pytest.fixture(scope="module")
def event_index():
    """A thousand residents."""
    return build_event_index(replace(district(), residents=residents(1000)))


def residents(number: int) -> pl.LazyFrame:
    return pl.LazyFrame({"person": [f"p{place:04}" for place in range(number)]}).with_columns(
        birth_month=pl.date(1980, 7, 1)
    )


WEEK = timedelta(days=7)
OF_CASES = pl.Series(["p0003", "p0500", "p0999", "elsewhere"])


def test_in_a_small_district_everybody_is_asked_about(event_index, monkeypatch):
    monkeypatch.setattr(stand_ins, "MOST_MOMENTS", 1000 * 7 * 3.7)
    everybody = draw_compared_people(event_index, named=OF_CASES, span=WEEK, seed=1)
    assert (everybody.times, everybody.codes) == (1, None)
    rows = scored_rows()
    assert everybody.with_stand_ins(rows) is rows


def test_of_a_large_district_some_and_all_who_are_named(event_index, monkeypatch):
    monkeypatch.setattr(stand_ins, "MOST_MOMENTS", 6500)
    drawn = draw_compared_people(event_index, named=OF_CASES, span=WEEK, seed=1)
    assert drawn.times == 4
    assert drawn.codes is not None
    people = event_index.people["person"][pl.Series(drawn.codes)]
    assert set(OF_CASES[:3]) < set(people)
    assert people.is_sorted()
    assert 200 < len(people) < 300
    other = draw_compared_people(event_index, named=OF_CASES, span=WEEK, seed=2)
    assert set(other.codes) != set(drawn.codes)
    learned_from = draw_share(event_index, 1 / drawn.times, seed=1)
    assert len(np.intersect1d(drawn.codes, learned_from)) < 100
