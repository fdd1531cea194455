"""Drops people who are snoozed or suppressed; they come back when new money moves."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from models.policy.alerting import PolicyRules
from serving.feedback import SuppressedPerson

__all__ = ["drop_suppressed"]


def drop_suppressed(
    rows: pl.DataFrame,
    suppressions: Sequence[SuppressedPerson],
    *,
    at: datetime,
    rules: PolicyRules,
) -> pl.DataFrame:
    """The ``rows`` (``person``, ``new_debit_cny_6h``) of those who may be alerted at ``at``.

    A suppressed person comes back when ``realert_cny`` have left for new payees in the last six
    hours, all of it since the suppression began (``rules.realert_after``), as with a person who was
    alerted before.
    """
    suppressed_since: dict[str, datetime] = {}
    for suppression in suppressions:
        if suppression.until > at:
            suppressed_since[suppression.person] = max(
                suppression.since, suppressed_since.get(suppression.person, suppression.since)
            )
    long_ago = [
        person for person, since in suppressed_since.items() if at - since >= rules.realert_after
    ]
    person = pl.col("person")
    money_moved = person.is_in(long_ago) & (pl.col("new_debit_cny_6h") >= rules.realert_cny)
    return rows.filter(~person.is_in(list(suppressed_since)) | money_moved.fill_null(value=False))
