"""The registry on a real MLflow store in SQLite."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from data_contracts.errors import ModelError, NotReadyError
from models.registry.model_registry import ModelRegistry
from tests.models.small import AT, PERSON, small_model, small_rows

VERSIONS = {
    "data_version": "calls=3,residents=1",
    "contract_version": "1.0.0",
    "git_revision": "abc1234",
}


def new_registry(folder: Path) -> ModelRegistry:
    return ModelRegistry(
        f"sqlite:///{folder / 'mlflow.db'}", artifacts=folder / "mlruns", store=folder / "models"
    )


def record(registry: ModelRegistry, *, rounds: int = 3):
    return registry.record(
        small_model(rounds=rounds),
        params={"rounds": rounds, "learning_rate": 0.1},
        metrics={"precision_at_budget": 0.7, "baseline_precision_at_budget": 0.2},
        card="# victim-risk\nA model of three trees.",
        rows=small_rows(),
        versions=VERSIONS,
        charts={"importance": "<svg/>"},
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Three versions on record; the first two were promoted one after the other."""
    folder = tmp_path_factory.mktemp("home")
    registry = new_registry(folder)
    assert registry.champion() is None
    assert registry.challenger() is None
    for rounds in (3, 4, 5):
        version = record(registry, rounds=rounds)
        if rounds < 5:
            registry.promote(version.version, at=AT)
    return folder


@pytest.fixture
def registry(home):
    return new_registry(home)


@pytest.fixture
def client(registry):
    return registry._client


def test_versions_count_up_and_the_last_is_the_challenger(registry):
    assert str(registry.challenger()) == "victim-risk/3"
    assert str(registry.champion()) == "victim-risk/2"


def test_a_loaded_model_predicts_as_the_recorded_one(registry):
    assert_array_equal(
        registry.load(registry.find("1")).predict(small_rows()), small_model().predict(small_rows())
    )


def test_run_holds_what_the_model_was_made_of(registry, client):
    version = registry.find("1")
    run = client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"rounds": "3", "learning_rate": "0.1"}
    assert registry.metrics(version) == {
        "precision_at_budget": 0.7,
        "baseline_precision_at_budget": 0.2,
    }
    assert {name: run.data.tags[name] for name in VERSIONS} == VERSIONS
    assert run.data.tags["digest"] == version.digest
    assert {file.path for file in client.list_artifacts(version.run_id)} >= {
        "model_card.md",
        "figures",
    }
    registered = client.get_model_version("victim-risk", "1")
    assert registered.tags["trained_at"] == "2026-07-05T00:00:00+08:00"
    assert registered.description.startswith("# victim-risk")


def test_mlflow_loads_it_with_its_signature_and_without_pickle(registry):
    import mlflow

    mlflow.set_tracking_uri(registry._uri)
    model = mlflow.pyfunc.load_model("models:/victim-risk@champion")
    assert model.metadata.signature.inputs.input_names() == ["talk_24h_s", "new_debit_cny_24h"]
    answer = model.predict(small_rows().select("talk_24h_s", "new_debit_cny_24h").to_pandas())
    assert_array_equal(np.asarray(answer), small_model(rounds=4).predict(small_rows()))


def test_no_row_and_no_pickle_reaches_mlflow(home):
    files = [path for path in [home / "mlflow.db", *(home / "mlruns").rglob("*")] if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}]
    for path in files:
        assert PERSON.encode() not in path.read_bytes(), path


def test_champion_is_loaded_without_importing_mlflow(home):
    program = f"""
import sys
from pathlib import Path
from models.registry.model_registry import ModelRegistry
home = Path({str(home)!r})
registry = ModelRegistry(
    f"sqlite:///{{home / 'mlflow.db'}}", artifacts=home / "mlruns", store=home / "models"
)
assert registry.load(registry.champion()).features == ("talk_24h_s", "new_debit_cny_24h")
assert "mlflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_damaged_shelf_is_filled_again_from_mlflow(home, registry):
    version = registry.find("1")
    (home / "models/1/model.txt").write_text("not a tree")
    assert registry.load(version).features == ("talk_24h_s", "new_debit_cny_24h")
    assert (home / "models/1/model.txt").read_text().startswith("tree")


def test_a_model_that_is_not_the_registered_one_is_refused_everywhere(home, registry):
    version = registry.find("3")
    copies = [home / "models/3/model.json", *(home / "mlruns").rglob("model.json")]
    before = {path: path.read_text() for path in copies}
    for path in copies:
        path.write_text(before[path].replace('"slope": 1.0', '"slope": 9.0'))
    try:
        with pytest.raises(ModelError, match="is not the one that was registered"):
            registry.load(version)
    finally:
        for path in copies:
            path.write_text(before[path])


def test_promotion_roll_back_and_what_mlflow_says_agree(tmp_path):
    registry = new_registry(tmp_path)
    versions = [record(registry, rounds=rounds).version for rounds in (3, 4, 5)]
    for version in [*versions, "3"]:  # the last again: nothing happens
        registry.promote(version, at=AT)
    assert registry.roll_back(at=AT).version == "2"
    assert registry.roll_back(at=AT).version == "1"
    assert registry.champion() == registry._aliased("champion") == registry.find("1")
    with pytest.raises(NotReadyError):
        registry.roll_back(at=AT)
    tags = registry._client.get_model_version("victim-risk", "3").tags
    assert tags["promoted_at"] == tags["rolled_back_at"] == "2026-07-05T00:00:00+08:00"


def test_an_alias_moved_in_mlflow_is_followed(tmp_path):
    registry = new_registry(tmp_path)
    assert registry.follow_alias() is None
    first, second = record(registry), record(registry, rounds=4)
    registry.promote(first.version, at=AT)
    registry._client.set_registered_model_alias("victim-risk", "champion", second.version)
    assert registry.champion() == first
    assert registry.follow_alias() == second
    assert registry.champion() == second
    assert registry.roll_back(at=AT) == first


def test_unknown_versions_and_rows_without_the_inputs_are_refused(tmp_path):
    registry = new_registry(tmp_path)
    with pytest.raises(NotReadyError, match="there is no victim-risk/9"):
        registry.promote("9", at=AT)
    with pytest.raises(ModelError, match="the training rows lack new_debit_cny_24h"):
        registry.record(
            small_model(),
            params={},
            metrics={},
            card="",
            rows=pl.DataFrame({"talk_24h_s": [1.0]}),
            versions=VERSIONS,
        )
    assert registry.challenger() is None


def test_a_pointer_that_names_no_model_is_told(tmp_path):
    registry = new_registry(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/champion.json").write_text(json.dumps({"version": "1"}))
    with pytest.raises(ModelError, match=r"champion\.json does not name a model"):
        registry.champion()
