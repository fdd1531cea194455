"""Probabilities that hold for those of whom less is seen."""

import json

import numpy as np
import polars as pl
import pytest

from models.learning.calibration import Calibration, fit_calibration
from models.learning.group_calibration import (
    GroupCalibration,
    fit_group_calibration,
)


def drawn(number: int = 60_000) -> tuple[np.ndarray, np.ndarray, pl.Series]:
    """Scores that mean less for a third of the people: of them nothing but calls is seen."""
    rng = np.random.default_rng(3)
    raw = rng.normal(-2, 1.5, number)
    half = rng.random(number) < 1 / 3
    chance = np.where(half, Calibration(0.8, -1.5)(raw), Calibration(1.2, 0.0)(raw))
    labels = (rng.random(number) < chance).astype(np.float64)
    return raw, labels, pl.Series(np.where(half, "calls only", "both"))


def worst_ratio(probability, labels, group) -> float:
    """The largest factor by which the victims expected of a group miss those found."""
    scored = pl.DataFrame({"group": group, "expected": probability, "found": labels})
    sums = scored.group_by("group").agg(pl.col("expected", "found").sum())
    return float(np.exp(np.abs(np.log(sums["expected"] / sums["found"])).max()))


def test_each_group_finds_its_own_line_and_promises_hold_in_each():
    raw, labels, group = drawn()
    one = np.ones(len(raw))
    found = fit_group_calibration(raw, labels, sampling_weight=one, group=group)
    assert (
        found.by_group["calls only"].slope,
        found.by_group["calls only"].intercept,
    ) == pytest.approx((0.8, -1.5), abs=0.15)
    common = fit_calibration(raw, labels, sampling_weight=one)
    assert found.common == common
    before = worst_ratio(common(raw), labels, group)
    after = worst_ratio(found(raw, group), labels, group)
    assert before > 1.5
    assert after < 1.1


def test_a_small_group_stays_near_the_common_line():
    raw, labels, group = drawn(600)
    found = fit_group_calibration(
        raw, labels, sampling_weight=np.ones(600), group=group, shrinkage_rows=1e9
    )
    for line in found.by_group.values():
        assert (line.slope, line.intercept) == pytest.approx(
            (found.common.slope, found.common.intercept), abs=1e-4
        )
    live = float(labels[(group == "calls only").to_numpy()].sum())
    half = fit_group_calibration(
        raw, labels, sampling_weight=np.ones(600), group=group, shrinkage_rows=live
    )
    own = fit_group_calibration(
        raw, labels, sampling_weight=np.ones(600), group=group, shrinkage_rows=0.0
    )
    name = "calls only"
    assert half.by_group[name].slope == pytest.approx(
        (own.by_group[name].slope + found.common.slope) / 2
    )


def test_groups_without_victims_unknown_groups_and_null_have_the_common_line():
    raw = np.array([-1.0, 0.0, 1.0, 2.0, 0.5])
    group = pl.Series(["a", "a", "a", "b", None])
    found = fit_group_calibration(
        raw, np.array([0.0, 1.0, 1.0, 0.0, 1.0]), sampling_weight=np.ones(5), group=group
    )
    assert list(found.by_group) == ["a"]
    asked = pl.Series(["b", None, "c"])
    assert found(np.zeros(3), asked) == pytest.approx(found.common(np.zeros(3)))


def test_hand_computed_and_back_from_json():
    calibration = GroupCalibration(Calibration(2.0, -1.0), {"calls only": Calibration(1.0, 0.0)})
    group = pl.Series(["both", "calls only"])
    assert calibration(np.array([1.0, 1.0]), group) == pytest.approx([0.7310586, 0.7310586])
    assert calibration(np.array([0.5, 0.5]), group) == pytest.approx([0.5, 0.6224593])
    assert GroupCalibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration
