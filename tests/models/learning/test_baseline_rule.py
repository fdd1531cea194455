"""Today's rule, computed by hand."""

import polars as pl
import pytest

from models.learning.baseline_rule import baseline_score


def score(calls: int, talk_s: int | None, cny: float) -> float:
    row = {"stranger_calls_24h": calls, "stranger_max_talk_24h_s": talk_s, "new_debit_cny_24h": cny}
    schema = {
        "stranger_calls_24h": pl.Float64,
        "stranger_max_talk_24h_s": pl.Int32,
        "new_debit_cny_24h": pl.Float64,
    }
    return pl.DataFrame(row, schema=schema).select(baseline_score()).item()


@pytest.mark.parametrize(
    ("calls", "talk_s", "cny", "points"),
    [
        (0, None, 0, 0),
        (2, None, 0, 0),
        (3, None, 0, 1),  # repeated
        (0, 1_199, 0, 1_199 / 14_400),
        (0, 1_200, 0, 2 + 1 / 12),  # long
        (0, 0, 4_999, 0.04999),
        (0, 0, 5_000, 2 + 0.05),  # large
        (9, 7_200, 50_000, 6),
        (99, 86_400, 1_000_000, 6),
    ],
)
def test_points_of_six(calls, talk_s, cny, points):
    assert score(calls, talk_s, cny) == pytest.approx(points / 6)


def test_talk_and_amount_order_people_within_a_step_and_never_across():
    assert score(3, 1_200, 0) < score(3, 3_600, 0) < score(3, 7_200, 4_999) < score(3, 1_200, 5_000)
