"""Whose main payment has probably gone already: a warning comes too late there, and help to freeze
the money may not.
"""

from typing import TYPE_CHECKING

import polars as pl

from data_contracts.main_payment import PAID_LATELY
from models.policy.expected_saving import typical_loss_cny

if TYPE_CHECKING:
    from models.learning.risk import RiskModel

__all__ = ["PAID_COLUMN", "PAID_SHARE", "find_already_paid"]

PAID_COLUMN = f"new_debit_outside_cny_{PAID_LATELY.days}d"
PAID_SHARE = 0.5  # from here on more of the usual loss has gone than is left to save


def find_already_paid(model: "RiskModel", rows: pl.DataFrame) -> pl.Series:
    """CNY that went to new accounts outside the district within ``PAID_LATELY``, where that is at
    least ``PAID_SHARE`` of what is typically lost to the presumed ``scam_type``; null elsewhere.

    ``rows`` are a snapshot with ``scam_type``.
    """
    typical = [typical_loss_cny(model, scam_type) for scam_type in rows["scam_type"]]
    paid = rows[PAID_COLUMN]
    enough = paid >= PAID_SHARE * pl.Series(typical, dtype=pl.Float64)
    return paid.set(~enough.fill_null(False), None).alias("already_paid_cny")
