"""What a person does in windows of time, and what the registers say of the person."""

import polars as pl

from features.event_index import EventIndex
from features.kernel.query_points import QueryPoints
from features.windowed_sums import sum_windows

__all__ = ["register_features", "windowed_features"]


def windowed_features(event_index: EventIndex, points: QueryPoints) -> pl.DataFrame:
    """Every feature that the catalogue declares as a sum over windows: how much this person calls,
    is called and pays, with anybody and with strangers and new payees.
    """
    return pl.DataFrame(
        sum_windows(
            {
                "contacts": event_index.contacts,
                "stranger_contacts": event_index.stranger_contacts,
                "payments": event_index.payments,
                "new_payee_payments": event_index.new_payee_payments,
            },
            points,
        )
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
