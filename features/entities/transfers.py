"""Transfers as one person's payments: own money moved, strangers paid, money that comes back."""

import polars as pl

from features.entities.holdings import held_at, whole_time
from features.kernel.relationships import (
    Figures,
    ends_newness,
    is_stranger,
    with_relationships,
)

__all__ = [
    "CARRIED",
    "code_transfers",
    "filter_endings",
    "filter_new_payees",
    "relate_payments",
]

TIES = ("occurred_at", "is_debit", "amount_cny")  # of what became known at once
FIGURES = Figures(  # to and from this payee so far
    totals={
        "relationship_paid_cny": pl.col("amount_cny") * pl.col("is_debit"),
        "relationship_back_cny": pl.col("amount_cny") * ~pl.col("is_debit"),
        "relationship_paid_n": pl.col("is_debit"),
        "relationship_back_n": ~pl.col("is_debit"),
    },
    firsts={"relationship_first_cny": pl.col("amount_cny")},
)
# What is needed of the last payment between two to go on from it.
CARRIED = (*FIGURES.names, "is_own", "is_merchant")


def code_transfers(
    transfers: pl.LazyFrame, *, holders: pl.LazyFrame, payees: pl.LazyFrame
) -> pl.LazyFrame:
    """Movements on residents' accounts, with the codes of both parties and what each was.

    ``holders`` maps ``account`` to ``owner`` (person code, null for somebody from elsewhere) for
    the span of each holding (``features.entities.holdings``); ``payees`` maps ``payee`` to
    ``payee_code``. The other party is called payee whichever way the money goes; movements without
    one (interest, fees, cash) drop out. ``amount_cny`` is a float, ``is_own`` says that the other
    party is then an account of the same person, ``is_local`` of any resident.
    """
    spans = ("since_at", "until_at")
    mine = holders.drop_nulls("owner").select("account", "owner", *spans)
    owners = whole_time(holders, key="account", holder="owner").select(
        *spans, payee="account", payee_owner="owner"
    )
    return (
        transfers.join(mine, on="account")
        .filter(held_at("occurred_at"))
        .drop(spans)
        .join(owners, on="payee", how="left")
        .filter(held_at("occurred_at"))
        .join(payees, on="payee")
        .select(
            "owner",
            "payee_code",
            "known_at",
            "occurred_at",
            amount_cny=pl.col("amount_cny").cast(pl.Float64),
            is_debit=pl.col("direction") == "debit",
            is_own=(pl.col("payee_owner") == pl.col("owner")).fill_null(False),
            is_local=pl.col("payee_owner").is_not_null(),
            is_merchant=pl.col("payee_kind") == "merchant",
        )
    )


def relate_payments(payments: pl.LazyFrame, *, carried: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Payments (:func:`code_transfers`) in relationship order, with ``FIGURES``; ``carried`` and
    what else is added: :func:`features.kernel.relationships.with_relationships`.
    """
    return with_relationships(
        payments, peer="payee_code", ties=TIES, figures=FIGURES, carried=carried
    )


def filter_new_payees(payments: pl.LazyFrame) -> pl.LazyFrame:
    """Payments to and from private accounts that this person first dealt with less than
    ``STRANGER_AGE`` ago.
    """
    return payments.filter(is_new_payee())


def is_new_payee() -> pl.Expr:
    """Whether a payment is one of :func:`filter_new_payees`."""
    return is_stranger() & ~pl.col("is_own") & ~pl.col("is_merchant")


def filter_endings(payments: pl.LazyFrame) -> pl.LazyFrame:
    """The payments by which a new payee becomes a known one."""
    return payments.filter(ends_newness(is_new_payee())).select(
        "owner", "payee_code", "known_at", "relationship_started_at", "relationship_n"
    )
