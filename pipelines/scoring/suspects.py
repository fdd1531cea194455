"""The numbers and accounts that fraud is likely done with, for the analysts' list.

A district deals with millions of numbers in a week. So they are looked at piece by piece, and of
each piece only the worst are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.catalogue.definitions import CounterpartyKind
from features.counterparties import COUNTERPARTIES, Counterparties
from features.event_index import EventIndex
from features.kernel.segment import Positions, moment_ms
from features.reputation import BAD_REPUTATION, ReputationModel
from pipelines.cluster.pieces import THIS_MACHINE, Workers
from serving.feedback import RecentAlert
from serving.publishing import PublishedSuspect

__all__ = ["list_suspects"]

ACTIVE_SPAN = timedelta(days=7)  # who was not heard of for so long is on no list
COUNTED_SPAN = timedelta(days=14)  # the span of the counts
MAX_SUSPECTS = 200  # of each kind
PIECE = 100_000  # numbers or accounts of which everything is in memory at once
# The inputs of a state that are shown, under their published names.
FACTS: Mapping[CounterpartyKind, Mapping[str, str]] = {
    "number": {
        "peer_contacts_14d": "contacts_14d",
        "peer_answer_share": "answer_share",
        "peer_hang_up_share": "hang_up_share",
        "peer_in_share": "in_share",
        "peer_sms_share": "sms_share",
        "peer_long_n": "long_n",
        "peer_talk_mean_s": "talk_mean_s",
        "peer_age_d": "age_d",
    },
    "account": {
        "payee_payers_14d": "payers_14d",
        "payee_receivers_14d": "receivers_14d",
        "payee_received_cny_14d": "received_cny_14d",
        "payee_age_d": "age_d",
    },
}
PEER_KIND: Mapping[CounterpartyKind, pl.Expr] = {
    "number": pl.col("peer_kind"),
    "account": pl.lit("unknown"),
}


@dataclass(frozen=True, eq=False)
class Judgement:
    """What all pieces of a list share: who judges which kind of counterparty, and as of when."""

    reputation_model: ReputationModel
    kind: CounterpartyKind
    at: datetime

    @property
    def of(self) -> Counterparties:
        """The kind, with where the event index keeps it."""
        return next(of for of in COUNTERPARTIES if of.kind == self.kind)


def list_suspects(
    event_index: EventIndex,
    reputation_model: ReputationModel,
    *,
    at: datetime,
    alerts: Sequence[RecentAlert],
    workers: Workers = THIS_MACHINE,
) -> list[PublishedSuspect]:
    """Numbers and accounts with a bad reputation (``BAD_REPUTATION``) at ``at``, active in the last
    week, at most 200 of each kind.

    ``alerts`` are the open ones: how many of these people each of them had to do with is counted.
    The pieces are computed by ``workers``.
    """
    alerted = event_index.people.filter(pl.col("person").is_in([alert.person for alert in alerts]))[
        "code"
    ]
    return [
        suspect
        for of in COUNTERPARTIES
        for suspect in suspects_of_kind(
            event_index, Judgement(reputation_model, of.kind, at), alerted=alerted, workers=workers
        )
    ]


def suspects_of_kind(
    event_index: EventIndex, judgement: Judgement, *, alerted: pl.Series, workers: Workers
) -> list[PublishedSuspect]:
    """The suspects of one kind, the worst first; ``alerted`` are the codes of alerted people."""
    of, at = judgement.of, judgement.at
    rows = active_counterparties(event_index, judgement, workers=workers).join(
        count_alerted_residents(event_index, of, alerted, at=at),
        left_on="code",
        right_on=of.code,
        how="left",
    )
    named = set(of.named(event_index).filter(pl.col("named_at") < at)["code"])
    return [to_published_suspect(of, row, named=named, at=at) for row in rows.iter_rows(named=True)]


def active_counterparties(
    event_index: EventIndex, judgement: Judgement, *, workers: Workers
) -> pl.DataFrame:
    """The worst of the active ones: ``code``, ``key``, ``peer_kind``, ``reputation``, counts, and
    what is known.
    """
    of, at = judgement.of, judgement.at
    recent = of.profiles(event_index).owners_between(at - ACTIVE_SPAN, at)
    codes = recent.cast(pl.Int64).to_numpy()
    pieces = [codes[start : start + PIECE] for start in range(0, max(1, len(codes)), PIECE)]
    worst = workers.compute_pieces(
        worst_of_codes, pieces, event_index=event_index, shared=judgement
    )
    return keep_worst(pl.concat(worst))


def worst_of_codes(event_index: EventIndex, judgement: Judgement, codes: Positions) -> pl.DataFrame:
    """:func:`active_counterparties` of some ``codes``."""
    of, at = judgement.of, judgement.at
    timeline = of.profiles(event_index)
    at_ms = np.full(len(codes), moment_ms(at))
    now = of.states(event_index, codes=codes, at_ms=at_ms)
    ever, week = (
        pl.Series(
            timeline.sums([of.reached], owner=codes, at_ms=at_ms, window=span)[of.reached],
            dtype=pl.Float64,
        )
        for span in (COUNTED_SPAN, ACTIVE_SPAN)
    )
    mine = of.register(event_index)[pl.Series(codes)]
    return keep_worst(
        now.with_columns(
            *mine.select(key=of.name, peer_kind=PEER_KIND[of.kind]),
            code=pl.Series(codes),
            reputation=judgement.reputation_model.score(now, of=of),
            residents_reached=ever,
            residents_7d=week,
        )
        .filter(~of.is_ignored(event_index, codes, at_ms))
        .filter(pl.col("reputation") > BAD_REPUTATION, pl.col("residents_reached") > 0)
    )


def keep_worst(rows: pl.DataFrame) -> pl.DataFrame:
    """The first ``MAX_SUSPECTS`` of ``rows``, the worst first."""
    return rows.sort("reputation", "key", descending=[True, False]).head(MAX_SUSPECTS)


def count_alerted_residents(
    event_index: EventIndex, of: Counterparties, people: pl.Series, *, at: datetime
) -> pl.DataFrame:
    """``of.code`` and ``alerts``: how many of the ``people`` had to do with each number or account
    in the last week.
    """
    contacts = of.relationships(event_index).known_between(
        at - ACTIVE_SPAN, at, owner=people.cast(pl.Int64).to_numpy()
    )
    return contacts.group_by(pl.col(of.code).cast(pl.Int64)).agg(alerts=pl.col("owner").n_unique())


def to_published_suspect(
    of: Counterparties, row: dict[str, Any], *, named: set[int], at: datetime
) -> PublishedSuspect:
    """One row as it is published."""
    age_d = row[of.age]
    return PublishedSuspect(
        kind=of.kind,
        key=row["key"],
        score=row["reputation"],
        peer_kind=row["peer_kind"],
        first_seen_at=at - timedelta(days=age_d) if age_d is not None else None,
        residents_reached=int(row["residents_reached"]),
        residents_7d=int(row["residents_7d"]),
        alerts=row["alerts"] or 0,
        named_in_case=row["code"] in named,
        facts={published_name: row[name] for name, published_name in FACTS[of.kind].items()},
    )
