"""What a warning can save."""

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from models.learning.calibration import Calibration
from models.learning.risk import RiskModel
from models.policy.expected_saving import estimate_preventable_loss, loss_facts

AT = datetime(2026, 6, 1, tzinfo=ZoneInfo("Asia/Shanghai"))


class Sure(RiskModel):
    """A model that takes the first row for brushing and the second for either type."""

    scam_types = ("brushing", "police")

    def type_probabilities(self, frame):
        return pl.DataFrame({"b": [1.0, 0.5], "p": [0.0, 0.5]}).to_numpy()


def test_typical_losses_are_medians_of_those_that_lost():
    told = pl.DataFrame(
        {"scam_type": ["police", "police", "police", "brushing"], "loss_cny": [1.0, 3.0, 0.0, 0.0]}
    )
    assert loss_facts(told) == {"typical_loss_cny_police": 2.0}


def test_what_was_paid_is_no_longer_at_stake_but_never_all_of_it():
    facts = {"typical_loss_cny_brushing": 20_000.0, "typical_loss_cny_police": 50_000.0}
    model = Sure(booster=None, features=(), calibration=Calibration(), trained_at=AT, facts=facts)
    rows = pl.DataFrame({"new_debit_outside_cny_7d": [5_000.0, 100_000.0]})
    effect = {"brushing": 0.5, "police": 1.0}
    assert estimate_preventable_loss(model, rows, effect=effect).to_list() == pytest.approx(
        [15_000 * 0.5, 0.5 * 0.2 * 20_000 * 0.5 + 0.5 * 0.2 * 50_000]
    )


def test_a_model_that_knows_no_type_takes_the_usual_loss():
    plain = RiskModel(booster=None, features=(), calibration=Calibration(), trained_at=AT)
    rows = pl.DataFrame({"new_debit_outside_cny_7d": [0.0, 9_500.0, None]})
    assert estimate_preventable_loss(plain, rows).to_list() == pytest.approx([6_000, 1_200, 6_000])
    assert estimate_preventable_loss(plain, rows.clear()).to_list() == []
