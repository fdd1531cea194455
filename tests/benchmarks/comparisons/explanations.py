"""Why a score: our explanations beside SHAP's explainer and LightGBM's own contributions."""

import numpy as np
import numpy.typing as npt
import polars as pl

from models.evaluation.explain import Explanation, explain_scores
from models.learning.risk import RiskModel
from tests.benchmarks.figures import Compared, compare_runs, largest_difference

__all__ = ["compare_explanations"]

Values = npt.NDArray[np.float64]


def compare_explanations(
    model: RiskModel, rows: pl.DataFrame, *, runs: int
) -> tuple[Compared, ...]:
    """The ``rows`` of a snapshot explained all at once, and the first of them alone.

    Raises ``ValueError`` where the contributions of two differ.
    """
    explain_with_shap(model, model.matrix(rows.head(1)))  # imports SHAP, which is not measured
    found = []
    for asked in (rows.head(1), rows):
        inputs = model.matrix(asked)
        ways = {
            "shap.TreeExplainer": lambda inputs=inputs: explain_with_shap(model, inputs),
            "LightGBM, pred_contrib": lambda inputs=inputs: explain_with_lightgbm(model, inputs),
        }
        for peer, way in ways.items():
            ours_s, ours, peer_s, theirs = compare_runs(
                lambda asked=asked: explain_scores(model, asked), way, runs=runs
            )
            found.append(
                Compared(
                    name=f"explanation of {len(asked):,} score{'s' if len(asked) > 1 else ''}",
                    peer=peer,
                    ours_s=ours_s,
                    peer_s=peer_s,
                    rows=len(asked),
                    note="ours checks that the parts add up and words the reasons; "
                    "the peer gives the contributions alone",
                    difference=largest_difference(contributions(model, ours), theirs),
                )
            )
    return tuple(found)


def explain_with_shap(model: RiskModel, inputs: Values) -> Values:
    """Contributions of each input, (rows, inputs)."""
    import shap

    return np.asarray(shap.TreeExplainer(model.booster)(inputs).values, dtype=np.float64)


def explain_with_lightgbm(model: RiskModel, inputs: Values) -> Values:
    """The same from the booster itself, without the base value in the last column."""
    return np.asarray(model.booster.predict(inputs, pred_contrib=True))[:, :-1]


def contributions(model: RiskModel, explanations: list[Explanation]) -> Values:
    """What our explanations say each input contributed, (rows, inputs)."""
    return np.array([[one.contributions[name] for name in model.features] for one in explanations])
