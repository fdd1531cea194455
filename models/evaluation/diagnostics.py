"""What training rows say of a model before anything is published: calibration, leaks, and what a
budget buys.

All frames here are training rows with ``label``, ``sampling_weight`` (how many real moments a row
stands for), ``case_id`` and ``raw``, the out-of-fold score: no row is judged by a booster that
learned from it or from the same person.
"""

import numpy as np
import polars as pl

from features.event_index import EventIndex
from features.point_in_time import build_snapshot
from features.reputation import ReputationModel
from models.learning.baseline_rule import baseline_score
from models.learning.risk import RiskModel

__all__ = [
    "calibration_bins",
    "diagnose_model",
    "feature_aucs",
    "lead_agreement",
    "out_of_fold_probabilities",
    "sample_budget_curve",
]

BINS = 10
CURVE_POINTS = 60
MISSING_IS_LOWEST = -1e300
COMPARED = 2_000


def diagnose_model(model: RiskModel, rows: pl.DataFrame) -> dict[str, float]:
    """``calibration_error`` and ``max_feature_auc``, as the gates ask for them.

    The calibration error is the mean gap between predicted and observed share over the bins of
    ``calibration_bins``; bins of equal numbers of moments would be empty of victims nearly
    everywhere, and any model would look calibrated.
    """
    bins = calibration_bins(
        rows.select("label", "sampling_weight", probability=out_of_fold_probabilities(model, rows))
    )
    gap = (bins["predicted"] - bins["observed"]).abs().mean()
    aucs = feature_aucs(rows, model.features)["auc"]
    return {
        "calibration_error": float(gap) if isinstance(gap, (int, float)) else float("nan"),
        "max_feature_auc": float(max(aucs, default=float("nan"))),
    }


def lead_agreement(
    rows: pl.DataFrame, event_index: EventIndex, *, reputation_model: ReputationModel, seed: int
) -> float:
    """Of the quiet ``rows`` with a leading number, the share whose leading number would be the same
    in use.

    ``rows`` were made with reputations out of fold, ``reputation_model`` are those in use. Well
    below 1, a model learns from other leads than it will be asked about; rows seen through outages
    alone cost some hundredths. NaN without any.
    """
    quiet = rows.filter(pl.col("label") == 0, pl.col("lead_peer_code").is_not_null())
    some = quiet.sample(min(COMPARED, len(quiet)), seed=seed)
    in_use = build_snapshot(
        event_index, some.select("person", "at"), reputation_model=reputation_model
    )
    same = in_use["lead_peer_code"].eq_missing(some["lead_peer_code"]).mean()
    return float(same) if isinstance(same, (int, float)) else float("nan")


def out_of_fold_probabilities(model: RiskModel, rows: pl.DataFrame) -> pl.Series:
    """The calibrated out-of-fold probability of every row."""
    return pl.Series("probability", model.calibration(rows["raw"].to_numpy().astype(np.float64)))


def calibration_bins(scored: pl.DataFrame) -> pl.DataFrame:
    """Bins of ``probability`` that each hold the same number of live moments, lowest first.

    Columns: ``predicted`` mean probability, ``observed`` share of live moments, ``moments`` that
    the bin stands for. Empty without live moments.
    """
    live = scored.filter(pl.col("label") == 1)["probability"].to_numpy()
    edges = np.unique(np.quantile(live, np.arange(1, BINS) / BINS)) if len(live) else np.empty(0)
    places = np.searchsorted(edges, scored["probability"].to_numpy(), side="right")
    weight = pl.col("sampling_weight")
    return (
        scored.lazy()
        .with_columns(bin=pl.Series(places))
        .filter(len(live) > 0)
        .group_by("bin")
        .agg(
            predicted=(pl.col("probability") * weight).sum() / weight.sum(),
            observed=(pl.col("label") * weight).sum() / weight.sum(),
            moments=weight.sum(),
        )
        .sort("bin")
        .drop("bin")
        .collect()
    )


def feature_aucs(rows: pl.DataFrame, features: tuple[str, ...]) -> pl.DataFrame:
    """``feature``, ``auc``: how well each feature alone tells live moments apart, 0.5 to 1, best
    first.

    A missing value counts as lower than any other. Empty where all rows have one label.
    """
    live = int(rows["label"].sum())
    quiet = len(rows) - live
    if not live or not quiet:
        return pl.DataFrame(schema={"feature": pl.String, "auc": pl.Float64})
    value = pl.col(features).cast(pl.Float64).fill_nan(None).fill_null(MISSING_IS_LOWEST)
    ranks = rows.lazy().select(value.rank().filter(pl.col("label") == 1).sum()).collect()
    sums = ranks.transpose(include_header=True, header_name="feature", column_names=["ranks"])
    auc = (pl.col("ranks") - live * (live + 1) / 2) / (live * quiet)
    return sums.select("feature", auc=pl.max_horizontal(auc, 1 - auc)).sort(
        "auc", "feature", descending=[True, False]
    )


def sample_budget_curve(rows: pl.DataFrame) -> pl.DataFrame:
    """What alerting the best moments would find, for the model and for today's rule.

    Columns: ``scorer`` (``model`` or ``rule``), ``alerted`` moments in a million, ``precision``
    share of them live, ``coverage`` share of the episodes with at least one among them. One point
    for each of some growing budgets.
    """
    scorers = {"model": pl.col("raw"), "rule": baseline_score()}
    curves = [
        _curve(rows, score=score).select(pl.lit(name).alias("scorer"), pl.all())
        for name, score in scorers.items()
    ]
    return pl.concat(curves)


def _curve(rows: pl.DataFrame, *, score: pl.Expr) -> pl.DataFrame:
    """The points of one scorer; rows of equal score are alerted together."""
    first = pl.col("case_id").is_first_distinct() & pl.col("case_id").is_not_null()
    steps = (
        rows.select("label", "sampling_weight", "case_id", score=score)
        .sort("score", descending=True)
        .with_columns(reached=first)
        .group_by("score", maintain_order=True)
        .agg(
            pl.col("sampling_weight", "reached").sum(),
            live=(pl.col("label") * pl.col("sampling_weight")).sum(),
        )
        .select(
            alerted=pl.col("sampling_weight").cum_sum() / pl.col("sampling_weight").sum() * 1e6,
            precision=pl.col("live").cum_sum() / pl.col("sampling_weight").cum_sum(),
            coverage=pl.col("reached").cum_sum() / pl.max_horizontal(pl.col("reached").sum(), 1),
        )
    )
    places = np.unique(np.geomspace(1, max(1, len(steps)), CURVE_POINTS).astype(np.int64) - 1)
    return steps[places[places < len(steps)]]
