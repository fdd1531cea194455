"""What a warning can save: the money still at stake, and the chance that a warning works, by scam
type.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from data_contracts.scam_types import load_scam_types

# The settings take the effects from here: every process of ours would import how models are learnt.
if TYPE_CHECKING:
    from models.learning.risk import RiskModel

__all__ = ["INTERVENTION_EFFECT", "estimate_preventable_loss", "loss_facts", "typical_loss_cny"]

LOSS_FACT_PREFIX = "typical_loss_cny_"  # facts of a model: the median reported loss by scam type
DEFAULT_LOSS_CNY = 10_000.0  # where no loss of a type was reported
MIN_REMAINING_SHARE = (
    0.2  # so much of the typical loss is at stake even where as much as that was paid already
)

# Chance that a call in time stops the payment, by scam type.
INTERVENTION_EFFECT: Mapping[str, float] = {
    code: one.intervention_effect
    for code, one in load_scam_types().scam_types.items()
    if one.intervention_effect is not None
}
DEFAULT_EFFECT = 0.6


def loss_facts(episodes: pl.DataFrame) -> dict[str, float]:
    """Return, as facts of a model, the median loss (CNY) of the ``episodes`` of each scam type that
    have one.
    """
    lost = (
        episodes.filter(pl.col("loss_cny") > 0)
        .group_by("scam_type")
        .agg(pl.col("loss_cny").median())
    )
    return {
        f"{LOSS_FACT_PREFIX}{scam_type}": median
        for scam_type, median in lost.sort("scam_type").iter_rows()
    }


def typical_loss_cny(model: "RiskModel", scam_type: str) -> float:
    """Return the median loss that the model learned of a scam type, or a default without one."""
    return float(model.facts.get(f"{LOSS_FACT_PREFIX}{scam_type}", DEFAULT_LOSS_CNY))


def estimate_preventable_loss(
    model: "RiskModel", rows: pl.DataFrame, *, effect: Mapping[str, float] = INTERVENTION_EFFECT
) -> pl.Series:
    """CNY that a warning to each person of ``rows`` would save were the person in an episode.

    Over the scam types it could be: the typical loss less what already went to new accounts in
    seven days, times the chance that a warning works.
    """
    if not len(rows):
        return pl.Series("preventable_loss_cny", [], dtype=pl.Float64)
    typical = np.array([typical_loss_cny(model, kind) for kind in model.scam_types])
    works = np.array([effect.get(kind, DEFAULT_EFFECT) for kind in model.scam_types])
    paid = rows["new_debit_outside_cny_7d"].fill_null(0.0).to_numpy()
    if not model.scam_types:
        left = np.maximum(DEFAULT_LOSS_CNY - paid, MIN_REMAINING_SHARE * DEFAULT_LOSS_CNY)
        return pl.Series("preventable_loss_cny", left * DEFAULT_EFFECT)
    left = np.maximum(typical[None, :] - paid[:, None], MIN_REMAINING_SHARE * typical[None, :])
    return pl.Series(
        "preventable_loss_cny", (model.type_probabilities(rows) * left * works[None, :]).sum(axis=1)
    )
