"""Intervals by drawing whole people again."""

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.bootstrap import Interval, Resamples, percentile_interval
from tests.examples import examples

ROWS = pl.DataFrame({"person": ["ada", "ada", "bo"], "lead_h": [1.0, 2.0, 10.0]})
BOTH = pl.Series(["bo", "ada", "ada"])


def test_two_people_are_drawn_in_every_way_and_a_person_whole():
    totals = Resamples(BOTH, draws=400).totals(ROWS, pl.col("lead_h"))
    ways = {a + b for a, b in product([3.0, 10.0], repeat=2)}
    assert set(totals) == ways == {6.0, 13.0, 20.0}
    assert np.mean(totals == 13.0) == pytest.approx(0.5, abs=0.08)


def test_a_median_follows_the_people_drawn():
    resamples = Resamples(BOTH, draws=400)
    totals, medians = resamples.totals(ROWS, pl.col("lead_h")), resamples.medians(ROWS, "lead_h")
    assert {(total, median) for total, median in zip(totals, medians, strict=True)} == {
        (6.0, 1.0),  # ada twice: 1 1 2 2
        (13.0, 2.0),  # 1 2 10
        (20.0, 10.0),
    }


def test_nobody_has_no_interval():
    none = Resamples(pl.Series([], dtype=pl.String))
    assert percentile_interval(none.medians(ROWS.clear(), "lead_h")) is None
    assert percentile_interval(none.totals(ROWS.clear(), pl.col("lead_h")) / np.nan) is None


def test_an_interval_leaves_out_five_draws_of_a_hundred_on_either_side():
    assert percentile_interval(np.array([*range(101), np.nan])) == Interval(5.0, 95.0)
    assert Interval(-1.0, 2.0).contains(0)
    assert not Interval(1.0, 2.0).contains(0)


@examples(25)
@given(counts=st.lists(st.integers(0, 5), min_size=1, max_size=12), seed=st.integers(0, 9))
def test_every_draw_takes_as_many_people_as_there_are(counts, seed):
    people = pl.Series([f"p{number}" for number in range(len(counts))])
    rows = pl.DataFrame({"person": people, "number": counts})
    resamples = Resamples(people, draws=20, seed=seed)
    assert set(resamples.totals(rows, pl.lit(1.0))) == {len(counts)}
    totals = resamples.totals(rows, pl.col("number"))
    assert (totals >= len(counts) * min(counts)).all()
    assert (totals <= len(counts) * max(counts)).all()
