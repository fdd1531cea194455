from models.evaluation.alert_metrics import AlertMetrics
from models.evaluation.comparison import Comparison
from models.registry.model_card import render_model_card
from tests.models.small import PERSON, small_model

METRICS = {
    "episodes": 1040.0,
    "episodes_police": 12.0,
    "episodes_brushing": 30.0,
    "calibration_error": 0.0214,
}
VERSIONS = {
    "data_version": "calls=3,residents=1",
    "contract_version": "1.0.0",
    "git_revision": "abc1234",
}
COMPARISON = Comparison(
    challenger=AlertMetrics(4.0, 0.7123, 0.4, 0.5, 6.0, 30),
    rule=AlertMetrics(4.0, 0.2, 0.1, 0.2, None, 30),
)
CARD = render_model_card(small_model(), metrics=METRICS, comparison=COMPARISON, versions=VERSIONS)


def section(title):
    return CARD.split(f"## {title}\n")[1].split("\n## ")[0].strip().splitlines()


def test_it_has_every_section_in_order():
    assert [line.removeprefix("## ") for line in CARD.splitlines() if line.startswith("## ")] == [
        "Intended use",
        "Made of",
        "Labels",
        "How good",
        "Scores",
        "Limits",
        "Fairness",
    ]
    assert CARD.startswith("# Victim risk, trained at 2026-07-05 00:00\n")


def test_figures_stand_beside_those_of_the_rule():
    lines = section("How good")
    assert "| alerts on people in a reported episode | 0.712 | 0.2 |" in lines
    assert "| hours from alert to main payment, median | 6 | not measured |" in lines


def test_without_compared_days_no_figure_was_measured():
    card = render_model_card(small_model(), metrics=METRICS, comparison=None, versions=VERSIONS)
    assert "| lost money alerted in time | not measured | not measured |" in card


def test_labels_are_counted_by_type():
    assert section("Labels") == [
        "|  | number |",
        "|---|---|",
        "| reported episodes | 1,040 |",
        "| of them with a loss | not measured |",
        "| moments in an episode | not measured |",
        "| other moments, drawn from all | not measured |",
        "| episodes of `brushing` | 30 |",
        "| episodes of `police` | 12 |",
    ]


def test_it_says_what_the_model_was_made_of():
    lines = section("Made of")
    assert "| features | 2 |" in lines
    assert "| kind | LightGBM, 3 trees, Platt calibration on out-of-fold scores |" in lines
    assert "| data version | `calls=3,residents=1` |" in lines
    assert PERSON not in CARD
