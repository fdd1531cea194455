"""Relationships: what makes the contacts of a person and a counterparty one relationship, and the
counterparty a stranger.

A relationship runs until the two have had nothing to do with each other for ``RELATIONSHIP_GAP``.
While it is younger than ``STRANGER_AGE``, the number is an unknown number and the account a new
payee.
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from features.kernel.timeline import to_hundredths

__all__ = [
    "RELATIONSHIP_GAP",
    "STRANGER_AGE",
    "ends_newness",
    "is_stranger",
    "running_total",
    "with_relationships",
]

# After so long without contact the next contact begins a new relationship.
RELATIONSHIP_GAP = timedelta(days=30)
# So long after the first contact a counterparty is still a stranger.
STRANGER_AGE = timedelta(days=15)


def with_relationships(
    events: pl.LazyFrame, *, peer: str, ties: Sequence[str] = ()
) -> pl.LazyFrame:
    """Sort events by (``owner``, ``peer``, ``known_at``) and add its place in the relationship of
    the two.

    What became known at once, as all that one delivery brings, is put in the order of ``ties``.

    A relationship begins with the first contact, or the first after ``RELATIONSHIP_GAP``. Adds
    ``is_first`` (this event begins a relationship), ``relationship`` (dense number),
    ``relationship_started_at`` and ``relationship_n`` (events so far, this one included).
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
        )
    )


def is_stranger() -> pl.Expr:
    """Whether the counterparty of an event is still a stranger to the person, by the columns of
    :func:`with_relationships`.
    """
    return pl.col("known_at") - pl.col("relationship_started_at") < STRANGER_AGE


def ends_newness(is_new: pl.Expr) -> pl.Expr:
    """Whether an event does not meet ``is_new`` and the one before it in the relationship does;
    frame in :func:`with_relationships` order.
    """
    return ~pl.col("is_first") & ~is_new & is_new.shift().fill_null(False)


def running_total(expr: pl.Expr) -> pl.Expr:
    """The running total of ``expr`` (at most two decimals) since the relationship began; frame in
    :func:`with_relationships` order.
    """
    amount = to_hundredths(expr)
    total = amount.cum_sum()
    opening = pl.when("is_first").then(total - amount).forward_fill()
    return (total - opening) / 100
