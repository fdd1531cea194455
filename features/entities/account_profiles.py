"""How an account behaves towards the whole district, as of a moment."""

from datetime import timedelta

import polars as pl

from features.kernel.segment import Positions
from features.kernel.timeline import Timeline

__all__ = ["PAYEE_SUMS", "payee_state", "payments_by_account"]

PROFILE_WINDOW = timedelta(days=14)
AGE_HORIZON = timedelta(days=30)
LARGE_CNY = 1000.0


# What can be added up of what an account did.
PAYEE_SUMS = {
    "payer": pl.col("is_first") & pl.col("is_debit"),
    "receiver": pl.col("is_first") & ~pl.col("is_debit"),
    "debits": pl.col("is_debit"),
    "large": pl.col("is_debit") & (pl.col("amount_cny") >= LARGE_CNY),
    "received_cny": pl.col("amount_cny") * pl.col("is_debit"),
    "sent_cny": pl.col("amount_cny") * ~pl.col("is_debit"),
}


def payments_by_account(payments: pl.LazyFrame) -> pl.LazyFrame:
    """All payments of the district from the payee's side, merchants left out."""
    return payments.filter(~pl.col("is_merchant")).select(
        "known_at", "is_first", "is_debit", "amount_cny", owner="payee_code"
    )


def payee_state(timeline: Timeline, *, payee: Positions, at_ms: Positions) -> pl.DataFrame:
    """One row for each query point (``payee``, ``at_ms``), from what was known strictly before.

    ``payee_payers_14d`` residents who first paid it, ``payee_receivers_14d`` residents whom it
    first paid, ``payee_received_cny_14d``, ``payee_sent_cny_14d``, ``payee_debits_14d`` and
    ``payee_large_14d`` payments to it, and those of at least ``LARGE_CNY``, ``payee_age_d`` days
    since it was first seen, at most 30.
    """
    total = timeline.sums(timeline.added, owner=payee, at_ms=at_ms, window=PROFILE_WINDOW)
    return pl.DataFrame(
        {
            "payee_payers_14d": total["payer"],
            "payee_receivers_14d": total["receiver"],
            "payee_received_cny_14d": total["received_cny"],
            "payee_sent_cny_14d": total["sent_cny"],
            "payee_debits_14d": total["debits"],
            "payee_large_14d": total["large"],
            "payee_age_d": timeline.age_days(owner=payee, at_ms=at_ms, horizon=AGE_HORIZON),
        },
        nan_to_null=True,
    )
