"""What follows from the features of several blocks, counted by hand."""

from datetime import timedelta

import polars as pl

from features.blocks.derived_features import with_derived_features
from tests.features.districts import NOON, ago

DERIVED = ("new_debit_to_habit", "payee_escalation", "stranger_talk_to_habit", "call_to_payee_h")
SO_FAR = {
    "new_debit_cny_24h": [1400.0, 0.0],
    "debit_cny_30d": [600.0, 0.0],  # 20 a day
    "payee_first_cny": [100.0, None],
    "payee_last_cny": [250.0, None],
    "stranger_talk_s_24h": [630, 0],
    "talk_s_30d": [900, 0],  # 30 a day
    "payee_first_started_at": [NOON, None],
    "lead_started_at": [ago(hours=3, minutes=30), NOON - timedelta(days=1)],
}


def test_deviation_from_habit_growth_and_the_order_of_call_and_payment() -> None:
    busy, quiet = with_derived_features(pl.DataFrame(SO_FAR)).select(DERIVED).rows()
    assert busy == (20.0, 2.5, 7.0, 3.5)
    assert quiet == (0.0, None, 0.0, None)
