"""The writer of the store: takes the events that became known on one day and adds what follows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from features.entities import calls, transfers
from features.entities.feeds import delivery_hours
from features.entities.mass_numbers import busy_numbers
from features.entities.number_profiles import first_payments_outside, payments_after_contact
from features.event_timelines import TIMELINES
from features.kernel.relationships import last_events
from features.kernel.segment import DAY_MS, moment_ms
from features.kernel.timeline import Timeline
from pipelines.storage.event_store.lake_changes import Span
from pipelines.storage.event_store.parts.code_book import CodeBook
from pipelines.storage.event_store.parts.days import day_start
from pipelines.storage.event_store.parts.event_columns import (
    CODED,
    EMPTY_EVENTS,
    FOLLOWED,
    LED_KEY,
    PEER_KIND,
    RELATE,
)
from pipelines.storage.event_store.parts.frame_files import read_frame, write_frame
from pipelines.storage.event_store.parts.manifest import Checkpoint, Manifest
from pipelines.storage.event_store.parts.relationship_states import (
    BUCKET_BITS,
    add_states,
    find_states,
    pair_keys,
)
from pipelines.storage.event_store.parts.segments import add_segment, open_timeline
from pipelines.storage.event_store.registers import StoreRegisters, with_codes
from pipelines.storage.lake_schemas import EVENTS, MOMENT

__all__ = ["OutOfOrderError", "StoreWriter"]

CHECKPOINTS = 8  # days to which the store can go back without being made anew
PEER = {"contacts": "peer_code", "payments": "payee_code"}
CARRIED = {"contacts": calls.CARRIED, "payments": transfers.CARRIED}


BUSY = pl.DataFrame(schema={"owner": pl.UInt32, "day": pl.Int32, "contacts": pl.UInt32})
DELIVERIES = pl.DataFrame(schema={"source": pl.String, "known_at": MOMENT})


class OutOfOrderError(Exception):
    """Events of a relationship came after later ones of it had been added."""


@dataclass(eq=False)
class StoreWriter:
    """Adds events to what ``manifest`` names; nothing counts before the manifest is written."""

    folder: Path
    manifest: Manifest
    registers: StoreRegisters
    busy_floor: float  # contacts a day: no number with fewer can be a mass number
    books: dict[str, CodeBook] = field(init=False)
    deliveries: dict[str, pl.DataFrame] = field(init=False)
    busy: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.deliveries = {
            dataset: self.read_held(self.manifest.feeds.get(dataset), DELIVERIES)
            for dataset in EVENTS
        }
        self.busy = self.read_held(self.manifest.busy, BUSY)
        self.books = {
            kind: CodeBook(self.folder, self.manifest.books.get(kind, ()))
            for kind in ("numbers", "accounts")
        }

    def read_held(self, file: str | None, empty: pl.DataFrame) -> pl.DataFrame:
        """What an earlier writer kept in a file, if there was one."""
        return read_frame(self.folder / file) if file else empty

    def add_span(self, span: Span, *, records: Mapping[str, Iterable[pl.DataFrame]]) -> None:
        """Add ``records`` of calls and transfers that became known on some days.

        Raises :class:`OutOfOrderError` where later events of the same two are in the store already.
        """
        self.set_checkpoint(span)
        at = day_start(span.first)
        contacts = self.relate_all(
            "contacts", [self.code_calls(frame) for frame in records["calls"]], at=at
        )
        payments = self.relate_all(
            "payments", [self.code_transfers(frame) for frame in records["transfers"]], at=at
        )
        led = self.led_to_pay(contacts["stranger_contacts"], payments["new_payee_payments"])
        self.add_busy(contacts["contacts_by_number"])
        made = {**contacts, **payments, FOLLOWED: led}
        del contacts, payments
        for name in sorted(made):
            segments = add_segment(
                name,
                self.manifest.timelines.get(name, ()),
                made.pop(name),
                start_ms=moment_ms(at),
                folder=self.folder,
            )
            self.manifest = self.manifest.with_segments(name, segments)

    def set_checkpoint(self, span: Span) -> None:
        """Remember what every relationship was before new days. Where events are added to earlier
        days, what was remembered of those after them no longer holds.
        """
        points = tuple(one for one in self.manifest.checkpoints if one.day <= span.first)
        if span.first > self.manifest.head_day:
            points = (*points, Checkpoint(span.first, dict(self.manifest.states)))[-CHECKPOINTS:]
        self.manifest = replace(
            self.manifest, head_day=max(span.last, self.manifest.head_day), checkpoints=points
        )

    def code_calls(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Calls in codes; what the sources delivered is written down on the way."""
        self.add_deliveries("calls", frame)
        public = self.registers.public["number"]
        if len(public):
            frame = frame.filter(~pl.col("peer").is_in(public.implode()))
        peers = frame.select("peer", "peer_kind").drop_nulls("peer").unique("peer")
        kind = peers.select(peer_kind=pl.col("peer_kind").cast(PEER_KIND, strict=False))
        self.books["numbers"], codes = with_codes(self.books["numbers"], peers["peer"], kind)
        coded = calls.code_calls(
            frame.lazy(),
            people=self.registers.holdings.numbers.lazy(),
            peers=peers.lazy().select("peer", peer_code=codes),
        ).with_columns(pl.col("peer_kind").cast(PEER_KIND, strict=False))
        return coded.select(CODED["contacts"].columns).collect()

    def code_transfers(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The same of transfers."""
        self.add_deliveries("transfers", frame)
        payees = frame.select("payee").drop_nulls().unique()
        self.books["accounts"], codes = with_codes(self.books["accounts"], payees["payee"])
        coded = transfers.code_transfers(
            frame.lazy(),
            holders=self.registers.holdings.accounts.lazy(),
            payees=payees.lazy().select("payee", payee_code=codes),
        )
        return coded.select(CODED["payments"].columns).collect()

    def forget_since(self, day: int) -> None:
        """Forget what the sources delivered, and how busy numbers were, from a day on."""
        before = pl.col("known_at") < day_start(day)
        self.deliveries = {name: held.filter(before) for name, held in self.deliveries.items()}
        self.busy = self.busy.filter(pl.col("day") < day)

    def add_deliveries(self, dataset: str, frame: pl.DataFrame) -> None:
        """Keep when each source delivered something."""
        delivered = [self.deliveries[dataset], frame.select("source", "known_at")]
        self.deliveries[dataset] = delivery_hours(pl.concat(delivered).lazy()).collect()

    def finished(self) -> Manifest:
        """The manifest with all that was added."""
        books = {kind: book.parts for kind, book in self.books.items()}
        return replace(
            self.manifest,
            books={**books, "people": self.registers.people.parts},
            feeds={
                dataset: write_frame(held, folder=self.folder)
                for dataset, held in self.deliveries.items()
            },
            busy=write_frame(self.busy, folder=self.folder),
        )

    def relate_all(
        self, kind: str, coded: list[pl.DataFrame], *, at: datetime
    ) -> dict[str, pl.DataFrame]:
        """The events of every timeline made of these coded events; the relationships go on. What is
        done with is let go of: a district's day fills a good part of the memory.
        """
        names = [name for name, one in TIMELINES.items() if one.made_of == kind]
        made = {name: [EMPTY_EVENTS[name]] for name in names}
        bucket = (pl.col("owner") // (1 << BUCKET_BITS)).alias("bucket")
        events = pl.concat([CODED[kind], *coded]).with_columns(bucket)
        coded.clear()
        parts = events.partition_by("bucket", as_dict=True, include_key=False)
        del events
        for (number,) in sorted(parts):
            related = self.relate(kind, parts.pop((number,)), bucket=number, at=at)
            for name in names:
                chosen = TIMELINES[name].events(related.lazy())
                made[name].append(chosen.select(EMPTY_EVENTS[name].columns).collect())
        return {name: pl.concat(frames) for name, frames in made.items()}

    def relate(self, kind: str, events: pl.DataFrame, *, bucket: int, at: datetime) -> pl.DataFrame:
        """Events of one bucket of people in relationship order, after what was carried forward."""
        peer, key = PEER[kind], f"{kind}/{bucket}"
        states = self.manifest.states.get(key, ())
        pairs = pl.Series(pair_keys(events, peer=peer)).unique().sort().to_numpy()
        carried = find_states(states, pairs, folder=self.folder)
        if carried is not None:
            require_order(events, carried, peer=peer)
        related = RELATE[kind](
            events.lazy(), carried=carried.lazy() if carried is not None else None
        )
        whole = related.collect()
        last = last_events(whole.lazy(), peer=peer, columns=CARRIED[kind]).collect()
        added = add_states(states, last, peer=peer, folder=self.folder, at=at)
        self.manifest = replace(self.manifest, states={**self.manifest.states, key: added})
        return whole

    def add_busy(self, by_number: pl.DataFrame) -> None:
        """Keep how many contacts the busiest numbers had each day, earlier loads counted."""
        busy = busy_numbers(by_number.lazy()).collect()
        earlier = self.open("contacts_by_number").sums(
            ["contact"],
            owner=busy["owner"].cast(pl.Int64).to_numpy(),
            at_ms=(busy["day"].cast(pl.Int64).to_numpy() + 1) * DAY_MS + moment_ms(day_start(0)),
            window=timedelta(days=1),
        )["contact"]
        counted = busy.with_columns(
            contacts=(pl.col("contacts") + pl.Series(earlier)).cast(pl.UInt32)
        ).filter(pl.col("contacts") > self.busy_floor)
        self.busy = pl.concat([self.busy, counted])

    def led_to_pay(self, strangers: pl.DataFrame, new_payees: pl.DataFrame) -> pl.DataFrame:
        """The residents whom a number led to pay (``payments_after_contact``), as far as new
        contacts or new payments show it.
        """
        heard = Timeline.of(strangers.lazy())
        paid = first_payments_outside(new_payees)
        found = [
            payments_after_contact(self.open("stranger_contacts"), paid),
            payments_after_contact(heard, paid),
        ]
        since = heard.first_known_at
        if since is not None:  # payments that came before the calls that led to them
            earlier = self.open("new_payee_payments").known_between(since)
            found.append(payments_after_contact(heard, first_payments_outside(earlier)))
        led = pl.concat(found).group_by(LED_KEY).agg(pl.col("known_at").min())
        return self.not_led_before(led.select(found[0].columns))

    def not_led_before(self, led: pl.DataFrame) -> pl.DataFrame:
        """Those of ``led`` that are not in the store yet."""
        if led.is_empty():
            return led
        since = min(led["relationship_started_at"].to_list())
        before = self.open(FOLLOWED).known_between(since).select(*LED_KEY, before_at="known_at")
        joined = led.join(before, on=LED_KEY, how="left")
        if (joined["before_at"] > joined["known_at"]).any():
            raise OutOfOrderError
        return joined.filter(pl.col("before_at").is_null()).drop("before_at")

    def open(self, name: str) -> Timeline:
        """A timeline as it stands."""
        return open_timeline(name, self.manifest.timelines.get(name, ()), folder=self.folder)


def require_order(events: pl.DataFrame, carried: pl.DataFrame, *, peer: str) -> None:
    """Raise :class:`OutOfOrderError` where an event is not later than what was carried forward."""
    late = events.lazy().join(
        carried.lazy().select("owner", peer, last_at="known_at"), on=["owner", peer]
    )
    if not late.filter(pl.col("known_at") <= pl.col("last_at")).head(1).collect().is_empty():
        raise OutOfOrderError
