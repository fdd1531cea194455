import lightgbm as lgb
import numpy as np
import polars as pl
import pytest

from features.catalogue.definitions import model_inputs
from models.learning.calibration import Calibration
from models.learning.risk import RiskModel
from tests.benchmarks.comparisons import explanations
from tests.benchmarks.comparisons.explanations import compare_explanations
from tests.features.districts import NOON

ROWS = 200


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Made-up values of every input, some of them missing."""
    rng = np.random.default_rng(1)
    values = {name: rng.exponential(3, ROWS) for name in model_inputs()}
    frame = pl.DataFrame(values)
    return frame.with_columns(pl.when(pl.all() > 0.5).then(pl.all()))


@pytest.fixture(scope="module")
def model(rows) -> RiskModel:
    features = model_inputs()
    label = (rows[features[0]].fill_null(0) + rows[features[1]].fill_null(0) > 6).to_numpy()
    data = lgb.Dataset(rows.select(features).to_numpy(), label=label)
    parameters = {"objective": "binary", "verbose": -1, "num_threads": 1}
    booster = lgb.train(parameters, data, num_boost_round=5)
    return RiskModel(booster, features, Calibration(), NOON)


def test_the_peers_give_our_contributions(model, rows) -> None:
    found = compare_explanations(model, rows, runs=1)
    assert [(row.name, row.peer) for row in found] == [
        (f"explanation of {what}", peer)
        for what in ("1 score", "200 scores")
        for peer in ("shap.TreeExplainer", "LightGBM, pred_contrib")
    ]
    assert all(row.difference <= 1e-9 for row in found)


def test_other_contributions_are_noticed(model, rows, monkeypatch) -> None:
    wrong = explanations.explain_with_lightgbm(model, model.matrix(rows.head(1))) + 1
    monkeypatch.setattr(explanations, "explain_with_lightgbm", lambda *_: wrong)
    with pytest.raises(ValueError, match="differ by"):
        compare_explanations(model, rows, runs=1)
