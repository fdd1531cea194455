"""Relationships: what makes the contacts of a person and a counterparty one relationship, and the
counterparty a stranger.

A relationship runs until the two have had nothing to do with each other for ``RELATIONSHIP_GAP``.
While it is younger than ``STRANGER_AGE``, the number is an unknown number and the account a new
payee.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from features.kernel.segment import to_hundredths

__all__ = [
    "RELATIONSHIP_GAP",
    "STRANGER_AGE",
    "Figures",
    "ends_newness",
    "is_stranger",
    "last_events",
    "new_events",
    "with_relationships",
]

# After so long without contact the next contact begins a new relationship.
RELATIONSHIP_GAP = timedelta(days=30)
# So long after the first contact a counterparty is still a stranger.
STRANGER_AGE = timedelta(days=15)


MAX_FIGURE = 2.0**25  # greater than any maximum: 388 days in seconds

# Whether an event is the first of its relationship, or the one from which that is carried on.
OPENS_STRETCH = pl.col("is_first") | pl.col("is_carried")


def of_stretch(first: pl.Expr | str, column: str) -> pl.Expr:
    """What holds for a whole relationship: ``first`` of its first event, or what the carried event
    has in ``column``.
    """
    return pl.when("is_first").then(first).when("is_carried").then(pl.col(column)).forward_fill()


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is added up along a relationship, by the name of its column: running totals (at most two
    decimals), maxima (the same, from none to ``MAX_FIGURE``), and values of the first event.
    """

    totals: Mapping[str, pl.Expr] = field(default_factory=dict)
    maxima: Mapping[str, pl.Expr] = field(default_factory=dict)
    firsts: Mapping[str, pl.Expr] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are added, with those that every relationship has."""
        own = ("relationship_started_at", "relationship_n")
        return (*own, *self.totals, *self.maxima, *self.firsts)

    def so_far(self) -> Mapping[str, pl.Expr]:
        """Each figure at an event, this one included; frame in :func:`with_relationships` order."""
        return {
            **{name: running_total(expr, name) for name, expr in self.totals.items()},
            **{name: running_maximum(expr, name) for name, expr in self.maxima.items()},
            **{name: of_stretch(expr, name) for name, expr in self.firsts.items()},
        }

    def of_nothing(self, events: pl.LazyFrame) -> pl.LazyFrame:
        """No carried events, with the columns of such."""
        return events.clear().with_columns(
            relationship_started_at=pl.col("known_at"),
            relationship_n=pl.lit(None, pl.Int64),
            **{name: pl.lit(None, pl.Float64) for name in (*self.totals, *self.maxima)},
            **self.firsts,
        )


def with_relationships(
    events: pl.LazyFrame,
    *,
    peer: str,
    ties: Sequence[str] = (),
    figures: Figures | None = None,
    carried: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Sort events by (``owner``, ``peer``, ``known_at``) and add its place in the relationship of
    the two, and its ``figures`` so far.

    What became known at once, as all that one delivery brings, is put in the order of ``ties``.

    A relationship begins with the first contact, or the first after ``RELATIONSHIP_GAP``. Adds
    ``is_first`` (this event begins a relationship), ``relationship_started_at`` and
    ``relationship_n`` (events so far, this one included).

    What came before the events can be carried forward: ``carried`` holds the last event of each
    pair so far with all that was added to it. These rows then stand before the others of their
    pair, with ``is_carried`` true; :func:`new_events` leaves them out again.
    """
    figures = figures or Figures()
    earlier = figures.of_nothing(events) if carried is None else carried
    same = (pl.col("owner") == pl.col("owner").shift()) & (pl.col(peer) == pl.col(peer).shift())
    recent = (pl.col("known_at") - pl.col("known_at").shift()) <= RELATIONSHIP_GAP
    place = pl.int_range(pl.len())
    return (
        pl.concat(
            [earlier.with_columns(is_carried=True), events.with_columns(is_carried=False)],
            how="diagonal",
        )
        .sort("owner", peer, pl.col("is_carried").not_(), "known_at", *ties, maintain_order=True)
        .with_columns(is_first=~((same & recent).fill_null(False) | pl.col("is_carried")))
        .with_columns(
            relationship_started_at=of_stretch("known_at", "relationship_started_at"),
            relationship_n=place
            - pl.when(OPENS_STRETCH).then(place).forward_fill()
            + of_stretch(pl.lit(1, pl.Int64), "relationship_n"),
            **figures.so_far(),
        )
    )


def carried_or(expr: pl.Expr, column: str) -> pl.Expr:
    """``expr``, and of a carried event what it has in ``column``."""
    return pl.when("is_carried").then(pl.col(column)).otherwise(expr)


def running_total(expr: pl.Expr, column: str) -> pl.Expr:
    """The total of ``expr`` since the relationship began, a carried event's from ``column``."""
    amount = to_hundredths(carried_or(expr.cast(pl.Float64), column))
    total = amount.cum_sum()
    opening = pl.when(OPENS_STRETCH).then(total - amount).forward_fill()
    return (total - opening) / 100


def running_maximum(expr: pl.Expr, column: str) -> pl.Expr:
    """The greatest value of ``expr`` since the relationship began, a carried event's from
    ``column``. The number of the stretch stands before the value, so that one running maximum over
    all events starts anew with each.
    """
    value = to_hundredths(carried_or(expr.cast(pl.Float64), column))
    before = OPENS_STRETCH.cum_sum().cast(pl.Int64) * int(MAX_FIGURE * 100)
    return ((before + value).cum_max() - before) / 100


def new_events(related: pl.LazyFrame) -> pl.LazyFrame:
    """The events without those that were carried forward."""
    return related.filter(~pl.col("is_carried")).drop("is_carried")


def last_events(related: pl.LazyFrame, *, peer: str, columns: Sequence[str]) -> pl.LazyFrame:
    """The last event of each pair, from which its relationship can be carried forward: ``owner``,
    ``peer``, ``known_at`` and ``columns``; frame in :func:`with_relationships` order.
    """
    goes_on = (pl.col("owner") == pl.col("owner").shift(-1)) & (
        pl.col(peer) == pl.col(peer).shift(-1)
    )
    return related.filter(~goes_on.fill_null(False)).select("owner", peer, "known_at", *columns)


def is_stranger() -> pl.Expr:
    """Whether the counterparty of an event is still a stranger to the person, by the columns of
    :func:`with_relationships`.
    """
    return pl.col("known_at") - pl.col("relationship_started_at") < STRANGER_AGE


def ends_newness(is_new: pl.Expr) -> pl.Expr:
    """Whether an event does not meet ``is_new`` and the one before it in the relationship does;
    frame in :func:`with_relationships` order.
    """
    return ~OPENS_STRETCH & ~is_new & is_new.shift().fill_null(False)
