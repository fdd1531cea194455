"""Parameters are searched by time: seeded, within bounds, beginning with the present ones."""

from datetime import timedelta

import polars as pl
import pytest

from models.learning.risk import Tuning
from models.learning.tuning import (
    SEARCH_SPACE,
    TimeSplit,
    later_average_precision,
    later_samples,
    search_parameters,
    searched_values,
)
from tests.models.drawn import on

PRESENT = Tuning(rounds=120, learning_rate=0.05, num_leaves=8)


def few_leaves(tuning: Tuning) -> float:
    return -abs(tuning.num_leaves - 20) - tuning.learning_rate


def test_a_search_begins_with_the_present_parameters_and_ends_with_the_best():
    found = search_parameters(few_leaves, current=PRESENT, trials=12, seed=1)
    assert found.trials[0] == (searched_values(PRESENT), pytest.approx(few_leaves(PRESENT)))
    assert found.current_quality == pytest.approx(-12.05)
    assert found.quality == max(value for _, value in found.trials) > found.current_quality
    assert few_leaves(found.best) == found.quality
    assert (found.best.folds, found.best.threads) == (PRESENT.folds, PRESENT.threads)


def test_the_same_seed_makes_the_same_search_and_every_trial_is_told():
    values: list[float] = []
    first = search_parameters(
        few_leaves,
        current=PRESENT,
        trials=5,
        seed=1,
        on_trial=lambda _, value: values.append(value),
    )
    assert values == [value for _, value in first.trials]
    assert search_parameters(few_leaves, current=PRESENT, trials=5, seed=1) == first
    assert search_parameters(few_leaves, current=PRESENT, trials=5, seed=2) != first


def test_trials_stay_within_the_space_and_whole_numbers_stay_whole():
    found = search_parameters(few_leaves, current=Tuning(rounds=3, lambda_l2=0.0), trials=6, seed=4)
    for parameters, _ in found.trials:
        assert all(low <= parameters[name] <= high for name, (low, high) in SEARCH_SPACE.items())
        assert isinstance(parameters["rounds"], int)
        assert isinstance(parameters["num_leaves"], int)


def test_moments_near_the_cut_and_of_episodes_known_before_it_are_not_judged():
    split = TimeSplit.before(on(20), judged=timedelta(days=5), purge=timedelta(days=1))
    assert split == TimeSplit(on(14), on(15), on(20))
    moments = pl.DataFrame(
        {
            "at": [on(14, 12), on(15), on(16), on(17), on(20)],
            "case_id": ["new", None, "old", "new", None],
        }
    )
    known = pl.DataFrame({"case_id": ["old", "older"]})
    assert later_samples(moments, split, known=known)["at"].to_list() == [on(15), on(17)]


def test_quality_is_high_where_the_later_moments_were_learnt_and_low_by_chance(trained):
    tuning = Tuning(rounds=40, threads=1)
    asked = {"features": trained.model.features, "at": trained.model.trained_at, "seed": 0}
    own = later_average_precision(tuning, trained.rows, trained.rows, **asked)
    mixed = trained.rows.with_columns(
        pl.col("label", "weight", "sampling_weight", "case_id", "scam_type").shuffle(seed=1)
    )
    blind = later_average_precision(tuning, mixed, trained.rows, **asked)
    base = (
        trained.rows.filter(label=1)["sampling_weight"].sum()
        / trained.rows["sampling_weight"].sum()
    )
    assert own > 0.3
    assert blind < 10 * base
