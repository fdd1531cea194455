"""Whose main payment has probably gone, on rows drawn by hand."""

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from models.learning.calibration import Calibration
from models.learning.risk import RiskModel
from models.policy.already_paid import find_already_paid

AT = datetime(2026, 6, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
MODEL = RiskModel(
    booster=None,
    features=(),
    calibration=Calibration(),
    trained_at=AT,
    facts={"typical_loss_cny_brushing": 4_000.0, "typical_loss_cny_police": 50_000.0},
)


@pytest.mark.parametrize(
    ("scam_type", "paid_cny", "already_paid_cny"),
    [
        ("police", None, None),  # no transfers are known of the person
        ("police", 0.0, None),
        ("police", 24_999.99, None),
        ("police", 25_000.0, 25_000.0),  # half of what is usually lost
        ("police", 80_000.0, 80_000.0),
        ("brushing", 90.0, None),  # the first small tasks, the main payment is still to come
        ("brushing", 1_999.99, None),
        ("brushing", 2_000.0, 2_000.0),
        ("unknown", 4_999.99, None),  # 10,000 are taken for usual where nothing is known
        ("fake_loan", 5_000.0, 5_000.0),
    ],
)
def test_who_has_probably_paid(scam_type, paid_cny, already_paid_cny):
    rows = pl.DataFrame(
        {"scam_type": [scam_type], "new_debit_outside_cny_7d": [paid_cny]},
        schema_overrides={"new_debit_outside_cny_7d": pl.Float64},
    )
    assert find_already_paid(MODEL, rows).to_list() == [already_paid_cny]


def test_each_row_is_held_against_its_own_type():
    rows = pl.DataFrame(
        {"scam_type": ["police", "brushing"], "new_debit_outside_cny_7d": [2_000.0, 2_000.0]}
    )
    found = find_already_paid(MODEL, rows)
    assert (found.name, found.to_list()) == ("already_paid_cny", [None, 2_000.0])
    assert find_already_paid(MODEL, rows.clear()).to_list() == []
