"""Why: SHAP contributions of each alert, folded into plain reasons.

LightGBM computes them itself, the same as ``shap.TreeExplainer``, which takes seconds to import.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from data_contracts.errors import ModelError
from features.catalogue.reasons import Reason, summarise_reasons
from models.learning.risk import RiskModel

__all__ = ["Explanation", "explain_scores"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """``base`` plus all ``contributions`` is the raw log-odds; calibration then makes it a
    probability.
    """

    base: float
    contributions: dict[str, float]
    values: dict[str, float | None]
    reasons: tuple[Reason, ...]


def explain_scores(model: RiskModel, rows: pl.DataFrame) -> list[Explanation]:
    """One explanation a row of a snapshot. Raises ``ModelError`` if the parts do not add up to the
    score.
    """
    if not len(rows):
        return []
    inputs = model.matrix(rows)
    explained = np.asarray(model.booster.predict(inputs, pred_contrib=True), dtype=np.float64)
    parts, bases = explained[:, :-1], explained[:, -1]
    raw = np.asarray(model.booster.predict(inputs, raw_score=True))
    if not np.allclose(parts.sum(axis=1) + bases, raw, atol=1e-6):
        raise ModelError(
            "the explanation does not add up to the score", remedy="Train the model again."
        )
    found = []
    for number in range(len(rows)):
        contributions = dict(zip(model.features, parts[number].tolist(), strict=True))
        values = {
            name: None if np.isnan(value) else float(value)
            for name, value in zip(model.features, inputs[number], strict=True)
        }
        found.append(
            Explanation(
                float(bases[number]),
                contributions,
                values,
                summarise_reasons(contributions, values),
            )
        )
    return found
