"""``build_snapshot``: the features of people at moments, from what was known strictly before each.

All features are computed here: training needs many past moments, a night everyone at midnight, a
tick the people touched since the last tick. The same person and moment always give the same row.
"""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.blocks.contact_features import contact_features, stranger_relationships
from features.blocks.payee_features import payee_features, payee_relationships
from features.entities.feeds import feed_features
from features.event_index import NUMBER_KIND_GROUPS, EventIndex
from features.kernel.query_points import QueryPoints, to_hours
from features.kernel.timeline import Timeline, to_milliseconds
from features.reputation import HAND_WRITTEN_REPUTATION, ReputationModel, rounded_score

__all__ = ["build_snapshot"]

WINDOW_HOURS = {"1h": 1, "6h": 6, "24h": 24, "3d": 72, "7d": 168, "30d": 720}
CHUNK_SIZE = 50_000  # moments worked on at once: bounds memory, never the answer


def build_snapshot(
    event_index: EventIndex,
    moments: pl.DataFrame,
    *,
    reputation_model: ReputationModel = HAND_WRITTEN_REPUTATION,
) -> pl.DataFrame:
    """One row a moment: ``person``, ``at`` and every feature of the catalogue, in the order of
    ``moments``.

    ``moments`` has ``person`` (pseudonym) and ``at`` (zoned, whole milliseconds). People who are
    not in the register drop out. Beside the features come ``lead_peer`` and ``lead_payee``: the
    number and account that speak most for an episode, for the reasons and the analyst, never for
    the model.
    """
    known = moments.join(
        event_index.people.select("person", owner="code"), on="person", maintain_order="left"
    )
    parts = [
        build_chunk(
            event_index, known[start : start + CHUNK_SIZE], reputation_model=reputation_model
        )
        for start in range(0, max(1, len(known)), CHUNK_SIZE)
    ]
    return pl.concat(parts)


def build_chunk(
    event_index: EventIndex, moments: pl.DataFrame, *, reputation_model: ReputationModel
) -> pl.DataFrame:
    """:func:`build_snapshot` of one chunk."""
    points = QueryPoints(
        moments, moments["owner"].cast(pl.Int64).to_numpy(), to_milliseconds(moments["at"])
    )
    strangers = stranger_relationships(event_index, points, reputation_model=reputation_model)
    payees = payee_relationships(event_index, points, reputation_model=reputation_model)
    blocks = [
        moments.select("person", "at"),
        habit_sums(event_index, points),
        stranger_sums(event_index, points),
        payment_sums(event_index, points),
        contact_features(strangers, points),
        payee_features(event_index, payees, strangers, points),
        register_features(event_index, points),
        feed_features(event_index.call_feeds, event_index.transfer_feeds, points),
    ]
    return with_derived_features(pl.concat(blocks, how="horizontal"))


def windowed_sums(
    timeline: Timeline, points: QueryPoints, windows_of: dict[str, tuple[str, ...]]
) -> dict[str, npt.NDArray[np.float64]]:
    """``{name}_{window}`` for every total and the windows wanted of it."""
    spans = {window for windows in windows_of.values() for window in windows}
    slices = {
        w: timeline.slices(points.owner, points.at_ms, timedelta(hours=WINDOW_HOURS[w]))
        for w in WINDOW_HOURS
        if w in spans
    }
    return {
        f"{name}_{w}": timeline.sums(name, slices[w])
        for name, windows in windows_of.items()
        for w in windows
    }


def habit_sums(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """How much this person calls and is called."""
    sums = windowed_sums(
        event_index.contacts,
        points,
        {
            "calls_in": ("24h", "30d"),
            "calls_out": ("24h", "30d"),
            "sms": ("30d",),
            "talk_s": ("24h", "30d"),
        },
    )
    return pl.DataFrame(sums)


def stranger_sums(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """Contacts with strangers, summed over windows."""
    every, few = ("1h", "6h", "24h", "3d", "7d"), ("24h", "7d")
    sums = windowed_sums(
        event_index.stranger_contacts,
        points,
        {
            "calls": every,
            "calls_long": ("6h", "24h", "7d"),
            "sms": every,
            "talk_s": every,
            "call_back": ("24h", "7d"),
            "new": every,
            **{f"new_{kind}": few for kind in NUMBER_KIND_GROUPS},
        },
    )
    return pl.DataFrame({f"stranger_{name}": values for name, values in sums.items()})


def payment_sums(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """Money moved, and money moved to payees not dealt with before, summed over windows."""
    every = ("1h", "6h", "24h", "3d", "7d")
    all_payment_sums = windowed_sums(
        event_index.payments,
        points,
        {
            "debits": ("24h", "7d", "30d"),
            "debit_cny": (*every, "30d"),
            "credit_cny": ("24h", "7d", "30d"),
            "own_in_cny": ("6h", "24h", "7d"),
            "first_credit_cny": ("6h", "24h", "7d"),
            "large": ("24h", "7d", "30d"),
        },
    )
    new_payee_sums = windowed_sums(
        event_index.new_payee_payments,
        points,
        {
            "payees": every,
            "payees_outside": every,
            "debit_cny": every,
            "debit_outside_cny": every,
            "back": ("24h", "3d", "7d"),
            "back_cny": ("24h", "7d"),
        },
    )
    return pl.DataFrame(
        {**all_payment_sums, **{f"new_{name}": values for name, values in new_payee_sums.items()}}
    )


def register_features(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """Age and tenure."""
    mine = event_index.people[pl.Series(points.owner)]
    day = points.frame["at"].dt.replace_time_zone(None).dt.date()
    return mine.select(
        age_years=(day - pl.col("birth_month")).dt.total_days() / 365.25,
        number_n="number_n",
        account_n="account_n",
        number_tenure_d=(day - pl.col("activated_on")).dt.total_days(),
        account_tenure_d=(day - pl.col("opened_on")).dt.total_days(),
    )


def with_derived_features(frame: pl.DataFrame) -> pl.DataFrame:
    """What follows from the blocks together: deviation from habit and the order of call and
    payment.
    """
    return frame.with_columns(
        new_debit_to_habit=rounded_score(
            pl.col("new_debit_cny_24h") / (pl.col("debit_cny_30d") / 30 + 50)
        ),
        payee_escalation=rounded_score(pl.col("payee_last_cny") / pl.col("payee_first_cny")),
        stranger_talk_to_habit=rounded_score(
            pl.col("stranger_talk_s_24h") / (pl.col("talk_s_30d") / 30 + 60)
        ),
        call_to_payee_h=to_hours(pl.col("payee_first_started_at") - pl.col("lead_started_at")),
    )
