"""What follows from the features of several blocks together."""

import polars as pl

from features.kernel.query_points import to_hours
from features.reputation import rounded_score

__all__ = ["with_derived_features"]


def with_derived_features(frame: pl.DataFrame) -> pl.DataFrame:
    """The snapshot so far, with what follows from several blocks: deviation from habit, growth of
    the payments, and the order of call and payment.
    """
    return frame.with_columns(
        new_debit_to_habit=rounded_score(
            pl.col("new_debit_cny_24h") / (pl.col("debit_cny_30d") / 30 + 50)
        ),
        payee_escalation=rounded_score(pl.col("payee_last_cny") / pl.col("payee_first_cny")),
        stranger_talk_to_habit=rounded_score(
            pl.col("stranger_talk_s_24h") / (pl.col("talk_s_30d") / 30 + 60)
        ),
        call_to_payee_h=to_hours(pl.col("payee_first_started_at") - pl.col("lead_started_at")),
    )
