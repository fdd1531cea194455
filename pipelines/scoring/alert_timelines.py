"""What an alert shows of a person's last days: calls, texts and money, and whom else the suspects
dealt with.

Everything is as it was known strictly before the moment of the list, like the features that the
score was made from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from data_contracts.main_payment import PAID_LATELY
from features.catalogue.definitions import CounterpartyKind
from features.counterparties import ACCOUNTS, COUNTERPARTIES, NUMBERS, Counterparties
from features.entities.holdings import (
    account_holdings,
    held_at,
    number_holdings,
    whole_time,
)
from features.event_index import EventIndex
from features.kernel.segment import moment_ms
from features.kernel.source_tables import SourceTables
from features.reputation import ReputationModel
from serving.vocabulary.alerts import TimelineEvent, TouchedResident

__all__ = ["AlertTimeline", "build_alert_timelines"]

SHOWN_SPAN = timedelta(days=14)
MAX_EVENTS = 200  # of each person, the newest, and all that ``already_paid_cny`` adds up
MAX_TOUCHED = 20  # of each suspect, those met last
MEETING_KEY = ("person", "code", "known_at")
EVENT_ORDER = ("at", "known_at", "channel", "peer")
TRANSFER = "transfer"
# How somebody and a resident were in touch, of all their events together.
CHANNEL: Mapping[CounterpartyKind, pl.Expr] = {
    "number": pl.when(pl.col("is_voice").any()).then(pl.lit("call")).otherwise(pl.lit("text")),
    "account": pl.lit(TRANSFER),
}
SPAN = ("since_at", "until_at")  # of a holding
LOCAL, OUTSIDE, OWN, MERCHANT = "resident", "outside", "own", "merchant"


@dataclass(frozen=True, kw_only=True)
class AlertTimeline:
    """The last days of one person, oldest event first; when a suspect was first heard of; whom else
    suspects met.
    """

    events: tuple[TimelineEvent, ...] = ()
    first_contact_at: datetime | None = None
    touched: tuple[TouchedResident, ...] = ()


def build_alert_timelines(
    tables: SourceTables,
    event_index: EventIndex,
    chosen: pl.DataFrame,
    *,
    reputation_model: ReputationModel,
    at: datetime,
) -> list[AlertTimeline]:
    """The timeline of each row of ``chosen``, a snapshot at ``at`` with its ``lead_peer_code`` and
    ``lead_payee_code``.
    """
    people = chosen.select("person", *(of.lead for of in COUNTERPARTIES)).join(
        event_index.people.select("person", "code"), on="person", how="left", maintain_order="left"
    )
    timeline_events = pl.concat(
        with_counterparties(
            shown, event_index, of, people=people, reputation_model=reputation_model, at=at
        )
        for of, shown in (
            (NUMBERS, contact_events(tables, people, at=at)),
            (ACCOUNTS, payment_events(tables, people, at=at)),
        )
    ).sort(*EVENT_ORDER)
    first_contact_times = find_first_contacts(event_index, people, timeline_events, at=at)
    met = touched_residents(tables, event_index, people, at=at)
    is_newest = pl.int_range(pl.len(), 0, -1).over("person") <= MAX_EVENTS
    shown_events = timeline_events.filter(is_newest | pl.col("just_paid").is_not_null())
    events = shown_events.drop("known_at", "code").partition_by(
        "person", as_dict=True, include_key=False
    )
    return [
        AlertTimeline(
            events=tuple(
                TimelineEvent(**event) for event in events[(person,)].iter_rows(named=True)
            )
            if (person,) in events
            else (),
            first_contact_at=first_contact_times[number],
            touched=met[number],
        )
        for number, person in enumerate(people["person"])
    ]


def contact_events(tables: SourceTables, people: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """Calls and texts of ``people`` in the last days: ``person``, ``known_at`` and the fields of
    a ``TimelineEvent``.
    """
    numbers = number_holdings(tables).select("number", "person", *SPAN).collect()
    mine = numbers.join(people.select("person"), on="person", how="semi")
    voice = pl.col("service") == "voice"
    return recent_events(tables.calls, "number", mine, began="started_at", at=at).select(
        "person",
        "known_at",
        "direction",
        "peer",
        "peer_kind",
        at="started_at",
        channel=pl.when(voice).then(pl.lit("call")).otherwise(pl.lit("text")),
        duration_s=pl.when(voice).then("duration_s"),
        amount_cny=pl.lit(None, dtype=pl.Float64),
    )


def payment_events(tables: SourceTables, people: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """Movements of money of ``people``, in the same columns as :func:`contact_events`; also older
    ones that became known lately.
    """
    holders = account_holdings(tables)
    mine = (
        holders.select("account", "person", *SPAN)
        .collect()
        .join(people.select("person"), on="person", how="semi")
    )
    payees = whole_time(holders, key="account", holder="person").select(
        *SPAN, payee="account", payee_owner="person"
    )
    is_credit = pl.col("direction") == "credit"
    return (
        recent_events(
            tables.transfers, "account", mine, began="occurred_at", at=at, learnt=PAID_LATELY
        )
        .join(payees.collect(), on="payee", how="left")
        .filter(held_at("occurred_at"))
        .select(
            "person",
            "known_at",
            direction=pl.when(is_credit).then(pl.lit("in")).otherwise(pl.lit("out")),
            peer="payee",
            peer_kind=account_kind(),
            at="occurred_at",
            channel=pl.lit(TRANSFER),
            duration_s=pl.lit(None, dtype=pl.Int32),
            amount_cny=pl.col("amount_cny").cast(pl.Float64),
        )
    )


def with_counterparties(
    shown: pl.DataFrame,
    event_index: EventIndex,
    of: Counterparties,
    *,
    people: pl.DataFrame,
    reputation_model: ReputationModel,
    at: datetime,
) -> pl.DataFrame:
    """The columns of a ``TimelineEvent`` with ``person``, ``known_at`` and ``code``: the events
    ``shown`` and what is known of the other party at ``at``.

    Whether it was new and how bad it looks is said of parties that were strangers to the person.
    """
    names = of.register(event_index).select(peer=of.name, code=pl.col("code").cast(pl.Int64))
    rows = shown.join(names, on="peer").join(
        known_strangers(event_index, of, people, at=at), on=MEETING_KEY, how="left"
    )
    is_stranger = pl.col("is_first").is_not_null()
    just_paid = (
        is_stranger
        & (pl.col("channel") == TRANSFER)
        & (pl.col("direction") == "out")
        & (pl.col("peer_kind") == OUTSIDE)
        & (pl.col("known_at") >= at - PAID_LATELY)
    )
    return rows.join(
        counterparties_at(event_index, of, rows["code"], reputation_model=reputation_model, at=at),
        on="code",
        how="left",
    ).select(
        "person",
        "known_at",
        "code",
        "at",
        "channel",
        pl.col("direction").cast(pl.String),
        "peer",
        pl.col("peer_kind").cast(pl.String).fill_null("unknown"),
        pl.col("reached").fill_null(0).cast(pl.Int64),
        pl.col("duration_s").cast(pl.Int64),
        "amount_cny",
        is_stranger=is_stranger,
        first_seen=pl.col("is_first").fill_null(False),
        reputation=pl.when(is_stranger).then("reputation"),
        just_paid=pl.when(just_paid).then(True),
    )


def counterparties_at(
    event_index: EventIndex,
    of: Counterparties,
    codes: pl.Series,
    *,
    reputation_model: ReputationModel,
    at: datetime,
) -> pl.DataFrame:
    """``code`` once each, how many residents it ``reached`` in ``SHOWN_SPAN`` before ``at``, and
    its ``reputation``.
    """
    once = codes.cast(pl.Int64).unique().sort().to_numpy()
    at_ms = np.full(len(once), moment_ms(at))
    profiles = of.profiles(event_index)
    states = of.states(event_index, codes=once, at_ms=at_ms)
    return pl.DataFrame(
        {
            "code": once,
            "reached": profiles.sums([of.reached], owner=once, at_ms=at_ms, window=SHOWN_SPAN)[
                of.reached
            ],
            "reputation": reputation_model.score(states, of=of),
        },
        schema={"code": pl.Int64, "reached": pl.Float64, "reputation": pl.Float64},
    )


def account_kind() -> pl.Expr:
    """Whose account money went to or came from."""
    return (
        pl.when(pl.col("payee_kind") == "merchant")
        .then(pl.lit(MERCHANT))
        .when(pl.col("payee_owner") == pl.col("person"))
        .then(pl.lit(OWN))
        .when(pl.col("payee_owner").is_not_null())
        .then(pl.lit(LOCAL))
        .otherwise(pl.lit(OUTSIDE))
    )


def recent_events(
    events: pl.LazyFrame,
    column: str,
    mine: pl.DataFrame,
    *,
    began: str,
    at: datetime,
    learnt: timedelta = timedelta(0),
) -> pl.DataFrame:
    """The events of the last days on the numbers or accounts of ``mine``, with the ``person`` who
    held them then; also older ones that became known within ``learnt``.
    """
    return (
        events.filter(
            pl.col(column).is_in(mine[column].implode()),
            pl.col("known_at") < at,
            (pl.col(began) >= at - SHOWN_SPAN) | (pl.col("known_at") >= at - learnt),
        )
        .collect()
        .join(mine, on=column)
        .filter(held_at(began))
        .drop(SPAN)
    )


def known_strangers(
    event_index: EventIndex, of: Counterparties, people: pl.DataFrame, *, at: datetime
) -> pl.DataFrame:
    """``person``, ``code``, ``known_at`` and ``is_first`` of what ``people`` had to do with
    counterparties new to them.
    """
    timeline = of.relationships(event_index)
    owners = people["code"].cast(pl.Int64).to_numpy()
    rows = timeline.rows(
        owner=owners, at_ms=np.full(len(owners), moment_ms(at)), window=SHOWN_SPAN
    ).with_columns(at=pl.lit(at).cast(timeline.empty.schema["known_at"]))
    counted = rows.filter(~of.set_aside(event_index, rows))
    return (
        counted.select(
            "known_at",
            "is_first",
            code=pl.col(of.code).cast(pl.Int64),
            person=people["person"].gather(counted["point"]),
        )
        .group_by(MEETING_KEY)
        .agg(pl.col("is_first").any())
    )


def find_first_contacts(
    event_index: EventIndex, people: pl.DataFrame, timeline_events: pl.DataFrame, *, at: datetime
) -> list[datetime | None]:
    """When each of ``people`` first dealt with the suspects that the alert names, in the
    relationship that still runs.
    """
    found = []
    for row in people.iter_rows(named=True):
        theirs = timeline_events.filter(person=row["person"])
        moments = [
            moment
            for of in COUNTERPARTIES
            for moment in first_contacts_with(event_index, of, row, theirs, at=at)
        ]
        found.append(min(moments, default=None))
    return found


def first_contacts_with(
    event_index: EventIndex,
    of: Counterparties,
    person: Mapping[str, Any],
    theirs: pl.DataFrame,
    *,
    at: datetime,
) -> Sequence[datetime]:
    """The moments at which ``person`` may have first had contact with the lead of one kind; none
    without a lead. ``theirs`` are the events shown of the person.
    """
    timeline, code = of.relationships(event_index), person[of.lead]
    owner = np.array([person["code"]], dtype=np.int64)
    mine = timeline.rows(owner=owner, at_ms=np.array([moment_ms(at)]), window=SHOWN_SPAN).filter(
        pl.col(of.code).eq(pl.lit(code, dtype=pl.Int64))
    )
    if not len(mine):
        return ()
    known_at = mine["relationship_started_at"][-1]
    # A call is known once it has ended; what counts is when it began, where that is still on the
    # timeline.
    seen = theirs.filter(
        (pl.col("channel") == TRANSFER) == (of is ACCOUNTS),
        pl.col("known_at") >= known_at,
        code=code,
    )
    return (known_at, *seen["at"])


def touched_residents(
    tables: SourceTables, event_index: EventIndex, people: pl.DataFrame, *, at: datetime
) -> list[tuple[TouchedResident, ...]]:
    """Whom else the suspects named for each of ``people`` dealt with as strangers, those met last
    first.
    """
    met = {of: residents_met_by(event_index, of, people[of.lead], at=at) for of in COUNTERPARTIES}
    homes = dict(
        tables.residents.select("person", "community_id")
        .unique("person")
        .join(pl.concat(met.values()).lazy(), on="person", how="semi")
        .collect()
        .iter_rows()
    )

    def others(of: Counterparties, row: Mapping[str, Any]) -> Sequence[TouchedResident]:
        theirs = met[of].filter(
            pl.col("lead").eq(pl.lit(row[of.lead], dtype=pl.Int64)),
            pl.col("person") != row["person"],
        )
        return [
            TouchedResident(**one, community_id=homes.get(one["person"]) or "unknown")
            for one in theirs.head(MAX_TOUCHED).drop("lead").iter_rows(named=True)
        ]

    return [
        tuple(resident for of in COUNTERPARTIES for resident in others(of, row))
        for row in people.iter_rows(named=True)
    ]


def residents_met_by(
    event_index: EventIndex, of: Counterparties, leads: pl.Series, *, at: datetime
) -> pl.DataFrame:
    """``lead``, ``key``, ``person``, ``channel``, ``last_at``: the residents each lead dealt with,
    the latest first.
    """
    known = pl.col("known_at")
    wanted = leads.drop_nulls().unique()
    rows = (
        of.relationships(event_index)
        .known_between(at - SHOWN_SPAN, at, where=pl.col(of.code).is_in(wanted.implode()))
        .group_by(lead=pl.col(of.code).cast(pl.Int64), owner="owner")
        .agg(last_at=known.max(), channel=CHANNEL[of.kind])
        .sort("last_at", "owner", descending=[True, False])
    )
    return rows.select(
        "lead",
        key=of.register(event_index)[of.name].gather(rows["lead"]),
        person=event_index.people["person"].gather(rows["owner"]),
        channel=pl.col("channel"),
        last_at="last_at",
    )
