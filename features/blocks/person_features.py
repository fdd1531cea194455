"""What a person does in windows of time, and what the registers say of the person."""

import numpy as np
import polars as pl

from features.catalogue.definitions import LONGEST_WINDOW
from features.entities.holdings import held_on
from features.entities.mass_numbers import set_aside
from features.event_index import EventIndex
from features.kernel.query_points import QueryPoints, one_row_per_point, recent_events
from features.windowed_sums import sum_windows

__all__ = ["register_features", "windowed_features"]


def windowed_features(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """Every feature that the catalogue declares as a sum over windows: how much this person calls,
    is called and pays, with anybody and with strangers and new payees.
    """
    heard = recent_events(event_index.mass_contacts, points, LONGEST_WINDOW)
    uncounted = heard.filter(set_aside(heard, event_index.mass_numbers))
    return pl.DataFrame(
        sum_windows(
            {
                "contacts": event_index.contacts,
                "stranger_contacts": event_index.stranger_contacts,
                "payments": event_index.payments,
                "new_payee_payments": event_index.new_payee_payments,
            },
            points,
            less={"contacts": uncounted, "stranger_contacts": uncounted.filter("is_stranger")},
        )
    )


def register_features(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """Age, and what the person holds on that day and since when."""
    day = points.frame["at"].dt.replace_time_zone(None).dt.date()
    born = event_index.people["birth_month"].gather(pl.Series(points.owner))
    numbers, accounts = (
        one_row_per_point(holdings_on(held, points, day), points)
        for held in (event_index.numbers_held, event_index.accounts_held)
    )
    return pl.DataFrame(
        {
            "age_years": (day - born).dt.total_days() / 365.25,
            "number_n": numbers["held"].fill_null(0),
            "account_n": accounts["held"].fill_null(0),
            "number_tenure_d": (day - numbers["since"]).dt.total_days(),
            "account_tenure_d": (day - accounts["since"]).dt.total_days(),
        }
    )


def holdings_on(holdings: pl.DataFrame, points: QueryPoints, day: pl.Series) -> pl.DataFrame:
    """``point``, ``held`` and ``since``: how many of the ``holdings`` are the person's on the
    ``day``, and the first day of the oldest.
    """
    days = pl.DataFrame(
        {
            "point": np.arange(len(points.owner), dtype=np.uint32),
            "owner": pl.Series(points.owner, dtype=holdings.schema["owner"]),
            "day": day,
        }
    )
    return (
        days.join(holdings, on="owner")
        .filter(held_on(pl.col("day")))
        .group_by("point")
        .agg(held=pl.len(), since=pl.col("since").min())
    )
