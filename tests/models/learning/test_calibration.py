"""From raw scores to probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.learning.calibration import Calibration, fit_calibration


def drawn(number: int, *, slope: float, intercept: float) -> tuple[np.ndarray, np.ndarray]:
    """Raw scores, and labels that come true with 1 / (1 + exp(-(slope · raw + intercept)))."""
    rng = np.random.default_rng(5)
    raw = rng.normal(0, 2, number)
    return raw, (rng.random(number) < Calibration(slope, intercept)(raw)).astype(np.float64)


def test_probabilities_of_hand_computed_scores():
    scores = Calibration(slope=2.0, intercept=-1.0)(np.array([0.5, 1.0, 0.0, 1e9, -1e9]))
    assert scores == pytest.approx([0.5, 0.7310586, 0.2689414, 1.0, 0.0], abs=1e-7)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (1.6, -2.0), (0.4, -3.0)])
def test_it_finds_the_line_that_the_labels_were_drawn_from(slope, intercept):
    raw, labels = drawn(60_000, slope=slope, intercept=intercept)
    found = fit_calibration(raw, labels, sampling_weight=np.ones(len(raw)))
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=0.08)


def test_rows_that_stand_for_many_moments_bring_the_probabilities_down_to_the_real_rate():
    raw, labels = drawn(200_000, slope=1.2, intercept=-4.0)
    kept = (labels == 1) | (np.arange(len(raw)) % 10 == 0)  # a tenth of the quiet ones
    sampling_weight = np.where(labels == 1, 1.0, 10.0)[kept]
    found = fit_calibration(raw[kept], labels[kept], sampling_weight=sampling_weight)
    assert (found.slope, found.intercept) == pytest.approx((1.2, -4.0), abs=0.15)
    assert np.average(found(raw[kept]), weights=sampling_weight) == pytest.approx(
        labels.mean(), rel=0.03
    )


def test_scores_that_point_the_wrong_way_are_not_turned_round():
    raw, labels = drawn(2_000, slope=2.0, intercept=0.0)
    found = fit_calibration(-raw, labels, sampling_weight=np.ones(len(raw)))
    assert found.slope == 0.001


@settings(deadline=None)
@given(
    raw=st.lists(st.floats(-30, 30), min_size=2, max_size=20),
    slope=st.floats(1e-3, 5),
    intercept=st.floats(-10, 10),
)
def test_a_higher_score_never_has_a_lower_probability(raw, slope, intercept):
    scores = Calibration(slope, intercept)(np.sort(np.array(raw)))
    assert (np.diff(scores) >= 0).all()
    assert ((scores >= 0) & (scores <= 1)).all()
