"""A model learned from the event store is the model learned from all events laid out at once."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.event_index import build_event_index
from models.evaluation.true_episodes import episodes_from_truth, taught_stories
from models.labels import drawn_people
from models.labels.drawn_people import draw_people
from models.labels.sampling import Sampling, draw_training_samples
from pipelines.backtesting.experiments import read_truth
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.event_store.loading import load_event_index
from pipelines.training.learn import TRAINING_HISTORY, find_training_labels, learn_risk_model
from tests.pipelines.district import TRAIN_AT

FEW_TREES = {"rounds": 5, "negative_samples": 1500, "outage_share": 0.15}


@pytest.fixture(scope="module")
def settings(district):
    training = district.training.model_copy(update=FEW_TREES)
    return district.model_copy(update={"training": training})


@pytest.fixture(scope="module")
def tables(settings):
    return source_tables_before(settings, at=TRAIN_AT, span=TRAINING_HISTORY)


@pytest.fixture(scope="module")
def indexes(settings, tables):
    return load_event_index(settings, tables, at=TRAIN_AT), build_event_index(tables)


@pytest.fixture(scope="module", params=[None, 40_000], ids=["everybody", "some people"])
def learned(request, settings, tables, indexes):
    """The model and its rows, from the store and at once."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param:
            patch.setattr(drawn_people, "MOST_EVENTS", request.param)
        return tuple(
            learn_risk_model(index, tables, at=TRAIN_AT, seed=3, settings=settings)
            for index in indexes
        )


def test_it_learns_the_same_from_the_store(learned):
    (model, rows), (other, expected) = learned
    codes = ("lead_peer_code", "lead_payee_code")
    assert rows["feeds_missing_n"].max() > 0
    assert_frame_equal(rows.drop(codes), expected.drop(codes), check_dtypes=False)
    assert dict(model.facts) == pytest.approx(dict(other.facts))
    inputs = model.matrix(rows)
    np.testing.assert_allclose(model.booster.predict(inputs), other.booster.predict(inputs))


def test_of_a_large_district_some_people_stand_for_all(settings, tables, indexes, monkeypatch):
    labels = find_training_labels(indexes[0], tables, at=TRAIN_AT, settings=settings)

    def draw() -> pl.DataFrame:
        return draw_training_samples(
            indexes[0],
            labels.episodes,
            at=TRAIN_AT,
            sampling=Sampling(negatives=4000),
            seed=3,
            drawn=draw_people(indexes[0], at=TRAIN_AT, seed=3),
        )

    everybody = draw()
    monkeypatch.setattr(drawn_people, "MOST_EVENTS", 40_000)
    some = draw()
    live = pl.col("label") == 1
    assert_frame_equal(some.filter(live), everybody.filter(live))
    assert some.filter(~live)["person"].n_unique() < everybody["person"].n_unique() / 2
    moments = [rows.filter(~live)["sampling_weight"].sum() for rows in (some, everybody)]
    assert moments[0] == pytest.approx(moments[1], rel=0.1)


def test_a_ceiling_learns_from_every_story_that_was_over(settings, tables, indexes):
    """Reported or not, whatever came of it; what is still running then it does not know."""
    truth = read_truth(settings.home.parent / "landing" / "truth.parquet", settings=settings)
    stories = episodes_from_truth(truth)
    _, rows = learn_risk_model(
        indexes[0], tables, at=TRAIN_AT, seed=3, settings=settings, stories=stories
    )
    _, usual = learn_risk_model(indexes[0], tables, at=TRAIN_AT, seed=3, settings=settings)
    learned = rows.filter(pl.col("case_id").is_not_null())
    known = stories.join(learned.select("case_id").unique(), on="case_id", how="semi")
    assert known["case_id"].n_unique() == learned["case_id"].n_unique()
    assert known["closed_at"].max() < TRAIN_AT
    assert set(known["outcome"]) == {"loss", "attempt", "contact"}
    assert known["person"].n_unique() > 2 * usual.drop_nulls("case_id")["person"].n_unique()
    told = taught_stories(truth, contacts_unclear=True)
    _, serious = learn_risk_model(
        indexes[0], tables, at=TRAIN_AT, seed=3, settings=settings, stories=told
    )
    reported = pl.col("case_id").is_not_null()
    taught = stories.join(serious.select("case_id").unique(), on="case_id", how="semi")
    assert set(taught["outcome"]) == {"loss", "attempt"}
    assert set(known.filter(pl.col("outcome") != "contact")["case_id"]) <= set(taught["case_id"])
    contacts = stories.filter(pl.col("outcome") == "contact", pl.col("closed_at") < TRAIN_AT)
    inside = serious.filter(~reported).join(contacts, on="person")
    assert inside.filter(pl.col("at").is_between("opened_at", "closed_at")).is_empty()
    running = stories.filter(pl.col("opened_at") < TRAIN_AT, pl.col("closed_at") >= TRAIN_AT)
    assert len(running) > 0
