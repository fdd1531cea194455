"""The numbers and accounts that fraud is likely done with, for the analysts' list."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.event_index import EventIndex
from features.kernel.timeline import Timeline, to_milliseconds
from features.reputation import BAD_REPUTATION, ReputationModel, number_states, payee_states
from serving.feedback import RecentAlert
from serving.publishing import PublishedSuspect

__all__ = ["list_suspects"]

ACTIVE_SPAN = timedelta(days=7)  # who was not heard of for so long is on no list
COUNTED_SPAN = timedelta(days=14)  # the span of the counts
MAX_SUSPECTS = 200  # of each kind
NUMBER_FACTS = {
    "peer_contacts_14d": "contacts_14d",
    "peer_answer_share": "answer_share",
    "peer_hang_up_share": "hang_up_share",
    "peer_in_share": "in_share",
    "peer_sms_share": "sms_share",
    "peer_long_n": "long_n",
    "peer_talk_mean_s": "talk_mean_s",
    "peer_age_d": "age_d",
}
ACCOUNT_FACTS = {
    "payee_payers_14d": "payers_14d",
    "payee_receivers_14d": "receivers_14d",
    "payee_received_cny_14d": "received_cny_14d",
    "payee_age_d": "age_d",
}


def list_suspects(
    event_index: EventIndex,
    reputation_model: ReputationModel,
    *,
    at: datetime,
    alerts: Sequence[RecentAlert],
) -> list[PublishedSuspect]:
    """Numbers and accounts of a bad name (``BAD_REPUTATION``) at ``at``, active in the last week,
    at most 200 of each kind.

    ``alerts`` are the open ones: how many of these people each of them had to do with is counted.
    """
    alerted = event_index.people.filter(pl.col("person").is_in([alert.person for alert in alerts]))[
        "code"
    ]
    numbers = active_counterparties(event_index, reputation_model, "number", at=at).join(
        count_alerted_residents(event_index.stranger_contacts, "peer_code", alerted, at=at),
        left_on="code",
        right_on="peer_code",
        how="left",
    )
    accounts = active_counterparties(event_index, reputation_model, "account", at=at).join(
        count_alerted_residents(event_index.new_payee_payments, "payee_code", alerted, at=at),
        left_on="code",
        right_on="payee_code",
        how="left",
    )
    named_peers, named_payees = (
        set(named.filter(pl.col("named_at") < at)["code"])
        for named in (event_index.named_peers, event_index.named_payees)
    )
    return [
        *(
            to_published_suspect("number", row, NUMBER_FACTS, named=named_peers, at=at)
            for row in numbers.iter_rows(named=True)
        ),
        *(
            to_published_suspect("account", row, ACCOUNT_FACTS, named=named_payees, at=at)
            for row in accounts.iter_rows(named=True)
        ),
    ]


def active_counterparties(
    event_index: EventIndex, reputation_model: ReputationModel, kind: str, *, at: datetime
) -> pl.DataFrame:
    """The worst of the active ones: ``code``, ``key``, ``peer_kind``, ``reputation``, counts, and
    what is known.
    """
    number = kind == "number"
    timeline = event_index.contacts_by_number if number else event_index.payments_by_account
    names = event_index.numbers if number else event_index.accounts
    known = pl.col("known_at")
    recent = timeline.events.filter(known < at, known >= at - ACTIVE_SPAN)["owner"].unique().sort()
    codes = recent.cast(pl.Int64).to_numpy()
    at_ms = np.full(
        len(codes), to_milliseconds(pl.Series([at]).cast(timeline.events.schema["known_at"]))[0]
    )
    if number:
        now = number_states(event_index, peer=codes, at_ms=at_ms)
        reputation, reached = reputation_model.numbers(now), "reached"
    else:
        now = payee_states(event_index, payee=codes, at_ms=at_ms)
        reputation, reached = reputation_model.payees(now), "payer"
    ever, week = (
        pl.Series(timeline.sums(reached, timeline.slices(codes, at_ms, span)), dtype=pl.Float64)
        for span in (COUNTED_SPAN, ACTIVE_SPAN)
    )
    mine = names[pl.Series(codes)]
    return (
        now.with_columns(
            code=pl.Series(codes),
            key=mine["peer" if number else "payee"],
            peer_kind=mine["peer_kind"] if number else pl.lit("unknown"),
            reputation=reputation,
            residents_reached=ever,
            residents_7d=week,
        )
        .filter(pl.col("reputation") > BAD_REPUTATION, pl.col("residents_reached") > 0)
        .sort("reputation", "key", descending=[True, False])
        .head(MAX_SUSPECTS)
    )


def count_alerted_residents(
    timeline: Timeline, code: str, people: pl.Series, *, at: datetime
) -> pl.DataFrame:
    """``code`` and ``alerts``: how many of the ``people`` had to do with each number or account in
    the last week.
    """
    known = pl.col("known_at")
    contacts = timeline.events.filter(
        known < at, known >= at - ACTIVE_SPAN, pl.col("owner").is_in(people.implode())
    )
    return contacts.group_by(pl.col(code).cast(pl.Int64)).agg(alerts=pl.col("owner").n_unique())


def to_published_suspect(
    kind: str, row: dict[str, Any], facts: dict[str, str], *, named: set[int], at: datetime
) -> PublishedSuspect:
    """One row as it is published."""
    age_d = row["peer_age_d" if kind == "number" else "payee_age_d"]
    return PublishedSuspect(
        kind="number" if kind == "number" else "account",
        key=row["key"],
        score=row["reputation"],
        peer_kind=row["peer_kind"],
        first_seen_at=at - timedelta(days=age_d) if age_d is not None else None,
        residents_reached=int(row["residents_reached"]),
        residents_7d=int(row["residents_7d"]),
        alerts=row["alerts"] or 0,
        named_in_case=row["code"] in named,
        facts={published_name: row[name] for name, published_name in facts.items()},
    )
