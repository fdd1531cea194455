"""From scored rows to candidates: whom the policy looks at, at a tick."""

from collections.abc import Iterator
from datetime import datetime

import polars as pl

from models.policy.alerting import Candidate, PolicyRules, priority_expression

__all__ = [
    "BASELINE_COLUMN",
    "MIN_CANDIDATES",
    "POLICY_COLUMNS",
    "count_candidates",
    "group_by_tick",
    "keep_candidates",
    "select_candidates",
]

BASELINE_COLUMN = "baseline_score"
MIN_CANDIDATES = 200  # of each tick: more than can ever be alerted, far fewer than all
POLICY_COLUMNS = (
    "new_debit_cny_6h",
    "preventable_loss_cny",
)  # what the policy must know of a row beside its score


def count_candidates(rules: PolicyRules) -> int:
    """How many of a tick the policy looks at."""
    return max(MIN_CANDIDATES, 10 * rules.budget)


def keep_candidates(rows: pl.DataFrame, *, column: str, most: int) -> pl.DataFrame:
    """The ``most`` best rows of each tick by ``column``, in the order of ``rows``; of equal ones
    those first in order of person, as :func:`select_candidates` takes them.
    """
    ranked = (
        rows.select("at", "person", score=column)
        .with_row_index("row")
        .sort("at", "score", "person", descending=[False, True, False])
        .filter(pl.int_range(pl.len()).over("at") < most)
    )
    return rows[ranked["row"].sort()]


def select_candidates(rows: pl.DataFrame, *, column: str, rules: PolicyRules) -> list[Candidate]:
    """The best rows of one tick as the policy sees them. Today's rule knows nothing of what is at
    stake.
    """
    best = rows.sort(column, "person", descending=[True, False]).head(count_candidates(rules))
    stake = pl.lit(None, pl.Float64) if column == BASELINE_COLUMN else pl.col(POLICY_COLUMNS[1])
    paid = pl.col(POLICY_COLUMNS[0]).fill_null(0.0)
    named = best.select(
        "person", score=column, paid_cny=paid, preventable_loss_cny=stake
    ).with_columns(priority=priority_expression(rules=rules))
    return [Candidate(**row) for row in named.iter_rows(named=True)]


def group_by_tick(rows: pl.DataFrame) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """Each moment of ``rows`` with its rows, in order of time."""
    for (tick,), group in rows.sort("at", maintain_order=True).group_by("at", maintain_order=True):
        assert isinstance(tick, datetime)  # noqa: S101 -- tells the type checker what the column holds
        yield tick, group
