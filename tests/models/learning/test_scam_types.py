"""Which fraud it is, and how sure one may be."""

import numpy as np
import polars as pl
import pytest

from models.learning.scam_types import (
    ScamTypes,
    apply_temperature,
    best_temperature,
    fit_scam_types,
)

PARAMS = {"learning_rate": 0.1, "verbose": -1, "num_threads": 1, "seed": 0, "deterministic": True}


def told(
    count: int = 200, *, noise: float = 0.0, seed: int = 0
) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Live moments of two types told apart by one input, a share of them under the wrong type."""
    rng = np.random.default_rng(seed)
    brushing = rng.random(count) < 0.5
    wrong = rng.random(count) < noise
    names = np.where(brushing ^ wrong, "brushing", "police")
    rows = pl.DataFrame(
        {"label": np.ones(count, np.int8), "scam_type": names, "weight": np.ones(count)}
    )
    return (
        rows,
        np.column_stack([brushing + rng.normal(0, 0.01, count), rng.normal(size=count)]),
        np.arange(count) % 3,
    )


def test_types_that_differ_are_told_apart_and_measured_out_of_fold():
    rows, inputs, fold = told()
    types = fit_scam_types(rows, inputs=inputs, fold=fold, params=PARAMS)
    assert types.names == ("brushing", "police")
    assert types.metrics["type_accuracy"] > 0.99
    assert types.predict_names(np.array([[1.0, 0.0], [0.0, 0.0]])) == ["brushing", "police"]
    assert types.probabilities(inputs).sum(axis=1) == pytest.approx(np.ones(200))


def test_chances_promise_what_they_keep_where_reports_are_often_wrong():
    rows, inputs, fold = told(600, noise=0.3)
    types = fit_scam_types(rows, inputs=inputs, fold=fold, params=PARAMS)
    sure = types.probabilities(inputs).max(axis=1).mean()
    assert sure == pytest.approx(0.7, abs=0.08)  # seven of ten are what they are called


def test_a_temperature_of_one_changes_nothing_and_a_higher_one_is_less_sure():
    probabilities = np.array([[0.9, 0.1]])
    assert apply_temperature(probabilities, 1.0) == pytest.approx(probabilities)
    assert apply_temperature(probabilities, 2.0) == pytest.approx(
        np.array([[0.75, 0.25]])
    )  # roots 0.949 and 0.316


def test_the_temperature_answers_for_boasting():
    boast = np.array([[0.99, 0.01]] * 10)
    right = np.array([0] * 7 + [1] * 3)
    assert best_temperature(boast, right, np.ones(10)) == pytest.approx(
        5.0, abs=0.1
    )  # 0.7 would need more still


def test_nothing_is_named_where_nothing_is_known():
    assert ScamTypes().predict_names(np.zeros((2, 3))) == ["unknown", "unknown"]
    rows, inputs, fold = told()
    alone = rows.with_columns(scam_type=pl.lit("police"))
    assert fit_scam_types(alone, inputs=inputs, fold=fold, params=PARAMS).names == ()
