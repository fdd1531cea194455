"""Why a person is on the list: contributions that add up, and reasons a person can read."""

from dataclasses import replace

import numpy as np
import pytest

from data_contracts.errors import ModelError
from features.catalogue.definitions import GROUPS
from models.evaluation.explain import Explanation, explain_scores


@pytest.fixture(scope="module")
def best(trained):
    """The fifty moments that score highest, as they would be alerted."""
    return trained.rows.sort("raw", descending=True).head(50)


@pytest.fixture(scope="module")
def explained(trained, best) -> list[Explanation]:
    return explain_scores(trained.model, best)


def test_base_and_contributions_add_up_to_the_score_of_the_list(trained, best, explained):
    raw = np.array([one.base + sum(one.contributions.values()) for one in explained])
    np.testing.assert_allclose(
        raw, trained.model.booster.predict(trained.model.matrix(best), raw_score=True), atol=1e-6
    )
    np.testing.assert_allclose(
        trained.model.calibration(raw), trained.model.predict(best), atol=1e-6
    )


def test_contributions_are_those_that_shap_itself_computes(trained, best, explained):
    import shap  # takes seconds: for this test alone

    parts = shap.TreeExplainer(trained.model.booster)(trained.model.matrix(best))
    found = [list(one.contributions.values()) for one in explained]
    np.testing.assert_allclose(found, parts.values, atol=1e-9)
    np.testing.assert_allclose([one.base for one in explained], parts.base_values, atol=1e-9)


def test_values_are_those_of_the_snapshot_with_none_for_missing(trained, best, explained):
    for row, one in zip(best.iter_rows(named=True), explained, strict=True):
        assert list(one.values) == list(one.contributions) == list(trained.model.features)
        for name, value in one.values.items():
            assert value == (None if row[name] is None else float(row[name])), name


def test_every_alert_has_plain_reasons_heaviest_first(explained):
    titles = {group.code for group in GROUPS}
    for one in explained:
        assert 3 <= len(one.reasons) <= 5
        assert {reason.code for reason in one.reasons} <= titles
        weights = [reason.contribution for reason in one.reasons]
        assert weights == sorted(weights, reverse=True)
        for reason in one.reasons:
            assert reason.zh
            assert reason.en
            assert not any(
                mark in reason.zh + reason.en for mark in ("{", "_", "nan", "None", "inf")
            )


def test_a_row_is_explained_the_same_alone_and_among_others(trained, best, explained):
    assert explain_scores(trained.model, best[7:8])[0].reasons == explained[7].reasons


def test_nobody_to_explain(trained, best):
    assert explain_scores(trained.model, best.clear()) == []


def test_inputs_that_are_lacking_are_told(trained, best):
    with pytest.raises(ModelError, match="the snapshot lacks"):
        explain_scores(trained.model, best.drop(trained.model.features[0]))


def test_contributions_are_of_the_score_whatever_the_calibration(trained, best, explained):
    steep = replace(trained.model, calibration=replace(trained.model.calibration, slope=9.0))
    assert explain_scores(steep, best[:1])[0].contributions == explained[0].contributions
