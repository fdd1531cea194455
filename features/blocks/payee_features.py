"""The new payees that a person dealt with lately, the latest outside the district, and who had
called before.
"""

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from features.blocks.new_payee_payments import new_payee_payment_features
from features.counterparties import ACCOUNTS
from features.event_index import EventIndex
from features.kernel.query_points import QueryPoints, one_row_per_point, to_hours
from features.reputation import BAD_REPUTATION, ReputationModel, recent_relationships

__all__ = ["payee_features", "payee_relationships"]


def payee_relationships(
    event_index: EventIndex, points: QueryPoints, *, reputation_model: ReputationModel
) -> pl.DataFrame:
    """One row for each moment and new payee of :func:`features.reputation.recent_relationships`,
    with ``outside`` (no resident holds it).
    """
    rows = recent_relationships(event_index, points, of=ACCOUNTS, reputation_model=reputation_model)
    return rows.with_columns(outside=~pl.col("is_local"))


LEAD_COLUMNS = (
    "relationship_paid_cny",
    "relationship_back_cny",
    "relationship_paid_n",
    "relationship_back_n",
    "relationship_first_cny",
    "relationship_age_h",
    "silent_h",
    "outside",
    "payee_payers_14d",
    "payee_receivers_14d",
    "payee_received_cny_14d",
    "payee_age_d",
    "reputation",
    "named",
)


def payee_features(
    event_index: EventIndex, payees: pl.DataFrame, strangers: pl.DataFrame, points: QueryPoints
) -> pl.DataFrame:
    """A row a moment: what a person paid to new accounts, the latest outside the district, and who
    called before.

    ``payees`` and ``strangers`` are the relationships with accounts and with numbers at the
    same moments. Null where a moment has no such account; names in ``_cny``, hours ``_h``.
    """
    together = payees.group_by("point").agg(**week_sums(), **rebate_sums(), **bad_reputation_sums())
    found = new_payee_payment_features(event_index, points).join(
        together, on="point", how="full", coalesce=True
    )
    return one_row_per_point(
        found.join(lead_payee(payees), on="point", how="left").join(
            callers_before_payment(strangers, payees), on="point", how="left"
        ),
        points,
    )


WAS_PAID = pl.col("relationship_paid_n") > 0


def week_sums() -> Mapping[str, pl.Expr]:
    """What all new accounts of the week come to: those that were paid, and those that only paid."""
    first = pl.col("relationship_first_cny").filter(WAS_PAID)
    last_paid = (
        pl.col("amount_cny")
        .sort_by("known_at", "order")
        .filter(pl.col("is_debit").sort_by("known_at", "order"))
    )
    return {
        "named_payees_7d": pl.col("named").sum(),
        "payee_outside_n": (pl.col("outside") & WAS_PAID).sum(),
        "payee_max_cny": pl.col("relationship_paid_cny").max(),
        "payee_min_cny": first.min(),
        "payee_first_cny": first.sort_by(
            pl.col("relationship_started_at").filter(WAS_PAID),
            pl.col("order").filter(WAS_PAID),
        ).first(),
        "payee_last_cny": last_paid.last(),
        "payee_first_started_at": pl.col("relationship_started_at")
        .filter(WAS_PAID & pl.col("outside"))
        .min(),
        "payer_new_cny": (pl.col("relationship_back_cny") * ~WAS_PAID).sum(),
        "payer_new_reach": (pl.col("payee_receivers_14d") * ~WAS_PAID).max(),
    }


def rebate_sums() -> Mapping[str, pl.Expr]:
    """Money back from new accounts that were paid; three times as much and more is income, no
    rebate.
    """
    back_cny, paid_cny = pl.col("relationship_back_cny"), pl.col("relationship_paid_cny")
    rebate = WAS_PAID & (back_cny > 0) & (back_cny < 3 * paid_cny)
    return {
        "payee_back_n": (pl.col("relationship_back_n") * WAS_PAID).sum(),
        "payee_back_share": ((back_cny * WAS_PAID).sum() / paid_cny.sum()).fill_nan(None),
        "rebates_n": rebate.sum(),
        "rebates_outside_n": (rebate & pl.col("outside")).sum(),
        "rebate_age_h": pl.col("silent_h").filter(rebate & pl.col("outside")).min(),
    }


def bad_reputation_sums() -> Mapping[str, pl.Expr]:
    """Paid accounts by their reputation: the worst, and those above ``BAD_REPUTATION``."""
    bad = WAS_PAID & (pl.col("reputation") > BAD_REPUTATION)
    return {
        "payee_reputation_max": pl.col("reputation").filter(WAS_PAID).max(),
        "bad_reputation_payees_7d": bad.sum(),
        "bad_reputation_payees_cny": (pl.col("relationship_paid_cny") * bad).sum(),
    }


def lead_payee(payees: pl.DataFrame) -> pl.DataFrame:
    """The latest paid new payee of each moment; one outside the district goes before others."""
    return (
        payees.filter(WAS_PAID)
        .sort("point", "outside", "known_at", "order", descending=[False, True, True, False])
        .unique("point", keep="first", maintain_order=True)
        .select(
            "point",
            *(pl.col(name).alias(f"payee_{name.removeprefix('payee_')}") for name in LEAD_COLUMNS),
            lead_payee_code=pl.col("payee_code"),
        )
    )


def callers_before_payment(strangers: pl.DataFrame, payees: pl.DataFrame) -> pl.DataFrame:
    """The worst-reputed stranger heard of in the three days before a payee outside the district was
    first paid.
    """
    paid = payees.filter(pl.col("outside") & WAS_PAID).select(
        "point", paid_at="relationship_started_at"
    )
    heard = strangers.select(
        "point", "reputation", "relationship_talk_s", heard_at="relationship_started_at"
    )
    gap = pl.col("paid_at") - pl.col("heard_at")
    return (
        paid.join(heard, on="point")
        .filter(gap.is_between(timedelta(0), timedelta(days=3)))
        .group_by("point")
        .agg(
            payee_caller_reputation=pl.col("reputation").max(),
            payee_caller_talk_s=pl.col("relationship_talk_s").max(),
            payee_caller_h=to_hours(
                gap.sort_by("reputation", gap, descending=[False, True]).last()
            ),
        )
    )
