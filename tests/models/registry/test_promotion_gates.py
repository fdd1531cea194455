import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.registry.promotion_gates import Gates, decide_promotion

BASELINE = {
    "baseline_precision_at_budget": 0.16,
    "baseline_coverage_at_budget": 0.03,
    "baseline_money_at_budget": 0.16,
}
GOOD = BASELINE | {
    "precision_at_budget": 0.70,
    "coverage_at_budget": 0.40,
    "money_at_budget": 0.48,
    "calibration_error": 0.01,
    "episodes": 120,
    "max_feature_auc": 0.82,
}
GATES = Gates()


def test_first_model_passes_and_says_by_how_much():
    decision = decide_promotion(GOOD, None, gates=GATES)
    assert decision.promote
    assert decision.reasons == (
        "precision at budget 0.7 against 0.16 of the rule",
        "coverage at budget 0.4 against 0.03 of the rule",
        "calibration error 0.01: at most 0.1 is allowed",
        "reported episodes 120: at least 30 are asked",
        "AUC of the strongest single feature 0.82: at most 0.95 is allowed",
        "gap of precision by residency: not measured",
        "gap of coverage by residency: not measured",
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"precision_at_budget": 0.16},
            "precision at budget 0.16 against 0.16 of the rule: more than 0 better is asked",
        ),
        (
            {"coverage_at_budget": 0.02},
            "coverage at budget 0.02 against 0.03 of the rule: more than 0 better is asked",
        ),
        ({"calibration_error": 0.2}, "calibration error 0.2: at most 0.1 is allowed"),
        ({"episodes": 29}, "reported episodes 29: at least 30 are asked"),
        (
            {"max_feature_auc": 0.99},
            "AUC of the strongest single feature 0.99: at most 0.95 is allowed",
        ),
        ({"calibration_error": math.nan}, "calibration error nan: at most 0.1 is allowed"),
    ],
)
def test_each_gate_refuses_alone_and_says_why(change, reason):
    decision = decide_promotion(GOOD | change, None, gates=GATES)
    assert not decision.promote
    assert decision.reasons == (reason,)


@pytest.mark.parametrize("name", ["precision_at_budget", "coverage_at_budget", "money_at_budget"])
def test_a_little_worse_than_the_champion_is_within_tolerance_and_more_is_not(name):
    assert decide_promotion(GOOD, GOOD | {name: GOOD[name] + 0.02}, gates=GATES).promote
    refused = decide_promotion(GOOD, GOOD | {name: GOOD[name] + 0.05}, gates=GATES)
    assert not refused.promote
    assert len(refused.reasons) == 1
    assert refused.reasons[0].endswith("of the champion: at most 0.03 worse is allowed")


def test_what_was_not_measured_passes_no_gate():
    decision = decide_promotion({}, None, gates=GATES)
    assert not decision.promote
    assert len(decision.reasons) == 5
    assert all("not measured" in reason for reason in decision.reasons)


def test_a_champion_without_figures_cannot_be_fallen_short_of():
    assert decide_promotion(GOOD, {"precision_at_budget": math.nan}, gates=GATES).promote


def gap(points: float, low: float, high: float, *, of: str = "coverage") -> dict[str, float]:
    name = f"residency_gap_{of}"
    return {f"{name}_points": points, f"{name}_low": low, f"{name}_high": high}


@pytest.mark.parametrize(
    ("points", "low", "high", "passes"),
    [
        (-4.9, -8.0, -1.0, True),  # real, but small
        (-30.0, -61.0, 2.0, True),  # large, but chance alone could do it
        (-12.0, -20.0, -4.0, False),
        (12.0, 4.0, 20.0, False),  # local residents are a group as well
        (-12.0, -20.0, math.nan, True),
    ],
)
@pytest.mark.parametrize("figure", ["coverage", "precision"])
def test_a_gap_between_groups_refuses_where_it_is_large_and_real(points, low, high, passes, figure):
    assert (
        decide_promotion(GOOD | gap(points, low, high, of=figure), None, gates=GATES).promote
        is passes
    )


def test_a_refused_gap_says_how_sure_it_is():
    assert decide_promotion(GOOD | gap(-12.04, -20, -4), None, gates=GATES).reasons == (
        "gap of coverage by residency -12.0 points (-20.0 to -4.0): "
        "at most 5, or no more than chance, is allowed",
    )
    assert decide_promotion(
        GOOD | gap(-12, -20, -4), None, gates=Gates(residency_gap_points=15)
    ).promote


def test_thresholds_are_configurable():
    assert decide_promotion(GOOD | {"episodes": 29}, None, gates=Gates(episodes=10)).promote
    assert not decide_promotion(GOOD, None, gates=Gates(least_gain=0.6)).promote


@given(
    gain=st.floats(0, 0.3),
    name=st.sampled_from(["precision_at_budget", "coverage_at_budget", "money_at_budget"]),
)
def test_a_better_figure_never_turns_yes_into_no(gain, name):
    champion = GOOD | {"money_at_budget": 0.5}
    assert decide_promotion(GOOD, champion, gates=GATES).promote
    assert decide_promotion(GOOD | {name: GOOD[name] + gain}, champion, gates=GATES).promote
