"""The risk model on generated rows: whoever talked long and paid is live, with some exceptions."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import roc_auc_score

from data_contracts.errors import ModelError
from models.learning.risk import RiskModel, Tuning, fit_risk_model
from models.learning.scam_types import ScamTypes
from tests.models.drawn import on

FEATURES = ("talk_s", "paid_cny", "age_years")
TUNING = Tuning(rounds=40, learning_rate=0.05, min_data_in_leaf=10, lambda_l2=1.0, threads=1)
PEOPLE, PER_PERSON = 200, 4


def rows() -> pl.DataFrame:
    """800 moments of 200 people; every fifth person is an episode of one of two scam types."""
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(PEOPLE), PER_PERSON)
    live = person % 5 == 0
    police = person % 10 == 0
    number = len(person)
    case_id = [f"A{who}" if is_live else None for who, is_live in zip(person, live, strict=True)]
    scam_type = np.where(police, "police", "brushing")
    return pl.DataFrame(
        {
            "person": [f"p1_{who}" for who in person],
            "talk_s": rng.exponential(300, number) + np.where(police, 3_000, 0),
            "paid_cny": rng.exponential(500, number) + np.where(live & ~police, 5_000, 0),
            "age_years": pl.Series(rng.integers(16, 90, number), dtype=pl.Int64),
            "label": live.astype(np.int8),
            "weight": np.where(live, 25.0, 10.0),
            "sampling_weight": np.where(live, 1.0, 10.0),
            "case_id": case_id,
            "scam_type": [
                kind if is_live else None for kind, is_live in zip(scam_type, live, strict=True)
            ],
        }
    ).with_columns(age_years=pl.when(pl.col("age_years") > 80).then(None).otherwise("age_years"))


def fitted(frame: pl.DataFrame, *, seed: int = 0, features=FEATURES, tuning: Tuning = TUNING):
    return fit_risk_model(frame, features=features, at=on(20), tuning=tuning, seed=seed)


@pytest.fixture(scope="module")
def trained() -> tuple[RiskModel, np.ndarray]:
    return fitted(rows())


@pytest.fixture
def model(trained) -> RiskModel:
    return replace(trained[0], facts={"episodes": 40.0, "district": "回民区"})


def test_it_tells_the_live_from_the_quiet_and_one_scam_from_the_other(trained):
    model, raw = trained
    frame = rows()
    assert roc_auc_score(frame["label"], raw) > 0.95
    live = frame.filter(label=1)
    assert (pl.Series(model.predict_scam_type(live)) == live["scam_type"]).mean() > 0.95
    assert model.scam_types == ("brushing", "police")
    assert model.trained_at == on(20)


def test_probabilities_add_up_to_the_live_moments_among_all_that_rows_stand_for(trained):
    model, raw = trained
    frame = rows()
    promised = float((model.calibration(raw) * frame["sampling_weight"].to_numpy()).sum())
    assert promised == pytest.approx(160, rel=0.02)


def test_the_same_seed_grows_the_same_trees_and_another_seed_others(trained):
    again, raw = fitted(rows())
    assert again.booster.model_to_string() == trained[0].booster.model_to_string()
    assert_array_equal(raw, trained[1])
    assert fitted(rows(), seed=1)[0].booster.model_to_string() != again.booster.model_to_string()


def test_the_number_of_threads_changes_no_tree(trained):
    parallel, _ = fitted(rows(), tuning=replace(TUNING, threads=2))
    assert (
        parallel.booster.dump_model()["tree_info"] == trained[0].booster.dump_model()["tree_info"]
    )


def test_out_of_fold_scores_know_nothing_of_the_person():
    """Columns that tell people apart betray everything to whoever has seen the person, and nothing
    to others.
    """
    marks = np.random.default_rng(2).random((PEOPLE, 6)).repeat(PER_PERSON, axis=0)
    names = tuple(f"mark_{column}" for column in range(6))
    marked = rows().with_columns(
        pl.Series(name, marks[:, column]) for column, name in enumerate(names)
    )
    model, raw = fitted(
        marked, features=names, tuning=replace(TUNING, min_data_in_leaf=2, rounds=150)
    )
    assert roc_auc_score(marked["label"], model.predict(marked)) > 0.95
    assert roc_auc_score(marked["label"], raw) == pytest.approx(0.5, abs=0.15)


def test_a_saved_model_is_read_back_the_same(model, tmp_path):
    digest = model.save(tmp_path / "model")
    loaded = RiskModel.load(tmp_path / "model", digest=digest)
    frame = rows()
    assert_array_equal(loaded.predict(frame), model.predict(frame))
    assert loaded.predict_scam_type(frame) == model.predict_scam_type(frame)
    assert (loaded.features, loaded.scam_types, loaded.calibration) == (
        FEATURES,
        model.scam_types,
        model.calibration,
    )
    assert (loaded.trained_at, loaded.facts) == (on(20), {"episodes": 40.0, "district": "回民区"})
    assert loaded.save(tmp_path / "again") == digest


@pytest.mark.parametrize("name", ["model.txt", "types.txt", "model.json"])
def test_a_changed_file_is_refused(model, tmp_path, name):
    digest = model.save(tmp_path)
    text = (tmp_path / name).read_text()
    (tmp_path / name).write_text(text.replace("0", "1", 1))
    with pytest.raises(ModelError, match="not the one that was registered"):
        RiskModel.load(tmp_path, digest=digest)


def test_another_models_digest_is_refused(model, trained, tmp_path):
    other = fitted(rows(), seed=9)[0].save(tmp_path / "other")
    model.save(tmp_path / "model")
    with pytest.raises(ModelError, match="not the one that was registered"):
        RiskModel.load(tmp_path / "model", digest=other)


def test_a_model_without_scam_types_leaves_none_of_an_earlier_one_behind(model, tmp_path):
    model.save(tmp_path)
    plain = replace(model, types=ScamTypes())
    assert RiskModel.load(tmp_path, digest=plain.save(tmp_path)).types.booster is None


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelError, match="no model in"):
        RiskModel.load(tmp_path)


def test_a_snapshot_that_lacks_inputs_is_told(model):
    with pytest.raises(ModelError, match="the snapshot lacks paid_cny, talk_s") as caught:
        model.predict(rows().drop("talk_s", "paid_cny"))
    assert caught.value.remedy


def test_a_missing_value_is_nan_and_columns_may_come_in_any_order(model):
    frame = rows()
    inputs = model.matrix(frame.select(reversed(frame.columns)))
    assert inputs.shape == (800, 3)
    assert inputs.dtype == np.float64
    assert_array_equal(inputs, model.matrix(frame))
    assert np.isnan(inputs[:, 2]).sum() == frame["age_years"].null_count() > 0


@pytest.mark.parametrize(
    ("kept", "number"),
    [
        (pl.col("label") == 0, 0),
        (pl.col("case_id").is_null() | pl.col("case_id").is_in(["A0", "A5", "A10", "A15"]), 4),
    ],
)
def test_too_few_episodes_are_told(kept, number):
    with pytest.raises(
        ModelError, match=f"only {number} episodes with a trace are known before 2026-06-20 00:00"
    ):
        fitted(rows().filter(kept))


def test_rows_of_live_moments_alone_teach_nothing():
    with pytest.raises(ModelError):
        fitted(rows().filter(label=1))
    with pytest.raises(ModelError):
        fitted(rows().clear())


def test_a_type_that_no_probability_reaches_is_unknown(model):
    frame = rows().filter(label=1).head(8)
    assert model.types.predict_names(model.matrix(frame), min_probability=1.1) == ["unknown"] * 8
    assert model.predict_scam_type(frame.clear()) == []


def test_one_type_alone_is_not_told():
    one, _ = fitted(
        rows().with_columns(scam_type=pl.when(pl.col("label") == 1).then(pl.lit("police")))
    )
    assert (one.types.booster, one.scam_types) == (None, ())
    assert one.predict_scam_type(rows().head(2)) == ["unknown", "unknown"]
