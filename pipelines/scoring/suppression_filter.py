"""Who is left out of a run because somebody put them off or suppressed them, and who comes back: new money moves."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from models.policy.alerting import PolicyRules
from serving.store import Rest

__all__ = ["awake"]


def awake(rows: pl.DataFrame, rests: Sequence[Rest], *, at: datetime, rules: PolicyRules) -> pl.DataFrame:
    """The ``rows`` (``person``, ``new_debit_cny_6h``) of those who may be alerted at ``at``.

    Who rests comes back when ``realert_cny`` have left for new payees in the last six hours, all of them since the rest
    began (``rules.realert_after``), as with a person who was alerted before.
    """
    began: dict[str, datetime] = {}
    for rest in rests:
        if rest.until > at:
            began[rest.person] = max(rest.since, began.get(rest.person, rest.since))
    long_ago = [person for person, since in began.items() if at - since >= rules.realert_after]
    person = pl.col("person")
    moved = person.is_in(long_ago) & (pl.col("new_debit_cny_6h") >= rules.realert_cny)
    return rows.filter(~person.is_in(list(began)) | moved.fill_null(value=False))
