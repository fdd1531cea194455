"""The frames that features are made of: the lake's tables, as they come from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from features.kernel.relationships import RELATIONSHIP_GAP, STRANGER_AGE

__all__ = [
    "LOOKBACK",
    "NEW_PAYEE_WINDOW",
    "PAYMENT_AFTER_CONTACT",
    "RECENT_WINDOW",
    "SourceTables",
    "dense_codes",
]

RECENT_WINDOW = timedelta(
    days=7
)  # so far back go the relationships with strangers and new payees that a snapshot looks at
NEW_PAYEE_WINDOW = timedelta(days=14)  # so far back go the payments to new payees taken together
PAYMENT_AFTER_CONTACT = timedelta(days=1)  # a payment this soon after a contact may be caused by it
LOOKBACK = (
    NEW_PAYEE_WINDOW + PAYMENT_AFTER_CONTACT + STRANGER_AGE + RELATIONSHIP_GAP
)  # what became known earlier changes no feature


@dataclass(frozen=True)
class SourceTables:
    """Lake tables as lazy frames, with the columns that the lake gives them."""

    calls: pl.LazyFrame
    transfers: pl.LazyFrame
    residents: pl.LazyFrame
    subscribers: pl.LazyFrame
    accounts: pl.LazyFrame
    cases: pl.LazyFrame
    number_tags: pl.LazyFrame

    def known_before(self, at: datetime) -> "SourceTables":
        """The same tables with only the events and cases known strictly before ``at``."""
        return SourceTables(
            calls=self.calls.filter(pl.col("known_at") < at),
            transfers=self.transfers.filter(pl.col("known_at") < at),
            residents=self.residents,
            subscribers=self.subscribers,
            accounts=self.accounts,
            cases=self.cases.filter(pl.col("known_at") < at),
            number_tags=self.number_tags,
        )


def dense_codes(values: pl.LazyFrame, *, column: str) -> pl.LazyFrame:
    """``column`` and ``code``: each distinct value once, numbered from 0 in sorted order."""
    return values.select(column).drop_nulls().unique().sort(column).with_row_index("code")
