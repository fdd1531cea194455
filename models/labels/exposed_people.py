"""People whom a number or account reached that a case names: most of them reported nothing, and
nobody knows what came of it.
"""

from datetime import datetime, timedelta

import polars as pl

from features.entities.mass_numbers import never_set_aside
from features.event_index import EventIndex
from features.kernel.timeline import Timeline

__all__ = ["exposed_spans"]

MIN_TALK_S = 60  # who hung up before that was not drawn in
EXPOSED_BEFORE = timedelta(days=1)  # another number of the same crew may have called first
EXPOSED_AFTER = timedelta(days=7)


def exposed_spans(event_index: EventIndex, *, at: datetime) -> pl.DataFrame:
    """``person``, ``start_at``, ``end_at``: from a day before to a week after each contact with a
    number, or payment to an account, that a case known before ``at`` names.

    The contact is one after which they had talked for a minute; a number that may be for everybody
    exposes nobody.
    """
    talked = events_with_named(
        event_index.stranger_contacts,
        event_index.named_peers,
        code="peer_code",
        at=at,
        where=pl.col("relationship_talk_s") >= MIN_TALK_S,
    )
    talked = talked.filter(never_set_aside(talked, event_index.mass_numbers))
    paid = events_with_named(
        event_index.new_payee_payments, event_index.named_payees, code="payee_code", at=at
    )
    return (
        pl.concat([talked.select("owner", "known_at"), paid.select("owner", "known_at")])
        .join(event_index.people.select("person", owner="code"), on="owner")
        .select(
            "person",
            start_at=pl.col("known_at") - EXPOSED_BEFORE,
            end_at=pl.col("known_at") + EXPOSED_AFTER,
        )
        .sort("start_at", "person")
    )


def events_with_named(
    log: Timeline, named: pl.DataFrame, *, code: str, at: datetime, where: pl.Expr | None = None
) -> pl.DataFrame:
    """The events of ``log`` known before ``at`` with what was ``named`` by then."""
    first_at = log.first_known_at
    codes = named.filter(pl.col("named_at") < at)["code"]
    is_named = pl.col(code).is_in(codes.implode())
    chosen = is_named if where is None else is_named & where
    return log.known_between(first_at or at, at, where=chosen)
