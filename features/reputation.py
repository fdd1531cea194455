"""The reputation of a number or an account in the district at a moment.

What is known of it is its state row (``features.counterparties``). How bad it looks, 0 to 1, is for
a ``ReputationModel`` to say: models learn one from reported cases; until there are any,
``HAND_WRITTEN_REPUTATION`` speaks.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import polars as pl

from features.catalogue.definitions import CounterpartyKind
from features.counterparties import Counterparties
from features.event_index import EventIndex
from features.kernel.query_points import QueryPoints, latest_of_relationships, with_named
from features.kernel.segment import to_milliseconds
from features.kernel.source_tables import RECENT_WINDOW

__all__ = [
    "BAD_REPUTATION",
    "HAND_WRITTEN_REPUTATION",
    "HandWrittenReputation",
    "ReputationModel",
    "recent_relationships",
    "rounded_score",
]

BAD_REPUTATION = 0.5  # a reputation above this is bad


class ReputationModel(Protocol):
    """How bad numbers and accounts look, from 0 to 1; the same for a row whatever other rows stand
    beside it.
    """

    def score(self, states: pl.DataFrame, *, of: Counterparties) -> pl.Series:
        """One value for each row of ``of.states``."""


def rounded_score(score: pl.Expr) -> pl.Expr:
    """Rounded, because the last bit of a logarithm depends on the row's place in the frame."""
    return score.round(9)


def number_formula() -> pl.Expr:
    """Bad: a young number that reaches out to many residents and is not called back."""
    youth = 1 - (pl.col("peer_age_d").fill_null(0) / 20).clip(0, 1)
    reach = ((1 + pl.col("peer_reach_14d")).log(2) / 2).clip(0, 1)
    return rounded_score(youth * reach * pl.col("peer_in_share").fill_null(0.5))


def account_formula() -> pl.Expr:
    """Bad: a young account outside the district that several residents paid, and that pays little
    back.
    """
    youth = 1 - (pl.col("payee_age_d").fill_null(0) / 20).clip(0, 1)
    reach = ((1 + pl.col("payee_payers_14d")).log(2) / 3).clip(0, 1)
    return rounded_score(youth * reach * pl.col("payee_outside"))


FORMULAS: Mapping[CounterpartyKind, pl.Expr] = MappingProxyType(
    {"number": number_formula(), "account": account_formula()}
)


class HandWrittenReputation:
    """The reputation by formula, for the time before enough cases are reported."""

    def score(self, states: pl.DataFrame, *, of: Counterparties) -> pl.Series:
        """0 to 1 for each row of ``of.states``."""
        return states.select(FORMULAS[of.kind]).to_series()


HAND_WRITTEN_REPUTATION = HandWrittenReputation()


def recent_relationships(
    event_index: EventIndex,
    points: QueryPoints,
    *,
    of: Counterparties,
    reputation_model: ReputationModel,
) -> pl.DataFrame:
    """One row for each moment and counterparty new to the person and heard of in ``RECENT_WINDOW``:
    the relationship so far, the counterparty's state, ``reputation`` and ``named`` (by a case) at
    that moment, and its ``order`` among all, which decides where nothing else does.
    """
    latest = latest_of_relationships(
        of.relationships(event_index), of.endings(event_index), points, RECENT_WINDOW, code=of.code
    )
    rows = latest.filter(~of.set_aside(event_index, latest))
    now = of.states(
        event_index,
        codes=rows[of.code].cast(pl.Int64).to_numpy(),
        at_ms=to_milliseconds(rows["at"]),
    )
    known = pl.concat([rows, now.drop(of.code, "at_ms")], how="horizontal").with_columns(
        reputation_model.score(now, of=of).alias("reputation"),
        order=of.register(event_index)["order"].gather(rows[of.code]),
    )
    return with_named(known, of.named(event_index), code=of.code)
