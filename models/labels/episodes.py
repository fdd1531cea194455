"""Labels: what reported cases say about when a resident was being drawn in."""

from datetime import UTC, datetime, timedelta

import polars as pl

from features.entities.mass_numbers import never_set_aside
from features.event_index import EventIndex

__all__ = ["build_episodes", "build_traces", "merge_overlapping"]

GROOMING_WINDOW = timedelta(
    days=15
)  # contacts with a suspect number so long before the first payment belong to the episode
ATTEMPT_DURATION = timedelta(hours=72)  # an attempt is live for so long after its first contact
MIN_CONTACT_BEFORE_PAYMENT = timedelta(
    hours=1
)  # victims do not recall every number: this long before paying they were in contact
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# which of a person's events it was
EVENT_KEY = ("owner", "counterparty", "relationship_started_at", "relationship_n")
MAIN_PAYMENT_SHARE = 0.3  # the main payment is the first of at least this share of the largest


def build_episodes(cases: pl.LazyFrame, event_index: EventIndex, *, at: datetime) -> pl.DataFrame:
    """One row for each fraud in the cases known strictly before ``at``: when the person was being
    drawn in.

    ``case_id``, ``person``, ``scam_type``, ``outcome`` · ``opened_at`` the first trace (a contact
    with a suspect number or a payment to a suspect account), at the latest an hour before the first
    payment · ``main_at`` the main payment (null for attempts) · ``closed_at`` the last payment, or
    72 hours after the first contact of an attempt · ``loss_cny``. Two cases of a person are two
    episodes; where these overlap they are one (see ``merge_overlapping``). Cases about people who
    are not in the register, and attempts without any trace, have no row.
    """
    known = known_cases(cases, event_index, at=at)
    return merge_overlapping(episode_per_case(known, *find_case_traces(known, event_index, at=at)))


def episode_per_case(known: pl.DataFrame, calls: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """The episode of each case by itself, from its traces."""
    contact = calls.group_by("case_id").agg(contact_at=pl.col("trace_at").min())
    first_paid = paid.group_by("case_id").agg(paid_at=pl.col("trace_at").min())
    main = (
        paid.filter(
            pl.col("amount_cny") >= MAIN_PAYMENT_SHARE * pl.col("amount_cny").max().over("case_id")
        )
        .group_by("case_id")
        .agg(main_at=pl.col("trace_at").min())
    )
    return (
        known.join(contact, on="case_id", how="left")
        .join(first_paid, on="case_id", how="left")
        .join(main, on="case_id", how="left")
        .with_columns(
            opened_at=pl.min_horizontal(
                "contact_at", "paid_at", pl.col("first_transfer_at") - MIN_CONTACT_BEFORE_PAYMENT
            )
        )
        .filter(pl.col("opened_at").is_not_null())
        .select(
            "case_id",
            "person",
            "scam_type",
            "outcome",
            "opened_at",
            main_at=pl.coalesce("main_at", "first_transfer_at"),
            closed_at=pl.coalesce("last_transfer_at", pl.col("opened_at") + ATTEMPT_DURATION),
            loss_cny=pl.col("loss_amount_cny").cast(pl.Float64).fill_null(0.0),
        )
        .sort("opened_at", "case_id")
    )


def merge_overlapping(episodes: pl.DataFrame) -> pl.DataFrame:
    """Episodes of one person that overlap as one, under the ``case_id`` of the first.

    It reaches from the first opening to the last closing, is a loss if any was, of the type that
    cost most. The largest loss is kept, not the sum: a second report is mostly about the same
    money.
    """
    return (
        with_episode_id(episodes)
        .group_by("episode_id", maintain_order=True)
        .agg(
            pl.col("person").first(),
            pl.col("scam_type").get(pl.col("loss_cny").arg_max()),
            pl.col("outcome").sort_by(pl.col("outcome") == "loss").last(),
            pl.col("opened_at").min(),
            pl.col("main_at").min(),
            pl.col("closed_at").max(),
            pl.col("loss_cny").max(),
        )
        .rename({"episode_id": "case_id"})
        .select(episodes.columns)
        .sort("opened_at", "case_id")
    )


def with_episode_id(episodes: pl.DataFrame) -> pl.DataFrame:
    """Adds ``episode_id``, the ``case_id`` of the first of the overlapping episodes that this one
    belongs to.
    """
    closed = pl.col("closed_at").cum_max().shift()  # when all before it had closed
    number = (pl.col("opened_at") > closed).cum_sum().over("person")
    return (
        episodes.sort("opened_at", "case_id")
        .with_columns(number=number.fill_null(0))
        .with_columns(episode_id=pl.col("case_id").first().over("person", "number"))
        .drop("number")
    )


def build_traces(cases: pl.LazyFrame, event_index: EventIndex, *, at: datetime) -> pl.DataFrame:
    """Every trace that the cases known strictly before ``at`` left in the records, in the order it
    became known.

    ``case_id``, ``known_at`` · ``paid_at``, ``amount_cny`` of a payment to an account that the case
    names, both null for a call or message of a number that it names. Cases about one fraud carry
    the ``case_id`` of their episode.
    """
    known = known_cases(cases, event_index, at=at)
    calls, paid = find_case_traces(known, event_index, at=at)
    episode_ids = with_episode_id(episode_per_case(known, calls, paid)).select(
        "case_id", "episode_id"
    )
    contacts = calls.select(
        "case_id",
        "known_at",
        *EVENT_KEY,
        paid_at=pl.lit(None, calls.schema["known_at"]),
    )
    payments = paid.select(
        "case_id",
        "known_at",
        *EVENT_KEY,
        pl.col("amount_cny").cast(pl.Float64),
        paid_at="trace_at",
    )
    return (
        pl.concat([contacts, payments], how="diagonal")
        .join(episode_ids, on="case_id")
        .unique(
            ["episode_id", "paid_at", *EVENT_KEY]
        )  # two cases of one episode may name the same account
        .drop("case_id")
        .rename({"episode_id": "case_id"})
        .select("case_id", "known_at", "paid_at", "amount_cny")
        .sort("known_at", "case_id")
    )


def known_cases(cases: pl.LazyFrame, event_index: EventIndex, *, at: datetime) -> pl.DataFrame:
    """Cases known before ``at`` about residents, with the code ``owner`` and the span to look for
    traces.
    """
    return (
        cases.filter(pl.col("known_at") < at)
        .join(event_index.people.lazy().select("person", owner="code"), on="person")
        .with_columns(anchor_at=pl.coalesce("first_transfer_at", "reported_at"))
        .with_columns(end_at=pl.coalesce("last_transfer_at", "reported_at"))
        .collect()
    )


def find_case_traces(
    known: pl.DataFrame, event_index: EventIndex, *, at: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Contacts with the numbers, and payments to the accounts, that the cases name."""
    owner = known["owner"].cast(pl.Int64).to_numpy()
    # What a number for everybody did to a victim is no trace of the fraud.
    heard = event_index.stranger_contacts.known_between(BEGINNING, at, owner=owner)
    contacts = heard.filter(never_set_aside(heard, event_index.mass_numbers)).with_columns(
        trace_at="known_at"
    )
    debits = event_index.new_payee_payments.known_between(
        BEGINNING, at, where=pl.col("is_debit"), owner=owner
    ).with_columns(trace_at="occurred_at")
    return (
        match_named_events(known, "suspect_numbers", contacts, event_index.numbers, "peer"),
        match_named_events(known, "suspect_accounts", debits, event_index.accounts, "payee"),
    )


def match_named_events(
    known: pl.DataFrame, column: str, events: pl.DataFrame, names: pl.DataFrame, key: str
) -> pl.DataFrame:
    """The person's own events (at ``trace_at``) with the numbers or accounts that the case names,
    up to its end.
    """
    named = (
        known.select(
            "case_id", "owner", "anchor_at", "end_at", pl.col(column).list.unique().alias(key)
        )
        .explode(key)
        .join(names.rename({"code": f"{key}_code"}), on=key)
    )
    traces = named.join(events, on=["owner", f"{key}_code"]).filter(
        pl.col("trace_at").is_between(pl.col("anchor_at") - GROOMING_WINDOW, pl.col("end_at"))
    )
    return traces.with_columns(counterparty=pl.col(f"{key}_code").cast(pl.Int64))
