import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.alert_metrics import AlertMetrics
from models.evaluation.comparison import Comparison
from models.registry.promotion_gates import Gates, PromotionDecision, decide_promotion


def figures(precision: float, coverage: float, money: float) -> AlertMetrics:
    return AlertMetrics(4.0, precision, coverage, money, None, 30)


GOOD, RULE = figures(0.70, 0.40, 0.48), figures(0.16, 0.03, 0.16)
GATES = Gates()
MEASURED = {"calibration_error": 0.01, "episodes": 120, "max_feature_auc": 0.82}


def decide(
    challenger: AlertMetrics = GOOD,
    champion: AlertMetrics | None = None,
    *,
    gates: Gates = GATES,
    **change: float,
) -> PromotionDecision:
    compared = Comparison(challenger=challenger, champion=champion, rule=RULE)
    return decide_promotion(compared, metrics=MEASURED | change, gates=gates)


def test_first_model_passes_and_says_by_how_much():
    decision = decide()
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
            {"precision": 0.16},
            "precision at budget 0.16 against 0.16 of the rule: more than 0 better is asked",
        ),
        (
            {"coverage": 0.02},
            "coverage at budget 0.02 against 0.03 of the rule: more than 0 better is asked",
        ),
    ],
)
def test_a_challenger_no_better_than_the_rule_is_refused(change, reason):
    decision = decide(replace(GOOD, **change))
    assert not decision.promote
    assert decision.reasons == (reason,)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
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
    decision = decide(**change)
    assert not decision.promote
    assert decision.reasons == (reason,)


@pytest.mark.parametrize("name", ["precision", "coverage", "money"])
def test_a_little_worse_than_the_champion_is_within_tolerance_and_more_is_not(name):
    own = getattr(GOOD, name)
    assert decide(champion=replace(GOOD, **{name: own + 0.02})).promote
    refused = decide(champion=replace(GOOD, **{name: own + 0.05}))
    assert not refused.promote
    assert len(refused.reasons) == 1
    assert refused.reasons[0].endswith("of the champion: at most 0.03 worse is allowed")


def test_the_champion_is_held_to_the_compared_days_else_to_its_own_training():
    better = figures(0.9, 0.9, 0.9)
    alone = Comparison(challenger=GOOD, rule=RULE)
    assert not decide_promotion(alone, metrics=MEASURED, champion=better, gates=Gates()).promote
    compared = replace(alone, champion=GOOD)
    assert decide_promotion(compared, metrics=MEASURED, champion=better, gates=Gates()).promote


def test_what_was_not_measured_passes_no_gate():
    decision = decide_promotion(None, metrics={}, gates=Gates())
    assert not decision.promote
    assert len(decision.reasons) == 5
    assert all("not measured" in reason for reason in decision.reasons)


def test_a_champion_without_figures_cannot_be_fallen_short_of():
    assert decide(champion=figures(math.nan, math.nan, math.nan)).promote


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
    assert decide(**gap(points, low, high, of=figure)).promote is passes


def test_a_refused_gap_says_how_sure_it_is():
    assert decide(**gap(-12.04, -20, -4)).reasons == (
        "gap of coverage by residency -12.0 points (-20.0 to -4.0): "
        "at most 5, or no more than chance, is allowed",
    )
    assert decide(gates=Gates(residency_gap_points=15), **gap(-12, -20, -4)).promote


def test_thresholds_are_configurable():
    assert decide(gates=Gates(episodes=10), episodes=29).promote
    assert not decide(gates=Gates(least_gain=0.6)).promote


@given(gain=st.floats(0, 0.3), name=st.sampled_from(["precision", "coverage", "money"]))
def test_a_better_figure_never_turns_yes_into_no(gain, name):
    champion = replace(GOOD, money=0.5)
    assert decide(champion=champion).promote
    better = replace(GOOD, **{name: getattr(GOOD, name) + gain})
    assert decide(better, champion).promote
