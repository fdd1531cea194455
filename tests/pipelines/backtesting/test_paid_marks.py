"""How well alerts tell who had already paid, as a table."""

from datetime import timedelta

import polars as pl

from pipelines.backtesting.paid_marks import count_paid_marks, paid_marks_table
from tests.models.evaluation.test_true_episodes import NOON, SCHEMA, alerts, journey

TRUTH = pl.DataFrame([journey(1, "anna", "loss", (5, 9000))], schema_overrides=SCHEMA)


def test_first_alerts_and_repeats_stand_side_by_side():
    issued = alerts(("anna", 6), ("anna", 13), ("eve", 1)).with_columns(
        already_paid=pl.Series([False, True, False]), repeat=pl.Series([False, True, False])
    )
    assert issued["issued_at"][0] - NOON == timedelta(hours=6)
    table = paid_marks_table(count_paid_marks(issued, TRUTH)).splitlines()
    assert table[0] == "| alert issued | first alerts | repeats too |"
    assert table[2:] == [
        "| within 7 days after the main payment | 0 of 1: 0.00 (0.00 to 0.00) "
        "| 1 of 2: 0.50 (0.50 to 0.50) |",
        "| in an episode, before its main payment | none | none |",
        "| on somebody who lost nothing then | 0 of 1: 0.00 (0.00 to 0.00) "
        "| 0 of 1: 0.00 (0.00 to 0.00) |",
    ]
