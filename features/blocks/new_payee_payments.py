"""What a person paid to new accounts outside the district: their number, sum and growth, and the
lures among them.
"""

from datetime import timedelta

import polars as pl

from features.entities.account_profiles import LARGE_CNY
from features.event_index import EventIndex
from features.kernel.query_points import QueryPoints, recent_events, to_hours
from features.kernel.source_tables import NEW_PAYEE_WINDOW

__all__ = ["new_payee_payment_features"]

EVENT_ORDER = (
    "known_at",
    "occurred_at",
    "amount_cny",
    "order",
)  # one order, whatever other query points there are
MAX_STAKE_CNY = 1000.0  # nobody lures with more
LURE_SPAN = timedelta(hours=6)
LURE_PROFIT = (1.02, 2.0)  # a refund brings back no more than was paid


def new_payee_payment_features(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """One row for each ``point`` with a payment to a new account outside the district within
    ``NEW_PAYEE_WINDOW``.

    ``new_payee_payment_*``: how many payments, payees and days, CNY, growth (the latest as a
    multiple of the first), hours since the first and the latest. ``lure*`` as :func:`lure_features`
    has them, null where there was none.
    """
    recent = recent_events(event_index.new_payee_payments, points, NEW_PAYEE_WINDOW)
    rows = recent.with_columns(
        order=event_index.accounts["order"].gather(recent["payee_code"])
    ).filter(~pl.col("is_local"))
    paid = rows.filter("is_debit").sort("point", *EVENT_ORDER)
    growth = paid.group_by("point").agg(
        new_payee_payment_n=pl.len(),
        new_payee_payment_payees_n=pl.col("payee_code").n_unique(),
        new_payee_payment_days_n=pl.col("known_at").dt.date().n_unique(),
        new_payee_payment_cny=pl.col("amount_cny").sum(),
        new_payee_payment_large_n=(pl.col("amount_cny") >= LARGE_CNY).sum(),
        new_payee_payment_growth=pl.col("amount_cny").last() / pl.col("amount_cny").first(),
        new_payee_payment_max_cny=pl.col("amount_cny").max(),
        new_payee_payment_age_h=to_hours((pl.col("at") - pl.col("known_at")).max()),
        new_payee_payment_silent_h=to_hours((pl.col("at") - pl.col("known_at")).min()),
    )
    return growth.join(lure_features(rows), on="point", how="left")


def lure_features(rows: pl.DataFrame) -> pl.DataFrame:
    """A small sum paid that came back within ``LURE_SPAN`` with more, from that account or another
    new one.

    One row for each ``point`` with any: how many, the best profit (received as a multiple of paid),
    hours since the latest, and the largest sum paid, CNY. What comes back is held against the
    latest small payment before it.
    """
    staked = rows.filter(pl.col("is_debit"), pl.col("amount_cny") <= MAX_STAKE_CNY)
    back = rows.filter(~pl.col("is_debit")).select("point", "at", "known_at", back_cny="amount_cny")
    return (
        back.sort("known_at")
        .join_asof(
            staked.sort(EVENT_ORDER).select("point", "known_at", stake_cny="amount_cny"),
            on="known_at",
            by="point",
            tolerance=LURE_SPAN,
            check_sortedness=False,
        )
        .with_columns(profit=pl.col("back_cny") / pl.col("stake_cny"))
        .filter(pl.col("profit").is_between(*LURE_PROFIT))
        .group_by("point")
        .agg(
            lures_n=pl.len(),
            lure_profit=pl.col("profit").max(),
            lure_age_h=to_hours((pl.col("at") - pl.col("known_at")).min()),
            lure_cny=pl.col("stake_cny").max(),
        )
    )
