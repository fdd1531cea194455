"""The frames that features are made of: the lake's tables, as they come from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from features.kernel.timeline import to_hundredths

__all__ = [
    "LOOKBACK",
    "NEW_PAYEE_WINDOW",
    "PAYMENT_AFTER_CONTACT",
    "RECENT_WINDOW",
    "RELATIONSHIP_GAP",
    "STRANGER_AGE",
    "SourceTables",
    "dense_codes",
    "running_total",
    "with_relationships",
]

RELATIONSHIP_GAP = timedelta(
    days=30
)  # after so long without contact, a peer or payee counts as first-seen again
STRANGER_AGE = timedelta(days=15)  # so long after first contact a peer is still a stranger
RECENT_WINDOW = timedelta(
    days=7
)  # so far back go the relationships with strangers and new payees that a snapshot looks at
NEW_PAYEE_WINDOW = timedelta(days=14)  # so far back go the payments to new payees taken together
PAYMENT_AFTER_CONTACT = timedelta(days=1)  # a payment this soon after a contact may be caused by it
LOOKBACK = (
    NEW_PAYEE_WINDOW + PAYMENT_AFTER_CONTACT + STRANGER_AGE + RELATIONSHIP_GAP
)  # what became known earlier changes no feature


@dataclass(frozen=True)
class SourceTables:
    """Lake tables as lazy frames, with the columns that the lake gives them."""

    calls: pl.LazyFrame
    transfers: pl.LazyFrame
    residents: pl.LazyFrame
    subscribers: pl.LazyFrame
    accounts: pl.LazyFrame
    cases: pl.LazyFrame
    number_tags: pl.LazyFrame

    def known_before(self, at: datetime) -> "SourceTables":
        """The same tables with only the events and cases known strictly before ``at``."""
        return SourceTables(
            calls=self.calls.filter(pl.col("known_at") < at),
            transfers=self.transfers.filter(pl.col("known_at") < at),
            residents=self.residents,
            subscribers=self.subscribers,
            accounts=self.accounts,
            cases=self.cases.filter(pl.col("known_at") < at),
            number_tags=self.number_tags,
        )


def dense_codes(values: pl.LazyFrame, *, column: str) -> pl.LazyFrame:
    """``column`` and ``code``: each distinct value once, numbered densely from 0 in sorted order."""
    return values.select(column).drop_nulls().unique().sort(column).with_row_index("code")


def with_relationships(
    events: pl.LazyFrame, *, peer: str, ties: Sequence[str] = ()
) -> pl.LazyFrame:
    """Sort events by (``owner``, ``peer``, ``known_at``) and add its place in the relationship of
    the two.

    What became known at once, as all that one delivery brings, is put in the order of ``ties``.

    A relationship begins with the first contact, or the first after ``RELATIONSHIP_GAP``. Adds
    ``is_first`` (this event begins a relationship), ``relationship`` (dense number),
    ``relationship_started_at``, ``relationship_n`` (events so far, this one included) and
    ``next_known_at`` (the relationship's following event, null at its end): an event speaks for its
    relationship at a moment exactly when the following one is not known yet.
    """
    same = (pl.col("owner") == pl.col("owner").shift()) & (pl.col(peer) == pl.col(peer).shift())
    recent = (pl.col("known_at") - pl.col("known_at").shift()) <= RELATIONSHIP_GAP
    return (
        events.sort("owner", peer, "known_at", *ties, maintain_order=True)
        .with_columns(is_first=~(same & recent).fill_null(False))
        .with_columns(
            relationship=pl.col("is_first").cum_sum(),
            relationship_started_at=pl.when("is_first").then("known_at").forward_fill(),
        )
        .with_columns(
            relationship_n=pl.int_range(pl.len())
            - pl.when("is_first").then(pl.int_range(pl.len())).forward_fill()
            + 1,
            next_known_at=pl.when(pl.col("relationship") == pl.col("relationship").shift(-1)).then(
                pl.col("known_at").shift(-1)
            ),
        )
    )


def running_total(expr: pl.Expr) -> pl.Expr:
    """The running total of ``expr`` (at most two decimals) since the relationship began; frame in
    :func:`with_relationships` order.
    """
    amount = to_hundredths(expr)
    total = amount.cum_sum()
    opening = pl.when("is_first").then(total - amount).forward_fill()
    return (total - opening) / 100
