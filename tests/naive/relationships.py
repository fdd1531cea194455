"""Who is a stranger: events of two parties put in relationships, row by row."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from features.kernel.source_tables import SourceTables
from tests.naive.holders import Held, holder_on, is_set_aside, mass_moments, times_held

Row = Mapping[str, Any]
Values = dict[str, Any]


@dataclass(eq=False)
class Event:
    """A call, text or movement of ``person`` with ``other``, and the events of its relationship up
    to itself; which resident held the account of the other then, and whether it counts.
    """

    person: str
    other: str
    known_at: datetime
    row: Row
    other_holder: str | None = None
    counts: bool = True
    relationship: list["Event"] = field(default_factory=list)

    @property
    def started_at(self) -> datetime:
        return self.relationship[0].known_at

    @property
    def is_first(self) -> bool:
        return self.relationship[0] is self

    @property
    def is_young(self) -> bool:
        """Whether the two met less than 15 days before."""
        return self.known_at - self.started_at < timedelta(days=15)


@dataclass(eq=False)
class District:
    """All that is known before a moment."""

    at: datetime
    contacts: list[Event]
    moves: list[Event]
    local_accounts: set[str]
    born: dict[str, date]
    numbers: list[Row]
    accounts: list[Row]
    numbers_held: list[Held]
    accounts_held: list[Held]
    cases: list[Row]
    tagged: set[str]
    call_deliveries: list[tuple[str, datetime]]
    transfer_deliveries: list[tuple[str, datetime]]


def known_district(tables: SourceTables, at: datetime, *, mass_limit: float = math.inf) -> District:
    """``mass_limit`` is how many residents must be exceeded that a number is one for everybody."""
    numbers, accounts = (
        tables.subscribers.collect().to_dicts(),
        tables.accounts.collect().to_dicts(),
    )
    numbers_held = times_held(numbers, "number", "activated_on")
    accounts_held = times_held(accounts, "account", "opened_on")
    tags = tables.number_tags.collect().to_dicts()
    services = {row["number"] for row in tags if row["tag"] == "public_service"}
    moves = [
        row
        for row in tables.transfers.collect().to_dicts()
        if row["known_at"] < at and row["payee"] is not None
    ]
    moves.sort(key=lambda row: (row["occurred_at"], row["direction"] == "debit", row["amount_cny"]))
    contacts = [
        Event(person, row["peer"], row["known_at"], row)
        for row in tables.calls.collect().to_dicts()
        if row["known_at"] < at and row["peer"] not in services
        if (person := holder_on(numbers_held, row["number"], row["started_at"].date()))
    ]
    for number in {event.other for event in contacts}:
        theirs = [event for event in contacts if event.other == number]
        moments = mass_moments([(event.person, event.known_at) for event in theirs], mass_limit)
        for event in theirs:
            event.counts = not is_set_aside(event.known_at, moments, at)
    return District(
        at=at,
        contacts=group_by_relationship(contacts),
        moves=group_by_relationship(
            Event(
                person,
                row["payee"],
                row["known_at"],
                row,
                holder_on(accounts_held, row["payee"], row["occurred_at"].date()),
            )
            for row in moves
            if (person := holder_on(accounts_held, row["account"], row["occurred_at"].date()))
        ),
        local_accounts={row["account"] for row in accounts},
        born={row["person"]: row["birth_month"] for row in tables.residents.collect().to_dicts()},
        numbers=numbers,
        accounts=accounts,
        numbers_held=numbers_held,
        accounts_held=accounts_held,
        cases=[row for row in tables.cases.collect().to_dicts() if row["known_at"] < at],
        tagged={row["number"] for row in tags},
        call_deliveries=deliveries(tables.calls, at),
        transfer_deliveries=deliveries(tables.transfers, at),
    )


def deliveries(events: pl.LazyFrame, at: datetime) -> list[tuple[str, datetime]]:
    """Source and moment of every record, also of those that belong to nobody."""
    return [
        (row["source"], row["known_at"])
        for row in events.collect().to_dicts()
        if row["known_at"] < at
    ]


def group_by_relationship(events: Iterable[Event]) -> list[Event]:
    """Events in the order in which they became known, each with its relationship so far; 30 days of
    silence end a relationship.
    """
    ordered = sorted(events, key=lambda event: event.known_at)
    last: dict[tuple[str, str], Event] = {}
    for event in ordered:
        before = last.get((event.person, event.other))
        if before is not None and event.known_at - before.known_at <= timedelta(days=30):
            event.relationship = [*before.relationship, event]
        else:
            event.relationship = [event]
        last[event.person, event.other] = event
    return ordered


def to_hours(span: timedelta) -> float:
    """Whole seconds counted."""
    return int(span.total_seconds()) / 3600


def events_of(events: Iterable[Event], person: str) -> list[Event]:
    return [event for event in events if event.person == person]


def events_since(events: Iterable[Event], start: datetime) -> list[Event]:
    return [event for event in events if event.known_at >= start]


def latest_of_each(events: list[Event]) -> list[Event]:
    """The last event with each other party."""
    return list({event.other: event for event in events}.values())
