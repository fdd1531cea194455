"""Labels: what reported cases say about when a resident was being drawn in."""

from datetime import datetime, timedelta

import polars as pl

from features.event_index import EventIndex

__all__ = ["episodes", "merged", "moves"]

COURTSHIP = timedelta(days=15)  # contacts with a suspect number so long before the first payment belong to the episode
ATTEMPT_LIVE = timedelta(hours=72)  # an attempt is live for so long after its first contact
LEAST_WARNING = timedelta(hours=1)  # victims do not recall every number: this long before paying they were in contact
EVENT = ("relationship", "relationship_n")  # which of a person's events it was
MAIN_SHARE = 0.3  # the main payment is the first of at least this share of the largest


def episodes(cases: pl.LazyFrame, event_index: EventIndex, *, at: datetime) -> pl.DataFrame:
    """One row a story that cases known strictly before ``at`` tell: when the person behind it was being drawn in.

    ``case_id``, ``person``, ``scam_type``, ``outcome`` · ``opened_at`` the first trace (a contact with a suspect number
    or a payment to a suspect account), at the latest an hour before the first payment · ``main_at`` the main payment
    (null for attempts) · ``closed_at`` the last payment, or 72 hours after the first contact of an attempt ·
    ``loss_cny``.
    Two cases of a person are two episodes; where these overlap they are one (see ``merged``). Cases about people who
    are not in the register, and attempts without any trace, have no row.
    """
    known = known_cases(cases, event_index, at=at)
    return merged(one_a_case(known, *case_traces(known, event_index, at=at)))


def one_a_case(known: pl.DataFrame, calls: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """The episode of each case by itself, from its traces."""
    contact = calls.group_by("case_id").agg(contact_at=pl.col("trace_at").min())
    first_paid = paid.group_by("case_id").agg(paid_at=pl.col("trace_at").min())
    main = (
        paid.filter(pl.col("amount_cny") >= MAIN_SHARE * pl.col("amount_cny").max().over("case_id"))
        .group_by("case_id")
        .agg(main_at=pl.col("trace_at").min())
    )
    return (
        known.join(contact, on="case_id", how="left")
        .join(first_paid, on="case_id", how="left")
        .join(main, on="case_id", how="left")
        .with_columns(opened_at=pl.min_horizontal("contact_at", "paid_at", pl.col("first_transfer_at") - LEAST_WARNING))
        .filter(pl.col("opened_at").is_not_null())
        .select(
            "case_id",
            "person",
            "scam_type",
            "outcome",
            "opened_at",
            main_at=pl.coalesce("main_at", "first_transfer_at"),
            closed_at=pl.coalesce("last_transfer_at", pl.col("opened_at") + ATTEMPT_LIVE),
            loss_cny=pl.col("loss_amount_cny").cast(pl.Float64).fill_null(0.0),
        )
        .sort("opened_at", "case_id")
    )


def merged(told: pl.DataFrame) -> pl.DataFrame:
    """Episodes of one person that overlap as one, under the ``case_id`` of the first.

    It reaches from the first opening to the last closing, is a loss if any was, of the type that cost most. The largest
    loss is kept, not the sum: a second report mostly tells of the same money.
    """
    return (
        with_story(told)
        .group_by("story", maintain_order=True)
        .agg(
            pl.col("person").first(),
            pl.col("scam_type").get(pl.col("loss_cny").arg_max()),
            pl.col("outcome").sort_by(pl.col("outcome") == "loss").last(),
            pl.col("opened_at").min(),
            pl.col("main_at").min(),
            pl.col("closed_at").max(),
            pl.col("loss_cny").max(),
        )
        .rename({"story": "case_id"})
        .select(told.columns)
        .sort("opened_at", "case_id")
    )


def with_story(told: pl.DataFrame) -> pl.DataFrame:
    """Adds ``story``, the ``case_id`` of the first of the overlapping episodes that this one belongs to."""
    closed = pl.col("closed_at").cum_max().shift()  # when all before it had closed
    number = (pl.col("opened_at") > closed).cum_sum().over("person")
    return (
        told.sort("opened_at", "case_id")
        .with_columns(number=number.fill_null(0))
        .with_columns(story=pl.col("case_id").first().over("person", "number"))
        .drop("number")
    )


def moves(cases: pl.LazyFrame, event_index: EventIndex, *, at: datetime) -> pl.DataFrame:
    """Every trace that the cases known strictly before ``at`` left in the records, in the order it became known.

    ``case_id``, ``known_at`` · ``paid_at``, ``amount_cny`` of a payment to an account that the case names, both null
    for a call or message of a number that it names. Cases that tell one story go by the ``case_id`` of their episode.
    """
    known = known_cases(cases, event_index, at=at)
    calls, paid = case_traces(known, event_index, at=at)
    stories = with_story(one_a_case(known, calls, paid)).select("case_id", "story")
    heard = calls.select("case_id", "known_at", *EVENT, paid_at=pl.lit(None, calls.schema["known_at"]))
    sent = paid.select("case_id", "known_at", *EVENT, pl.col("amount_cny").cast(pl.Float64), paid_at="trace_at")
    return (
        pl.concat([heard, sent], how="diagonal")
        .join(stories, on="case_id")
        .unique(["story", "paid_at", *EVENT])  # two cases of one story may name the same account
        .drop("case_id")
        .rename({"story": "case_id"})
        .select("case_id", "known_at", "paid_at", "amount_cny")
        .sort("known_at", "case_id")
    )


def known_cases(cases: pl.LazyFrame, event_index: EventIndex, *, at: datetime) -> pl.DataFrame:
    """Cases known before ``at`` about residents, with the code ``owner`` and the span to look for traces."""
    return (
        cases.filter(pl.col("known_at") < at)
        .join(event_index.people.lazy().select("person", owner="code"), on="person")
        .with_columns(anchor_at=pl.coalesce("first_transfer_at", "reported_at"))
        .with_columns(end_at=pl.coalesce("last_transfer_at", "reported_at"))
        .collect()
    )


def case_traces(known: pl.DataFrame, event_index: EventIndex, *, at: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Contacts with the numbers, and payments to the accounts, that the cases name."""
    arrived = pl.col("known_at") < at
    heard = event_index.stranger_contacts.events.filter(arrived).with_columns(trace_at="known_at")
    debits = event_index.new_payee_payments.events.filter(arrived, "is_debit").with_columns(trace_at="occurred_at")
    return (
        traces(known, "suspect_numbers", heard, event_index.numbers, "peer"),
        traces(known, "suspect_accounts", debits, event_index.accounts, "payee"),
    )


def traces(known: pl.DataFrame, column: str, events: pl.DataFrame, names: pl.DataFrame, key: str) -> pl.DataFrame:
    """The person's own events (at ``trace_at``) with the numbers or accounts that the case names, up to its end."""
    named = (
        known.select("case_id", "owner", "anchor_at", "end_at", pl.col(column).list.unique().alias(key))
        .explode(key)
        .join(names.rename({"code": f"{key}_code"}), on=key)
    )
    return named.join(events, on=["owner", f"{key}_code"]).filter(
        pl.col("trace_at").is_between(pl.col("anchor_at") - COURTSHIP, pl.col("end_at"))
    )
