"""Models that an earlier version saved: they load, and speak today's names."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from numpy.testing import assert_array_equal

from features.catalogue.definitions import FORMER_NAMES, feature_names
from models.evaluation.drift import profile_features, profiles_from_json, profiles_to_json
from models.learning.risk import RiskModel
from models.registry import _load_pyfunc
from tests.models.small import small_model, small_rows

FORMER = ("lead_thread_talk_s", "outlay_cny")
TODAY = ("lead_relationship_talk_s", "new_payee_payment_cny")


def named(names: tuple[str, ...]) -> pl.DataFrame:
    return small_rows().rename(dict(zip(small_model().features, names, strict=True)))


@pytest.fixture
def saved(tmp_path) -> Path:
    """The small model as an earlier version saved it."""
    facts = {
        "live_moments": 97.0,
        "quiet_moments": 103.0,
        "outcomes_fraud": 2.0,
        "episodes": 40.0,
        "profile": profiles_to_json(profile_features(named(FORMER), FORMER)),
    }
    replace(small_model(), features=FORMER, facts=facts).save(tmp_path)
    return tmp_path


def test_its_inputs_go_by_todays_names_and_predict_the_same(saved):
    model = RiskModel.load(saved)
    assert model.features == TODAY
    assert_array_equal(model.predict(named(TODAY)), small_model().predict(small_rows()))


def test_its_facts_and_feature_profiles_go_by_todays_names(saved):
    facts = dict(RiskModel.load(saved).facts)
    assert tuple(profiles_from_json(facts.pop("profile"))) == TODAY
    assert facts == {
        "positive_samples": 97.0,
        "negative_samples": 103.0,
        "dispositions_fraud": 2.0,
        "episodes": 40.0,
    }


@pytest.mark.parametrize("names", [FORMER, TODAY])
def test_mlflow_calls_it_with_the_names_of_its_signature_or_todays(saved, names):
    inputs = named(names).select(names).to_pandas()
    assert_array_equal(
        _load_pyfunc(str(saved)).predict(inputs), small_model().predict(small_rows())
    )


def test_a_former_name_is_no_name_of_today():
    assert not set(FORMER_NAMES) & set(feature_names())
    assert FORMER_NAMES["reputed_payees_7d"] == "bad_reputation_payees_7d"
