"""A search over a small district, tracked in MLflow; its answer can be pasted into the settings."""

import tomllib
from datetime import timedelta

import pytest

from data_contracts.errors import NotReadyError
from models.learning.risk import Tuning
from models.learning.tuning import searched_values
from pipelines.settings import Settings
from pipelines.training.learn import tuning_from_settings
from pipelines.training.tune import tune
from tests.pipelines.district import TRAIN_AT


@pytest.fixture(scope="module")
def settings(own_district):
    quick = own_district.training.model_copy(update={"rounds": 15, "negative_samples": 1_000})
    return own_district.model_copy(update={"training": quick})


@pytest.fixture(scope="module")
def found(settings):
    return tune(settings, at=TRAIN_AT, trials=2, seed=1, judged=timedelta(days=6))


def test_the_first_trial_is_the_present_parameters_and_the_best_is_no_worse(found):
    assert found.trials == 2
    assert 0 <= found.current_quality <= found.quality <= 1
    assert found.later_episodes > 5


def test_trials_are_runs_below_the_search(settings, found):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=settings.mlflow_database_url)
    search = client.get_run(found.run_id)
    assert search.info.run_name == "search"
    assert search.data.metrics == {"average_precision": pytest.approx(found.quality)}
    below = f"tags.`mlflow.parentRunId` = '{found.run_id}'"
    trials = client.search_runs([search.info.experiment_id], filter_string=below)
    values = [run.data.metrics["average_precision"] for run in trials]
    assert len(values) == 2
    assert max(values) == pytest.approx(found.quality)
    assert {run.data.params["num_leaves"] for run in trials} >= {
        "31",
        str(found.best["num_leaves"]),
    }


def test_the_answer_can_be_pasted_into_the_settings(tmp_path, found):
    (tmp_path / "forestall.toml").write_text(found.text)
    assert set(tomllib.loads(found.text)["training"]) == set(found.best)
    assert searched_values(tuning_from_settings(Settings.load(tmp_path))) == pytest.approx(
        dict(found.best), rel=1e-3
    )


def test_without_a_word_in_the_settings_the_parameters_are_the_models_own(tmp_path):
    assert tuning_from_settings(Settings(home=tmp_path)) == Tuning()


def test_without_new_cases_there_is_nothing_to_judge_by(settings, monkeypatch):
    monkeypatch.setattr("pipelines.training.tune.learn_risk_model", lambda *_, **__: (None, None))
    with pytest.raises(NotReadyError, match="no episode since 2026-06-25"):
        tune(settings, at=TRAIN_AT, trials=1, judged=timedelta(minutes=15))
