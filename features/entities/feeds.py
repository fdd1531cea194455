"""Feeds: which sources serve a person, and since when each has been silent.

A source is the operator or bank that delivers records, and goes by the name that its files bear.
The registers say which of them the numbers and accounts that a person holds today belong to:
``operator`` and ``bank``. So whoever holds a number of an operator that delivers nothing is known
to be unseen, and is not taken for somebody who makes no calls.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.entities.holdings import present_rows
from features.kernel.query_points import QueryPoints
from features.kernel.segment import Positions, to_milliseconds
from features.kernel.source_tables import SourceTables

__all__ = [
    "LATE_AFTER",
    "Feeds",
    "LateSource",
    "build_feeds",
    "call_feeds",
    "delivery_hours",
    "flags_at",
    "serving_banks",
    "serving_operators",
    "transfer_feeds",
]

LATE_AFTER = timedelta(
    hours=30
)  # what comes once a night is silent for a day, and may be some hours late
MAX_SILENCE_H = 168.0  # a longer silence counts as this
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class LateSource:
    """A source that serves a person and has delivered nothing since ``since``; None: nothing within
    memory.
    """

    source: str
    since: datetime | None


@dataclass(frozen=True, eq=False)
class Feeds:
    """The sources of one dataset.

    ``delivery_hours`` holds, by source, the first delivery of each clock hour with any
    (milliseconds since 1970, in order); ``served`` holds, by source, whether it serves each person,
    in code order. Sources that the register names have an entry in both; one that never delivered
    has no delivery_hours.
    """

    delivery_hours: Mapping[str, Positions]
    served: Mapping[str, npt.NDArray[np.bool_]]

    @property
    def delivering_sources(self) -> tuple[str, ...]:
        """The sources that serve somebody and have delivered something, in order."""
        return tuple(
            source for source, delivery_hours in self.delivery_hours.items() if len(delivery_hours)
        )

    def silent_h(self, source: str, at_ms: Positions) -> npt.NDArray[np.float64]:
        """Hours since the last hour in which ``source`` delivered something known before each
        moment, up to 168.
        """
        delivery_hours = self.delivery_hours[source]
        found = np.full(len(at_ms), MAX_SILENCE_H)
        last = np.searchsorted(delivery_hours, at_ms, side="left") - 1
        delivered = last >= 0
        found[delivered] = (at_ms[delivered] - delivery_hours[last[delivered]]) / HOUR_MS
        return np.asarray(np.minimum(found, MAX_SILENCE_H))

    def longest_silence(
        self, points: QueryPoints
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """For each query point the longest silence of the person's sources (h, NaN with none), and
        how many are late.
        """
        longest = np.full(len(points.owner), np.nan)
        late = np.zeros(len(points.owner), dtype=np.int64)
        for source, served in self.served.items():
            mine = served[points.owner]
            silent = self.silent_h(source, points.at_ms)
            longest = np.where(mine, np.fmax(longest, silent), longest)
            late += mine & (silent > LATE_AFTER / timedelta(hours=1))
        return longest, late

    def late_sources(self, owner: int, at: datetime) -> Iterator[LateSource]:
        """The sources of one person that are late at ``at``; not those that nothing was ever heard
        of.
        """
        at_ms = np.array([at.timestamp() * 1000], dtype=np.int64)
        for source in self.delivering_sources:
            if self.served[source][owner] and self.silent_h(source, at_ms)[
                0
            ] > LATE_AFTER / timedelta(hours=1):
                delivered = self.delivery_hours[source][self.delivery_hours[source] < at_ms]
                yield LateSource(source, end_of_hour(delivered[-1], at) if len(delivered) else None)


def end_of_hour(hour_ms: int, at: datetime) -> datetime:
    """The end of the clock hour of a mark, in the zone of ``at``: by then the source had fallen
    silent.
    """
    return datetime.fromtimestamp((hour_ms // HOUR_MS + 1) * HOUR_MS / 1000, UTC).astimezone(
        at.tzinfo
    )


def call_feeds(tables: SourceTables, people: pl.DataFrame) -> Feeds:
    """The operators; ``people`` has ``person`` in code order."""
    served = serving_operators(tables, people)
    return build_feeds(delivery_hours(tables.calls).collect(), served, len(people))


def transfer_feeds(tables: SourceTables, people: pl.DataFrame) -> Feeds:
    """The banks; ``people`` has ``person`` in code order."""
    served = serving_banks(tables, people)
    return build_feeds(delivery_hours(tables.transfers).collect(), served, len(people))


def serving_operators(tables: SourceTables, people: pl.DataFrame) -> pl.DataFrame:
    """``source`` and ``code``: which operators serve each person; ``people`` has ``person`` and
    ``code``.
    """
    held = present_rows(tables.subscribers, key="number", since="activated_on")
    return served_people(held.select("person", source="operator"), people)


def serving_banks(tables: SourceTables, people: pl.DataFrame) -> pl.DataFrame:
    """The same of banks."""
    held = present_rows(tables.accounts, key="account", since="opened_on")
    return served_people(held.select("person", source="bank"), people)


def served_people(held: pl.LazyFrame, people: pl.DataFrame) -> pl.DataFrame:
    """``source`` and ``code`` of what is ``held`` (``person``, ``source``)."""
    codes = people.lazy().select("person", "code")
    return held.drop_nulls().unique().join(codes, on="person").select("source", "code").collect()


def delivery_hours(events: pl.LazyFrame) -> pl.LazyFrame:
    """``source`` and ``known_at``: the first event of each clock hour with any, in order."""
    return (
        events.group_by("source", hour=pl.col("known_at").dt.truncate("1h"))
        .agg(pl.col("known_at").min())
        .select("source", "known_at")
        .sort("source", "known_at")
    )


def build_feeds(delivered: pl.DataFrame, served: pl.DataFrame, people: int) -> Feeds:
    """The sources that serve so many ``people`` (``served``: ``source`` and ``code``), and when
    each ``delivered`` something (:func:`delivery_hours`).
    """
    names = served["source"].unique().sort().to_list()
    return Feeds(
        delivery_hours={
            name: to_milliseconds(delivered.filter(source=name)["known_at"]) for name in names
        },
        served={name: flags_at(served.filter(source=name)["code"], people) for name in names},
    )


def flags_at(codes: pl.Series, count: int) -> npt.NDArray[np.bool_]:
    """True at each of ``codes``."""
    found = np.zeros(count, dtype=np.bool_)
    found[codes.to_numpy()] = True
    return found
