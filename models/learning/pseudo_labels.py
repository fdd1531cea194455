"""Pseudo-labels: victims who reported nothing, to learn from all the same (positive-unlabelled
learning).

Half of the small losses and most attempts never become a case. Their moments are among the
negative samples and teach the model that fraud is no fraud. So a first model scores people it did
not learn from, and finds those who look most like the reported victims, as many as can be expected.
Their likeliest moments become positive samples; those around them, which nobody can label, are left
out.
"""

from datetime import timedelta

import polars as pl

from models.learning.calibration import Floats, fit_calibration

__all__ = ["add_pseudo_labels"]

MIN_PROBABILITY = (
    0.15  # by reported cases, so about twice that by all: below this nobody is taken for a victim
)
UNCLEAR_BEFORE = timedelta(
    days=2
)  # moments around the likely ones that are neither positive nor negative
UNCLEAR_AFTER = timedelta(days=7)


def add_pseudo_labels(
    rows: pl.DataFrame,
    raw: Floats,
    *,
    episodes_per_reported: float,
    positive_weight: float,
    known_people: pl.Series,
) -> pl.DataFrame:
    """``rows`` to learn from, in which the likeliest unreported episodes are live and what is
    around them is left out.

    ``rows`` are ``person``, ``at``, ``label``, ``weight``, ``sampling_weight``, ``case_id`` and
    features; ``raw`` is what a model that saw nothing of a row's person says of it, in log-odds.
    For each reported episode ``episodes_per_reported`` unreported ones are looked for, among people
    of whom nothing is ``known_people``. What is found has the label 1 and no ``case_id``; like a
    reported episode it weighs ``positive_weight`` times the root of its moments. The order of rows
    stays.
    """
    scored = rows.with_columns(
        raw=pl.Series(raw), probability=pl.Series(calibrated_probabilities(rows, raw))
    ).with_row_index("row")
    negatives = scored.filter(pl.col("label") == 0, ~pl.col("person").is_in(known_people.implode()))
    number = round(episodes_per_reported * rows["case_id"].drop_nulls().n_unique())
    best = (
        negatives.group_by("person")
        .agg(pl.col("raw", "probability").max())
        .filter(pl.col("probability") >= MIN_PROBABILITY)
    )
    taken = best.sort("raw", "person", descending=[True, False]).head(number)
    if not len(taken):
        return rows
    candidates = negatives.join(taken.select("person"), on="person", how="semi")
    likely = candidates.filter(pl.col("raw") >= taken["raw"].min())
    span = likely.group_by("person").agg(first_at=pl.col("at").min(), last_at=pl.col("at").max())
    around = candidates.join(span, on="person").filter(
        pl.col("at").is_between(
            pl.col("first_at") - UNCLEAR_BEFORE, pl.col("last_at") + UNCLEAR_AFTER
        )
    )
    unclear = around.join(likely, on="row", how="anti")
    found = likely.select("row", found_weight=positive_weight / pl.len().over("person").sqrt())
    is_found = pl.col("found_weight").is_not_null()
    return (
        rows.with_row_index("row")
        .join(unclear, on="row", how="anti", maintain_order="left")
        .join(found, on="row", how="left", maintain_order="left")
        .with_columns(
            label=pl.when(is_found).then(1).otherwise("label").cast(rows.schema["label"]),
            weight=pl.coalesce("found_weight", "weight"),
        )
        .drop("row", "found_weight")
    )


def calibrated_probabilities(rows: pl.DataFrame, raw: Floats) -> Floats:
    """The probability of each row by the reported cases."""
    return fit_calibration(
        raw,
        rows["label"].to_numpy().astype(float),
        sampling_weight=rows["sampling_weight"].to_numpy(),
    )(raw)
