"""What a person does in windows of time, and what the registers say of the person."""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.event_index import NUMBER_KIND_GROUPS, EventIndex
from features.kernel.query_points import QueryPoints
from features.kernel.timeline import Timeline

__all__ = ["habit_sums", "payment_sums", "register_features", "stranger_sums"]

WINDOW_HOURS = {"1h": 1, "6h": 6, "24h": 24, "3d": 72, "7d": 168, "30d": 720}


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
