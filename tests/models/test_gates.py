import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.gates import Gates, decide

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
    decision = decide(GOOD, None, gates=GATES)
    assert decision.promote
    assert decision.reasons == (
        "precision at budget 0.7 against 0.16 of the rule",
        "coverage at budget 0.4 against 0.03 of the rule",
        "calibration error 0.01: at most 0.1 is allowed",
        "reported episodes 120: at least 30 are asked",
        "AUC of the strongest single feature 0.82: at most 0.95 is allowed",
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
        ({"max_feature_auc": 0.99}, "AUC of the strongest single feature 0.99: at most 0.95 is allowed"),
        ({"calibration_error": math.nan}, "calibration error nan: at most 0.1 is allowed"),
    ],
)
def test_each_gate_refuses_alone_and_says_why(change, reason):
    decision = decide(GOOD | change, None, gates=GATES)
    assert not decision.promote
    assert decision.reasons == (reason,)


@pytest.mark.parametrize("name", ["precision_at_budget", "coverage_at_budget", "money_at_budget"])
def test_a_little_worse_than_the_champion_is_within_tolerance_and_more_is_not(name):
    assert decide(GOOD, GOOD | {name: GOOD[name] + 0.02}, gates=GATES).promote
    refused = decide(GOOD, GOOD | {name: GOOD[name] + 0.05}, gates=GATES)
    assert not refused.promote
    assert len(refused.reasons) == 1
    assert refused.reasons[0].endswith("of the champion: at most 0.03 worse is allowed")


def test_what_was_not_measured_passes_no_gate():
    decision = decide({}, None, gates=GATES)
    assert not decision.promote
    assert len(decision.reasons) == 5
    assert all("not measured" in reason for reason in decision.reasons)


def test_a_champion_without_figures_cannot_be_fallen_short_of():
    assert decide(GOOD, {"precision_at_budget": math.nan}, gates=GATES).promote


def test_thresholds_are_configurable():
    assert decide(GOOD | {"episodes": 29}, None, gates=Gates(episodes=10)).promote
    assert not decide(GOOD, None, gates=Gates(least_gain=0.6)).promote


@given(gain=st.floats(0, 0.3), name=st.sampled_from(["precision_at_budget", "coverage_at_budget", "money_at_budget"]))
def test_a_better_figure_never_turns_yes_into_no(gain, name):
    champion = GOOD | {"money_at_budget": 0.5}
    assert decide(GOOD, champion, gates=GATES).promote
    assert decide(GOOD | {name: GOOD[name] + gain}, champion, gates=GATES).promote
