"""Drift, with indices computed by hand."""

from math import log

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.drift import (
    AlertVolume,
    Drift,
    FeatureDrift,
    FeatureProfile,
    compare_alert_volume,
    compare_profiles,
    estimate_precision,
    profile_features,
    profiles_from_json,
    profiles_to_json,
    stability_index,
)

THEN = pl.DataFrame(
    {
        "talk_s": [float(number) for number in range(1, 11)],
        "calls": [0, 0, 0, 0, 0, 0, 0, 1, 2, None],
    }
)


def test_index_of_hand_computed_shares():
    # (0.3-0.5)·ln(0.6) + (0.7-0.5)·ln(1.4) = 0.10217 + 0.06729
    assert stability_index([0.5, 0.5], [0.3, 0.7]) == pytest.approx(0.169460, abs=1e-6)
    assert stability_index([0.25] * 4, [0.25] * 4) == 0
    # an empty bin counts as 1 in 10,000: (1-0.5)·ln 2 + (0.0001-0.5)·ln 0.0002 = 0.34657 + 4.25775
    assert stability_index([0.5, 0.5], [1.0, 0.0]) == pytest.approx(
        0.5 * log(2) + (1e-4 - 0.5) * log(2e-4)
    )
    assert stability_index([0.5, 0.5], [1.0, 0.0]) == pytest.approx(4.604318, abs=1e-5)


def test_a_profile_has_deciles_and_fewer_where_values_repeat():
    found = profile_features(THEN, ["calls"]) | profile_features(
        pl.DataFrame({"talk_s": range(11)}), ["talk_s"]
    )
    assert found["talk_s"] == FeatureProfile(
        cuts=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
        shares=(2 / 11, *[1 / 11] * 9),
        missing=0.0,
    )
    assert found["calls"].cuts == (0.0, 1.0)
    assert found["calls"].shares == pytest.approx((7 / 9, 1 / 9, 1 / 9))
    assert found["calls"].missing == pytest.approx(0.1)


def test_what_moved_most_stands_first():
    reference = {
        "calls": FeatureProfile(cuts=(0.0,), shares=(0.5, 0.5), missing=0.0),
        "paid_cny": FeatureProfile(cuts=(100.0,), shares=(0.5, 0.5), missing=0.5),
        "gone": FeatureProfile(cuts=(1.0,), shares=(0.5, 0.5), missing=0.0),
    }
    now = pl.DataFrame(
        {"calls": [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], "paid_cny": [50.0, 500.0, *[None] * 8]}
    )
    found = compare_profiles(reference, now)
    assert [one.feature for one in found] == ["paid_cny", "calls"]
    assert (found[0].psi, found[0].missing, found[0].missing_before) == (
        0.0,
        pytest.approx(0.8),
        0.5,
    )
    assert found[1].psi == pytest.approx(0.169460, abs=1e-6)
    assert [row["word"] for row in Drift(rows=10, features=found).table()] == [
        "more missing",
        "moved",
    ]


def test_values_beyond_all_that_was_seen_are_noticed_even_of_a_constant():
    reference = profile_features(pl.DataFrame({"flag": [0.0] * 100}), ["flag"])
    (found,) = compare_profiles(reference, pl.DataFrame({"flag": [1.0] * 50 + [0.0] * 50}))
    assert found.psi == pytest.approx(0.5 * log(2) + (0.5 - 1e-4) * log(5000))
    assert found.noted


def test_a_feature_without_any_value_is_told_by_what_is_missing():
    reference = profile_features(THEN, ["calls"])
    (found,) = compare_profiles(
        reference, pl.DataFrame({"calls": pl.Series([None, float("nan")], dtype=pl.Float64)})
    )
    assert (found.psi, found.missing, found.noted) == (None, 1.0, True)
    (nobody,) = compare_profiles(reference, THEN.clear())
    assert nobody.missing == 1.0


def test_profiles_outlive_json():
    found = profile_features(THEN, ["talk_s", "calls"])
    assert profiles_from_json(profiles_to_json(found)) == found


@pytest.mark.parametrize(
    ("seen", "usual"), [(8, True), (16, True), (17, False), (2, True), (1, False)]
)
def test_alerts_of_a_day_beside_the_days_before(seen, usual):
    found = compare_alert_volume(seen=seen, before=[6, 8, 10])
    assert (found.expected, found.low, found.high) == (8.0, 2, 16)
    assert found.usual is usual


def test_a_first_day_expects_nothing():
    assert compare_alert_volume(seen=3, before=[]) is None
    assert compare_alert_volume(seen=0, before=[0, 0]).usual


def test_estimated_precision_is_what_probabilities_promise():
    assert estimate_precision([0.5, 0.75, 1.0]) == 0.75
    assert estimate_precision([]) is None


def test_advice_and_metrics():
    steady = FeatureDrift(feature="calls", psi=0.05, missing=0.1, missing_before=0.12)
    moved = FeatureDrift(feature="talk_s", psi=0.3, missing=0.0, missing_before=0.0)
    drift = Drift(
        rows=10,
        features=(moved, steady),
        volume=AlertVolume(expected=8.0, seen=1, low=2, high=16),
        estimated_precision=0.5,
    )
    assert drift.advice() == (
        "These moved: talk_s. Look at the deliveries, then train again.",
        "Alerts of the day: 1, fewer than usual (2 to 16).",
    )
    assert drift.metrics() == {
        "drift_psi_max": 0.3,
        "drift_features": 1.0,
        "drift_missing_points": pytest.approx(2.0),
        "alerts_expected": 8.0,
        "alerts_seen": 1.0,
        "estimated_precision": 0.5,
    }
    assert Drift(rows=0, features=(steady,)).advice() == ()


@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=60))
def test_nothing_drifts_from_itself(values):
    rows = pl.DataFrame({"value": pl.Series(values, dtype=pl.Float64)})
    (found,) = compare_profiles(profile_features(rows, ["value"]), rows)
    assert not found.psi
    assert found.missing == found.missing_before == pytest.approx(values.count(None) / len(values))
