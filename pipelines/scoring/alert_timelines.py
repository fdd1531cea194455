"""What an alert shows of a person's last days: calls, texts and money, and whom else the suspects
dealt with.

Everything is as it was known strictly before the moment of the list, like the features that the
score was made from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from features.event_index import EventIndex
from features.kernel.source_tables import SourceTables
from features.kernel.timeline import Positions, Timeline, to_milliseconds
from features.reputation import ReputationModel, number_states, payee_states
from serving.vocabulary.alerts import TimelineEvent, TouchedResident

__all__ = ["AlertTimeline", "build_alert_timelines"]

SHOWN_SPAN = timedelta(days=14)
MAX_EVENTS = 200  # of each person, the newest
MAX_TOUCHED = 20  # of each suspect, those met last
MEETING_KEY = ("person", "code", "known_at")
EVENT_ORDER = ("at", "known_at", "channel", "peer")
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
    people = chosen.select("person", "lead_peer_code", "lead_payee_code").join(
        event_index.people.select("person", "code"), on="person", how="left", maintain_order="left"
    )
    timeline_events = pl.concat(
        [
            contact_events(tables, event_index, people, reputation_model=reputation_model, at=at),
            payment_events(tables, event_index, people, reputation_model=reputation_model, at=at),
        ]
    ).sort(*EVENT_ORDER)
    first_contact_times = find_first_contacts(event_index, people, timeline_events, at=at)
    met = touched_residents(tables, event_index, people, at=at)
    events = timeline_events.drop("known_at", "code").partition_by(
        "person", as_dict=True, include_key=False
    )
    return [
        AlertTimeline(
            events=tuple(
                TimelineEvent(**event)
                for event in events[(person,)].tail(MAX_EVENTS).iter_rows(named=True)
            )
            if (person,) in events
            else (),
            first_contact_at=first_contact_times[number],
            touched=met[number],
        )
        for number, person in enumerate(people["person"])
    ]


def contact_events(
    tables: SourceTables,
    event_index: EventIndex,
    people: pl.DataFrame,
    *,
    reputation_model: ReputationModel,
    at: datetime,
) -> pl.DataFrame:
    """Calls and texts of ``people`` in the columns of ``TimelineEvent``, with ``person``,
    ``known_at``, ``code``.
    """
    numbers = tables.subscribers.select("number", "person").unique("number").collect()
    mine = numbers.join(people.select("person"), on="person", how="semi")
    call_events = (
        recent_events(tables.calls, "number", mine, began="started_at", at=at)
        .join(event_index.numbers.select("peer", code=pl.col("code").cast(pl.Int64)), on="peer")
        .join(
            known_strangers(event_index.stranger_contacts, "peer_code", people, at=at),
            on=MEETING_KEY,
            how="left",
        )
    )
    codes, at_ms = distinct_codes_at(call_events["code"], at=at)
    reached = event_index.contacts_by_number.sums(
        "reached", event_index.contacts_by_number.slices(codes, at_ms, SHOWN_SPAN)
    )
    scores = reputation_model.numbers(number_states(event_index, peer=codes, at_ms=at_ms))
    voice = pl.col("service") == "voice"
    return to_event_columns(
        call_events.join(
            reputation_by_code(codes, reached, scores), on="code", how="left"
        ).with_columns(
            at=pl.col("started_at"),
            channel=pl.when(voice).then(pl.lit("call")).otherwise(pl.lit("text")),
            duration_s=pl.when(voice).then("duration_s"),
            amount_cny=pl.lit(None, dtype=pl.Float64),
        )
    )


def payment_events(
    tables: SourceTables,
    event_index: EventIndex,
    people: pl.DataFrame,
    *,
    reputation_model: ReputationModel,
    at: datetime,
) -> pl.DataFrame:
    """Movements of money of ``people``, in the same columns as :func:`contact_events`."""
    holders = tables.accounts.select("account", "person").unique("account").collect()
    mine = holders.join(people.select("person"), on="person", how="semi")
    transfer_events = (
        recent_events(tables.transfers, "account", mine, began="occurred_at", at=at)
        .join(holders.select(payee="account", payee_owner="person"), on="payee", how="left")
        .join(event_index.accounts.select("payee", code=pl.col("code").cast(pl.Int64)), on="payee")
        .join(
            known_strangers(event_index.new_payee_payments, "payee_code", people, at=at),
            on=MEETING_KEY,
            how="left",
        )
    )
    codes, at_ms = distinct_codes_at(transfer_events["code"], at=at)
    reached = event_index.payments_by_account.sums(
        "payer", event_index.payments_by_account.slices(codes, at_ms, SHOWN_SPAN)
    )
    scores = reputation_model.payees(payee_states(event_index, payee=codes, at_ms=at_ms))
    return to_event_columns(
        transfer_events.join(
            reputation_by_code(codes, reached, scores), on="code", how="left"
        ).with_columns(
            at=pl.col("occurred_at"),
            channel=pl.lit("transfer"),
            direction=pl.when(pl.col("direction") == "credit")
            .then(pl.lit("in"))
            .otherwise(pl.lit("out")),
            peer=pl.col("payee"),
            peer_kind=account_kind(),
            duration_s=pl.lit(None, dtype=pl.Int32),
            amount_cny=pl.col("amount_cny").cast(pl.Float64),
        )
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
    events: pl.LazyFrame, column: str, mine: pl.DataFrame, *, began: str, at: datetime
) -> pl.DataFrame:
    """The events of the last days on the numbers or accounts of ``mine``, with ``person``."""
    return (
        events.filter(
            pl.col(column).is_in(mine[column].implode()),
            pl.col("known_at") < at,
            pl.col(began) >= at - SHOWN_SPAN,
        )
        .collect()
        .join(mine, on=column)
    )


def distinct_codes_at(codes: pl.Series, *, at: datetime) -> tuple[Positions, Positions]:
    """Each code once, and the moment beside it, as an event index is queried."""
    once = codes.cast(pl.Int64).unique().sort().to_numpy()
    return once, np.full(len(once), moment_ms(at))


def reputation_by_code(codes: Positions, reached: np.ndarray, scores: pl.Series) -> pl.DataFrame:
    """``code``, how many residents it ``reached`` and its reputation."""
    return pl.DataFrame(
        {"code": codes, "reached": reached, "reputation": scores},
        schema={"code": pl.Int64, "reached": pl.Float64, "reputation": pl.Float64},
    )


def to_event_columns(events: pl.DataFrame) -> pl.DataFrame:
    """The columns of an event; ``is_first`` is null where the other party was no stranger to the
    person.
    """
    return events.select(
        "person",
        "known_at",
        pl.col("code").cast(pl.Int64),
        "at",
        "channel",
        pl.col("direction").cast(pl.String),
        "peer",
        pl.col("peer_kind").cast(pl.String).fill_null("unknown"),
        pl.col("reached").fill_null(0).cast(pl.Int64),
        pl.col("duration_s").cast(pl.Int64),
        "amount_cny",
        is_stranger=pl.col("is_first").is_not_null(),
        first_seen=pl.col("is_first").fill_null(False),
        reputation=pl.when(pl.col("is_first").is_not_null()).then("reputation"),
    )


def known_strangers(
    timeline: Timeline, code: str, people: pl.DataFrame, *, at: datetime
) -> pl.DataFrame:
    """``person``, ``code``, ``known_at`` and ``is_first`` of the contacts or payments of ``people``
    with counterparties new to them.
    """
    owners = people["code"].cast(pl.Int64).to_numpy()
    rows = timeline.rows(timeline.slices(owners, np.full(len(owners), moment_ms(at)), SHOWN_SPAN))
    return (
        rows.select(
            "known_at",
            "is_first",
            code=pl.col(code).cast(pl.Int64),
            person=people["person"].gather(rows["point"]),
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
    found: list[datetime | None] = []
    for person, code, *leads in people.select(
        "person", "code", "lead_peer_code", "lead_payee_code"
    ).iter_rows():
        contact_times: list[datetime] = []
        for timeline, column, lead in zip(
            (event_index.stranger_contacts, event_index.new_payee_payments),
            ("peer_code", "payee_code"),
            leads,
            strict=True,
        ):
            mine = timeline.rows(
                timeline.slices(
                    np.array([code], dtype=np.int64), np.array([moment_ms(at)]), SHOWN_SPAN
                )
            ).filter(pl.col(column).eq(pl.lit(lead, dtype=pl.Int64)))
            if not len(mine):
                continue
            known_at = mine["relationship_started_at"][-1]
            calls = (
                timeline_events["channel"] != "transfer"
                if column == "peer_code"
                else timeline_events["channel"] == "transfer"
            )
            seen = timeline_events.filter(calls, person=person, code=lead).filter(
                pl.col("known_at") >= known_at
            )
            # A call is known once it has ended; what counts is when it began, where that is still
            # on the timeline.
            contact_times.append(min(known_at, *seen["at"]))
        found.append(min(contact_times, default=None))
    return found


def touched_residents(
    tables: SourceTables, event_index: EventIndex, people: pl.DataFrame, *, at: datetime
) -> list[tuple[TouchedResident, ...]]:
    """Whom else the suspects named for each of ``people`` dealt with as strangers, those met last
    first.
    """
    numbers = residents_met_by(
        event_index, event_index.stranger_contacts, "peer_code", people["lead_peer_code"], at=at
    )
    accounts = residents_met_by(
        event_index, event_index.new_payee_payments, "payee_code", people["lead_payee_code"], at=at
    )
    homes = dict(
        tables.residents.select("person", "community_id")
        .unique("person")
        .join(pl.concat([numbers, accounts]).lazy(), on="person", how="semi")
        .collect()
        .iter_rows()
    )

    def others(met: pl.DataFrame, lead: int | None, person: str) -> Sequence[TouchedResident]:
        theirs = met.filter(
            pl.col("lead").eq(pl.lit(lead, dtype=pl.Int64)), pl.col("person") != person
        ).head(MAX_TOUCHED)
        return [
            TouchedResident(**row, community_id=homes.get(row["person"]) or "unknown")
            for row in theirs.drop("lead").iter_rows(named=True)
        ]

    rows = people.select("person", "lead_peer_code", "lead_payee_code").iter_rows()
    return [
        (*others(numbers, number, person), *others(accounts, account, person))
        for person, number, account in rows
    ]


def residents_met_by(
    event_index: EventIndex, timeline: Timeline, code: str, leads: pl.Series, *, at: datetime
) -> pl.DataFrame:
    """``lead``, ``key``, ``person``, ``channel``, ``last_at``: the residents each lead dealt with,
    the latest first.
    """
    known = pl.col("known_at")
    number = code == "peer_code"
    names = event_index.numbers["peer"] if number else event_index.accounts["payee"]
    wanted = leads.drop_nulls().unique()
    rows = (
        timeline.events.filter(
            pl.col(code).is_in(wanted.implode()), known < at, known >= at - SHOWN_SPAN
        )
        .group_by(lead=pl.col(code).cast(pl.Int64), owner="owner")
        .agg(
            last_at=known.max(),
            channel=pl.when(pl.col("is_voice").any()).then(pl.lit("call")).otherwise(pl.lit("text"))
            if number
            else pl.lit("transfer"),
        )
        .sort("last_at", "owner", descending=[True, False])
    )
    return rows.select(
        "lead",
        key=names.gather(rows["lead"]),
        person=event_index.people["person"].gather(rows["owner"]),
        channel=pl.col("channel"),
        last_at="last_at",
    )


def moment_ms(at: datetime) -> int:
    """A moment as the timelines count it."""
    return int(to_milliseconds(pl.Series([at], dtype=pl.Datetime("us", "Asia/Shanghai")))[0])
