"""Reasons of two models side by side, counted by hand."""

import pytest

from features.catalogue.reasons import Reason
from models.evaluation.explain import Explanation
from models.evaluation.stability import (
    compare_explanations,
    compare_model_explanations,
    describe_stability,
    rank_correlation,
    shared_reasons,
)
from tests.models.small import small_model, small_rows


def told(*codes: str, **contributions: float) -> Explanation:
    reasons = tuple(Reason(code=code, zh=code, en=code, contribution=1.0) for code in codes)
    return Explanation(base=0.0, contributions=contributions, values={}, reasons=reasons)


def test_the_first_three_reasons_are_compared_whatever_their_order():
    assert shared_reasons(["a", "b", "c", "d"], ["c", "a", "b", "x"]) == 1.0
    assert shared_reasons(["a", "b", "c"], ["a", "b", "d"]) == 2 / 4
    assert shared_reasons(["a"], ["b", "c"]) == 0.0
    assert shared_reasons([], []) == 1.0


def test_features_are_ranked_by_the_size_of_what_they_say():
    before = {"a": 3.0, "b": -2.0, "c": 1.0, "only before": 9.0}
    assert rank_correlation(before, {"a": -30.0, "b": 20.0, "c": 10.0}) == pytest.approx(1.0)
    assert rank_correlation(before, {"a": 1.0, "b": 2.0, "c": 3.0}) == pytest.approx(-1.0)
    assert rank_correlation(before, {"a": 2.0, "b": 3.0, "c": 1.0}) == pytest.approx(
        0.5
    )  # 1 - 6·2 / (3·8)
    assert rank_correlation(before, {"a": 1.0}) is None
    assert rank_correlation(before, {"a": 1.0, "b": 1.0}) is None


def test_averages_over_alerts():
    before = [told("a", "b", "c", x=2.0, y=1.0), told("a", "b", "c", x=2.0, y=1.0)]
    after = [told("a", "b", "c", x=2.0, y=1.0), told("a", "b", "d", x=1.0, y=2.0)]
    found = compare_explanations(before, after)
    assert (found.rows, found.reasons_shared, found.rank_correlation) == (
        2,
        0.75,
        pytest.approx(0.0),
    )
    assert found.metrics() == {
        "reasons_shared": 0.75,
        "reasons_rank_correlation": pytest.approx(0.0),
    }
    assert describe_stability(found) == "稳定 steady"


def test_no_alerts_measure_nothing():
    found = compare_explanations([], [])
    assert (found.rows, found.metrics(), describe_stability(found)) == (0, {}, "未测 not measured")


def test_a_model_agrees_with_itself_and_real_models_can_be_compared():
    rows = small_rows()
    same = compare_model_explanations(small_model(), small_model(), rows)
    assert (same.reasons_shared, same.rank_correlation) == (1.0, pytest.approx(1.0))
    other = compare_model_explanations(small_model(), small_model(rounds=6), rows)
    assert other.rows == len(rows)
    assert -1 <= other.rank_correlation <= 1
    assert (
        compare_model_explanations(small_model(), small_model(), rows.drop("talk_24h_s")).rows == 0
    )
