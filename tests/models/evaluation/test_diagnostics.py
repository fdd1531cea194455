from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from models.evaluation.diagnostics import (
    calibration_bins,
    diagnose_model,
    feature_aucs,
    out_of_fold_probabilities,
    sample_budget_curve,
)
from models.learning.calibration import Calibration
from tests.models.small import small_model

TEN = pl.DataFrame(
    {
        "label": [0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
        "sampling_weight": [10.0] * 6 + [1.0] * 4,
        "case_id": [None] * 6 + ["c1", "c1", "c2", "c3"],
        "raw": [-5.0, -4.0, -3.0, -2.0, -1.0, 2.0, 1.0, 3.0, 4.0, -2.5],
        "talk_24h_s": [0.0, 0.0, 0.0, 0.0, 0.0, 900.0, 900.0, 1200.0, 1500.0, None],
        "new_debit_cny_24h": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
        "stranger_calls_24h": [0] * 9 + [3],
        "stranger_max_talk_24h_s": [0.0] * 9 + [1200.0],
    }
)


def test_each_feature_alone_and_missing_is_lowest():
    aucs = feature_aucs(TEN, ("talk_24h_s", "new_debit_cny_24h"))
    # talk: of 24 pairs the three known victims win 5 + 6 + 6, one pair is even, the missing one
    # loses all: 17.5 / 24
    assert aucs.to_dict(as_series=False) == {
        "feature": ["new_debit_cny_24h", "talk_24h_s"],
        "auc": [1.0, pytest.approx(17.5 / 24)],
    }


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_feature_auc_is_the_one_of_scikit_learn(rows):
    labels, values = np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows])
    found = feature_aucs(
        pl.DataFrame({"label": labels.astype(np.int8), "value": values}), ("value",)
    )
    if labels.all() or not labels.any():
        assert found.is_empty()
    else:
        auc = roc_auc_score(labels, values)
        assert found["auc"].item() == pytest.approx(max(auc, 1 - auc))


def test_bins_hold_equal_numbers_of_live_moments():
    scored = pl.DataFrame(
        {
            "label": [1] * 20 + [0] * 20,
            "sampling_weight": [1.0] * 20 + [3.0] * 20,
            "probability": [step / 40 + 0.25 for step in range(20)] * 2,
        }
    )
    bins = calibration_bins(scored)
    assert len(bins) == 10
    assert bins["observed"].to_list() == [0.25] * 10
    assert bins["moments"].to_list() == [8.0] * 10
    assert bins["predicted"].to_list() == pytest.approx(
        [0.2625 + 0.05 * step for step in range(10)]
    )


def test_bins_without_live_moments_are_none():
    assert calibration_bins(
        pl.DataFrame({"label": [0], "sampling_weight": [1.0], "probability": [0.2]})
    ).is_empty()


def test_model_is_judged_by_its_out_of_fold_scores():
    model = replace(small_model(), calibration=Calibration(slope=1.0, intercept=0.0))
    assert out_of_fold_probabilities(model, TEN)[:2].to_list() == pytest.approx(
        [0.0066929, 0.0179862], abs=1e-6
    )
    found = diagnose_model(model, TEN)
    assert found["max_feature_auc"] == 1.0
    # four bins, with shares 1/31, 1/21, 1/11 … of live moments at best: far from what is promised
    assert 0.2 < found["calibration_error"] < 0.5


def test_rows_without_any_victim_measure_nothing():
    found = diagnose_model(small_model(), TEN.filter(pl.col("label") == 0))
    assert all(np.isnan(value) for value in found.values())


def test_budgets_buy_what_the_best_rows_hold():
    curves = sample_budget_curve(TEN)
    model = curves.filter(pl.col("scorer") == "model")
    assert model["alerted"].to_list()[:3] == pytest.approx([1e6 / 64, 2e6 / 64, 12e6 / 64])
    assert model["precision"].to_list()[:4] == pytest.approx([1.0, 1.0, 2 / 12, 3 / 13])
    assert model["coverage"].to_list()[:4] == pytest.approx([1 / 3, 2 / 3, 2 / 3, 2 / 3])
    assert model["coverage"].to_list()[-1] == 1.0
    rule = curves.filter(pl.col("scorer") == "rule")
    assert rule.row(0)[1:] == pytest.approx(
        (1e6 / 64, 1.0, 1 / 3)
    )  # the one with three calls and a long one is best
