"""Boosters that share their bins, on rows whose inputs have few values: their bins are the same,
however many of the rows are looked at.
"""

import pickle

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.testing import assert_array_equal

from models.learning.boosters import (
    TreeCount,
    Tuning,
    feature_matrix,
    grow_boosters,
    grow_part,
    held_out_scores,
)

NAMES = ("calls_n", "payments_n")
PARAMS = {
    "objective": "binary",
    "learning_rate": 0.2,
    "num_leaves": 4,
    "min_data_in_leaf": 5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "num_threads": 2,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 4,
    "verbose": -1,
}


def rows() -> pl.DataFrame:
    """300 rows: of every five the one with many calls or payments has the label 1."""
    place = np.arange(300)
    return pl.DataFrame(
        {
            "calls_n": place % 5,
            "payments_n": place % 3,
            "label": ((place % 5 == 4) | (place % 15 == 2)).astype(np.int8),
            "weight": np.where(place % 2 == 0, 1.0, 3.0),
        }
    )


def grown(parts, **options) -> list[lgb.Booster]:
    frame = rows()
    asked = {"features": NAMES, "params": PARAMS, "rounds": 20, **options}
    return grow_boosters(frame, feature_matrix(frame, NAMES), parts, **asked)


def trees(booster: lgb.Booster) -> list[dict]:
    return booster.dump_model()["tree_info"]


FIRST, LAST = np.arange(300) < 200, np.arange(300) >= 100


def test_each_booster_is_the_one_that_its_rows_alone_grow():
    for part, found in zip((FIRST, LAST), grown([FIRST, LAST]), strict=True):
        alone = rows().filter(pl.Series(part))
        data = lgb.Dataset(
            alone.select(NAMES).to_numpy(),
            alone["label"].to_numpy(),
            weight=alone["weight"].to_numpy(),
            feature_name=list(NAMES),
        )
        assert found.num_trees() == 20
        assert trees(found) == trees(lgb.train(PARAMS, data, 20))


def test_how_many_grow_at_once_changes_no_tree():
    for one, another in zip(
        grown([FIRST, LAST]),
        grown([FIRST, LAST], params={**PARAMS, "num_threads": 1}),
        strict=True,
    ):
        assert one.model_to_string() == another.model_to_string()


def test_rows_that_were_sent_elsewhere_grow_the_same_boosters():
    def elsewhere(rows, parts, /, **_):
        assert rows.binned is not None  # these stay here
        there = pickle.loads(pickle.dumps(rows))
        return [pickle.loads(pickle.dumps(grow_part(there, part))) for part in parts]

    there = grown([FIRST, LAST], grow=elsewhere)
    for one, another in zip(grown([FIRST, LAST]), there, strict=True):
        assert one.model_to_string() == another.model_to_string()


def test_a_row_is_scored_by_the_booster_that_did_not_see_it():
    inputs = feature_matrix(rows(), NAMES)
    first, last = grown([FIRST, LAST])
    fold = np.where(FIRST, 1, 0)  # booster 0 saw the first 200 rows, booster 1 all but 100
    raw = held_out_scores([first, last], inputs, fold, threads=1)
    assert_array_equal(raw[~FIRST], first.predict(inputs[200:], raw_score=True))
    assert_array_equal(raw[FIRST], last.predict(inputs[:200], raw_score=True))


def test_trees_are_counted_aloud_five_times_over_all_boosters():
    said = []
    grown([FIRST, LAST], of="looking", say=said.append)
    assert said == [f"looking: {number} of 40 trees" for number in range(8, 41, 8)]


def test_fewer_trees_than_reports_are_told_one_by_one():
    said = []
    count = TreeCount(3, say=said.append)
    for _ in range(3):
        count(None)
    assert said == [f"boosters: {number} of 3 trees" for number in (1, 2, 3)]


def test_a_missing_value_is_nan():
    frame = pl.DataFrame({"calls_n": [1, None], "payments_n": [True, False]})
    assert_array_equal(feature_matrix(frame, NAMES), [[1.0, 1.0], [np.nan, 0.0]])


def test_a_constrained_risk_never_falls_while_something_grows_that_speaks_for_a_fraud():
    """Of 300 people those with most talk are honest. Age is no ground for anything."""
    names = ("stranger_talk_s_24h", "age_years")
    assert Tuning(monotone=True).constraints(names) == {"monotone_constraints": [1, 0]}
    assert Tuning().constraints(names) == {}
    place = np.arange(300)
    frame = pl.DataFrame(
        {
            "stranger_talk_s_24h": 60.0 * (place % 5),
            "age_years": 20.0 + place % 3,
            "label": (place % 5 == 3).astype(np.int8),
            "weight": np.ones(300),
        }
    )

    def scores(tuning: Tuning) -> np.ndarray:
        (booster,) = grow_boosters(
            frame,
            feature_matrix(frame, names),
            [np.ones(300, dtype=np.bool_)],
            features=names,
            params=PARAMS | tuning.constraints(names),
            rounds=20,
        )
        talk = np.array([[60.0 * minutes, 21.0] for minutes in range(5)])
        return booster.predict(talk, raw_score=True)

    free, constrained = scores(Tuning()), scores(Tuning(monotone=True))
    assert free[4] < free[3] - 1
    assert (np.diff(constrained) >= 0).all()
    assert constrained[3] > constrained[2] + 0.5
