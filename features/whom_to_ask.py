"""Whom to ask about, and when: everybody, or those of whom a reason to ask again became known."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from features.entities.mass_numbers import set_aside
from features.event_index import EventIndex
from features.kernel.segment import Positions

__all__ = ["query_points_after_events", "query_points_for_everyone", "ticks_after_all_events"]

LARGER_CNY = 1000.0
WHEN = ("owner", "known_at")  # all that is read of an event that only makes a tick
NO_ORDINARY_PURCHASE = ~pl.col("is_debit") | pl.col("is_own") | (pl.col("amount_cny") >= LARGER_CNY)


def query_points_after_events(
    event_index: EventIndex,
    *,
    start: datetime,
    end: datetime,
    every: str,
    owner: Positions | None = None,
) -> pl.DataFrame:
    """``person``, ``at``: for each event known in ``[start, end)`` that is a reason to ask again
    the first tick strictly after it; of the codes ``owner`` alone, where there are some.

    Such events are contacts with strangers, payments to and from new payees, money received or
    moved between own accounts, and every larger payment. Contacts with people known for long, and
    what is bought day by day, features see as habits alone: they change at midnight. ``every`` is a
    Polars duration such as ``15m``. Ticks come in order, and lie in ``(start, end]`` if ``end`` is
    one. A contact that does not count at the tick is no event.
    """
    logs = (
        (event_index.stranger_contacts, None),
        (event_index.new_payee_payments, None),
        (event_index.payments, NO_ORDINARY_PURCHASE),
    )
    return ticks_after(
        event_index,
        [
            log.known_between(start, end, where=where, owner=owner, columns=WHEN)
            for log, where in logs
        ],
        event_index.mass_contacts.known_between(
            start, end, where=pl.col("is_stranger"), owner=owner
        ),
        every=every,
    )


def ticks_after_all_events(
    event_index: EventIndex,
    *,
    start: datetime,
    end: datetime,
    every: str,
    owner: Positions | None = None,
) -> pl.DataFrame:
    """The same for every event, also those that are no reason to ask again; of the codes ``owner``
    alone, where there are some. What is learned from more moments of an episode is learned better.
    """
    logs = (event_index.contacts, event_index.payments)
    return ticks_after(
        event_index,
        [log.known_between(start, end, owner=owner, columns=WHEN) for log in logs],
        event_index.mass_contacts.known_between(start, end, owner=owner),
        every=every,
    )


def ticks_after(
    event_index: EventIndex, events: Sequence[pl.DataFrame], heard: pl.DataFrame, *, every: str
) -> pl.DataFrame:
    """``person``, ``at`` of the first tick after each of ``events``; of these ``heard`` are the
    contacts with numbers that may be for everybody.
    """
    next_tick = pl.col("known_at").dt.truncate(every).dt.offset_by(every)
    heard = heard.with_columns(at=next_tick)
    uncounted = heard.filter(set_aside(heard, event_index.mass_numbers))
    return (
        pl.concat([frame.lazy().select("owner", at=next_tick) for frame in events])
        .group_by("owner", "at")
        .len()
        .join(uncounted.lazy().group_by("owner", "at").len("less"), on=["owner", "at"], how="left")
        .filter((pl.col("len") > pl.col("less")).fill_null(True))
        .join(event_index.people.lazy().select("person", owner="code"), on="owner")
        .select("person", "at")
        .sort("at", "person")
        .collect()
    )


def query_points_for_everyone(
    event_index: EventIndex, *, at: datetime, owner: Positions | None = None
) -> pl.DataFrame:
    """``person``, ``at``: every resident at one moment, or those of the codes ``owner``."""
    moment = pl.lit(at).cast(event_index.contacts.empty.schema["known_at"])
    people = event_index.people if owner is None else event_index.people[pl.Series(owner)]
    return people.select("person", at=moment).drop_nulls("person")
