"""Pictures of a model that learned from a small district: well-formed, and about features and
figures only.
"""

from xml.etree import ElementTree as ET

import polars as pl
import pytest

from models.reports.charts import (
    calibration_chart,
    draw_charts,
    importance_chart,
    sample_budget_chart,
    score_chart,
)
from tests.models.small import small_model

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [
        text
        for element in ET.fromstring(svg).iter(f"{SVG}text")
        if (text := "".join(element.itertext()))
    ]


def test_importance_names_the_features_best_first():
    found = texts(importance_chart(small_model()))
    assert [text for text in found if text in small_model().features] == [
        "talk_24h_s",
        "new_debit_cny_24h",
    ]
    assert "模型看什么 What the model looks at" in found


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (
            lambda: calibration_chart(
                pl.DataFrame(
                    {"predicted": [0.1, 0.5], "observed": [0.2, 0.4], "moments": [90.0, 10.0]}
                )
            ),
            {
                "概率是否可信 Do the probabilities hold?",
                "模型给出的概率 probability promised",
                "实际受骗比例 share found in an episode",
            },
        ),
        (
            lambda: score_chart(
                pl.DataFrame(
                    {"label": [0, 1], "sampling_weight": [50.0, 1.0], "probability": [0.01, 0.9]}
                )
            ),
            {"分数如何分布 How scores spread", "受骗 episode", "其余 others"},
        ),
        (
            lambda: sample_budget_chart(
                pl.DataFrame(
                    {
                        "scorer": ["model", "rule"],
                        "alerted": [10.0, 20.0],
                        "precision": [0.7, 0.2],
                        "coverage": [0.4, 0.1],
                    }
                )
            ),
            {
                "预警名额换来什么 What a budget buys",
                "模型 model",
                "规则 rule",
                "准确 precision",
                "覆盖 coverage",
            },
        ),
    ],
    ids=["calibration", "scores", "budgets"],
)
def test_a_chart_says_what_it_shows(draw, words):
    assert words <= set(texts(draw()))


def test_all_pictures_of_a_learnt_model(trained):
    drawn = draw_charts(trained.model, trained.rows)
    assert list(drawn) == ["importance", "calibration", "scores", "budgets"]
    for svg in drawn.values():
        assert ET.fromstring(svg).tag == f"{SVG}svg"
        for prefix in ("p1_", "n1_", "a1_"):
            assert prefix not in svg
