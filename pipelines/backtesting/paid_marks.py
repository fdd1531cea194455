"""How well a replay's alerts tell those who had already paid, in a simulated district."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from data_contracts.main_payment import PAID_LATELY
from data_contracts.pages.markdown import markdown_table
from models.evaluation.true_episodes import judge_paid_marks

__all__ = ["count_paid_marks", "paid_marks_table"]

ISSUED = {
    "after": f"within {PAID_LATELY.days} days after the main payment",
    "before": "in an episode, before its main payment",
    "no loss": "on somebody who lost nothing then",
}


def count_paid_marks(
    alerts: pl.DataFrame, truth: pl.DataFrame, *, seed: int = 0
) -> dict[str, pl.DataFrame]:
    """:func:`models.evaluation.true_episodes.judge_paid_marks` of the first alerts of a person
    within the cool-down, and of all, repeats among them.
    """
    chosen = {"first alerts": alerts.filter(~pl.col("repeat")), "repeats too": alerts}
    return {name: judge_paid_marks(rows, truth, seed=seed) for name, rows in chosen.items()}


def paid_marks_table(marks: Mapping[str, pl.DataFrame]) -> str:
    """The counts of :func:`count_paid_marks` side by side, in Markdown: marked of so many alerts,
    and the share with its 90 % interval.
    """
    columns = [[_marked(row) for row in found.iter_rows(named=True)] for found in marks.values()]
    rows = list(zip(ISSUED.values(), *columns, strict=True))
    return markdown_table(("alert issued", *marks), rows, figures=True)


def _marked(row: Mapping[str, Any]) -> str:
    if row["share"] is None:
        return "none"
    interval = f"{row['share']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
    return f"{row['marked']} of {row['alerts']}: {interval}"
