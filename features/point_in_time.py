"""``snapshot``: the features of people at moments, from what was known strictly before each.

The one door to the features: training asks for many past moments, a night for everyone at midnight, a tick for those
touched since the last. The answer for a person and a moment is the same whoever asks.
"""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.blocks.contact_features import stranger_relationships, thread_features
from features.blocks.payee_features import deal_features, payee_relationships
from features.entities.feeds import feed_features
from features.event_index import NUMBER_KIND_GROUPS, EventIndex
from features.kernel.query_points import QueryPoints, to_hours
from features.kernel.timeline import Timeline, milliseconds
from features.reputation import HAND_WRITTEN_REPUTATION, ReputationModel, rounded_score

__all__ = ["snapshot"]

HOURS = {"1h": 1, "6h": 6, "24h": 24, "3d": 72, "7d": 168, "30d": 720}
CHUNK = 50_000  # moments worked on at once: bounds memory, never the answer


def snapshot(
    event_index: EventIndex, moments: pl.DataFrame, *, reputation_model: ReputationModel = HAND_WRITTEN_REPUTATION
) -> pl.DataFrame:
    """One row a moment: ``person``, ``at`` and every feature of the catalogue, in the order of ``moments``.

    ``moments`` has ``person`` (pseudonym) and ``at`` (zoned, whole milliseconds). People who are not in the register
    drop out. Beside the features come ``lead_peer`` and ``lead_payee``: the number and account that speak most for
    an episode, for the reasons and the analyst, never for the model.
    """
    known = moments.join(event_index.people.select("person", owner="code"), on="person", maintain_order="left")
    parts = [
        answer(event_index, known[start : start + CHUNK], reputation_model=reputation_model)
        for start in range(0, max(1, len(known)), CHUNK)
    ]
    return pl.concat(parts)


def answer(event_index: EventIndex, moments: pl.DataFrame, *, reputation_model: ReputationModel) -> pl.DataFrame:
    """:func:`snapshot` of one chunk."""
    points = QueryPoints(moments, moments["owner"].cast(pl.Int64).to_numpy(), milliseconds(moments["at"]))
    strangers = stranger_relationships(event_index, points, reputation_model=reputation_model)
    payees = payee_relationships(event_index, points, reputation_model=reputation_model)
    blocks = [
        moments.select("person", "at"),
        habits(event_index, points),
        stranger_sums(event_index, points),
        payment_sums(event_index, points),
        thread_features(strangers, points),
        deal_features(event_index, payees, strangers, points),
        register_features(event_index, points),
        feed_features(event_index.call_feeds, event_index.transfer_feeds, points),
    ]
    return derived(pl.concat(blocks, how="horizontal"))


def windowed(
    timeline: Timeline, points: QueryPoints, wanted: dict[str, tuple[str, ...]]
) -> dict[str, npt.NDArray[np.float64]]:
    """``{name}_{window}`` for every total and the windows wanted of it."""
    spans = {window for windows in wanted.values() for window in windows}
    slices = {w: timeline.slices(points.owner, points.at_ms, timedelta(hours=HOURS[w])) for w in HOURS if w in spans}
    return {f"{name}_{w}": timeline.sums(name, slices[w]) for name, windows in wanted.items() for w in windows}


def habits(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """How much this person calls and is called."""
    found = windowed(
        event_index.contacts,
        points,
        {"calls_in": ("24h", "30d"), "calls_out": ("24h", "30d"), "sms": ("30d",), "talk_s": ("24h", "30d")},
    )
    return pl.DataFrame(found)


def stranger_sums(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """Contacts with strangers, summed over windows."""
    every, few = ("1h", "6h", "24h", "3d", "7d"), ("24h", "7d")
    found = windowed(
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
    return pl.DataFrame({f"stranger_{name}": values for name, values in found.items()})


def payment_sums(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """Money moved, and money moved to payees not dealt with before, summed over windows."""
    every = ("1h", "6h", "24h", "3d", "7d")
    all_payment_sums = windowed(
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
    new_payee_sums = windowed(
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
    return pl.DataFrame({**all_payment_sums, **{f"new_{name}": values for name, values in new_payee_sums.items()}})


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


def derived(frame: pl.DataFrame) -> pl.DataFrame:
    """What follows from the blocks together: deviation from habit and the order of call and payment."""
    return frame.with_columns(
        new_debit_to_habit=rounded_score(pl.col("new_debit_cny_24h") / (pl.col("debit_cny_30d") / 30 + 50)),
        payee_escalation=rounded_score(pl.col("payee_last_cny") / pl.col("payee_first_cny")),
        stranger_talk_to_habit=rounded_score(pl.col("stranger_talk_s_24h") / (pl.col("talk_s_30d") / 30 + 60)),
        call_to_payee_h=to_hours(pl.col("payee_first_started_at") - pl.col("lead_started_at")),
    )
