"""Whether explanations stay what they were when a model is trained again.

If an analyst reads on Monday that a person was alerted for long calls, Tuesday's model should not
give other reasons for the same moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import polars as pl

from data_contracts.errors import ModelError
from models.evaluation.explain import Explanation, explain_scores
from models.learning.risk import RiskModel

__all__ = [
    "Stability",
    "compare_explanations",
    "compare_model_explanations",
    "describe_stability",
    "rank_correlation",
    "shared_reasons",
]

TOP = 3


@dataclass(frozen=True, kw_only=True)
class Stability:
    """Two models' explanations of the same ``rows`` alerted moments, averaged over them.

    ``reasons_shared`` is the share of the three first reasons that both give, of all that either
    gives (1: the same three); ``rank_correlation`` that of the features by the size of their
    contribution, -1 to 1. None without rows.
    """

    rows: int
    reasons_shared: float | None
    rank_correlation: float | None

    def metrics(self) -> dict[str, float]:
        """As metrics: ``reasons_shared``, ``reasons_rank_correlation``, as far as they exist."""
        found = {
            "reasons_shared": self.reasons_shared,
            "reasons_rank_correlation": self.rank_correlation,
        }
        return {name: value for name, value in found.items() if value is not None}


def compare_explanations(before: Sequence[Explanation], after: Sequence[Explanation]) -> Stability:
    """Hold two models' explanations of the same rows, in the same order, against each other."""
    pairs = list(zip(before, after, strict=True))
    shared = [shared_reasons(_codes(one), _codes(other)) for one, other in pairs]
    ranked = [rank_correlation(one.contributions, other.contributions) for one, other in pairs]
    known = [one for one in ranked if one is not None]
    return Stability(
        rows=len(pairs),
        reasons_shared=fmean(shared) if shared else None,
        rank_correlation=fmean(known) if known else None,
    )


def compare_model_explanations(
    before: RiskModel, after: RiskModel, rows: pl.DataFrame
) -> Stability:
    """Both models' explanations of the same snapshot ``rows``; of none where they do not know all
    that one asks for.
    """
    try:
        return compare_explanations(explain_scores(before, rows), explain_scores(after, rows))
    except ModelError:  # features came or went between the two
        return compare_explanations([], [])


def shared_reasons(before: Sequence[str], after: Sequence[str], *, top: int = TOP) -> float:
    """The Jaccard index of the first ``top`` reasons by code: common ones over all; 1 where neither
    gives any.
    """
    one, other = set(before[:top]), set(after[:top])
    return len(one & other) / len(one | other) if one | other else 1.0


def rank_correlation(before: Mapping[str, float], after: Mapping[str, float]) -> float | None:
    """Spearman's correlation of the sizes of contributions over the features that both models know.

    None with fewer than two, or where one of them tells all features alike.
    """
    from scipy.stats import rankdata

    names = sorted(before.keys() & after.keys())
    if len(names) < 2:
        return None
    ranks = [rankdata([abs(parts[name]) for name in names]) for parts in (before, after)]
    if any(np.ptp(one) == 0 for one in ranks):
        return None
    return float(np.corrcoef(*ranks)[0, 1])


def describe_stability(found: Stability) -> str:
    """How steady that is, in a word, Chinese and English."""
    if found.reasons_shared is None:
        return "未测 not measured"
    if found.reasons_shared >= 0.7:
        return "稳定 steady"
    return "一般 fair" if found.reasons_shared >= 0.4 else "多变 changing"


def _codes(explanation: Explanation) -> list[str]:
    return [reason.code for reason in explanation.reasons]
