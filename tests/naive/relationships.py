"""Who is a stranger: events of two parties put in relationships, row by row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from features.kernel.source_tables import SourceTables

Row = Mapping[str, Any]
Values = dict[str, Any]


@dataclass(eq=False)
class Event:
    """A call, text or movement of ``person`` with ``other``, and the events of its relationship up
    to itself.
    """

    person: str
    other: str
    known_at: datetime
    row: Row
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
    holder: dict[str, str]
    born: dict[str, date]
    numbers: list[Row]
    accounts: list[Row]
    cases: list[Row]
    tagged: set[str]
    call_deliveries: list[tuple[str, datetime]]
    transfer_deliveries: list[tuple[str, datetime]]


def known_district(tables: SourceTables, at: datetime) -> District:
    numbers, accounts = (
        tables.subscribers.collect().to_dicts(),
        tables.accounts.collect().to_dicts(),
    )
    caller = {row["number"]: row["person"] for row in numbers}
    holder = {row["account"]: row["person"] for row in accounts}
    calls = [
        row
        for row in tables.calls.collect().to_dicts()
        if row["known_at"] < at and row["number"] in caller
    ]
    moves = [
        row
        for row in tables.transfers.collect().to_dicts()
        if row["known_at"] < at and row["account"] in holder and row["payee"] is not None
    ]
    moves.sort(key=lambda row: (row["occurred_at"], row["direction"] == "debit", row["amount_cny"]))
    return District(
        at=at,
        contacts=group_by_relationship(
            Event(caller[row["number"]], row["peer"], row["known_at"], row) for row in calls
        ),
        moves=group_by_relationship(
            Event(holder[row["account"]], row["payee"], row["known_at"], row) for row in moves
        ),
        holder=holder,
        born={row["person"]: row["birth_month"] for row in tables.residents.collect().to_dicts()},
        numbers=numbers,
        accounts=accounts,
        cases=[row for row in tables.cases.collect().to_dicts() if row["known_at"] < at],
        tagged={row["number"] for row in tables.number_tags.collect().to_dicts()},
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
