"""Which fraud it is: a small multiclass booster over positive samples, calibrated on people that
it did not learn from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["ScamTypes", "fit_scam_types"]

Floats = npt.NDArray[np.float64]

ROUNDS = 60
UNKNOWN = "unknown"
MIN_PROBABILITY = 0.4  # below this probability no type is named
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class ScamTypes:
    """The booster with the types it knows; ``temperature`` above 1 makes it less sure than
    its raw votes.

    ``type_metrics`` were measured out of fold: share of positive samples whose type was named, and
    named rightly.
    """

    booster: Any = None
    names: tuple[str, ...] = ()
    temperature: float = 1.0
    metrics: Mapping[str, float] = field(default_factory=dict)

    def probabilities(self, inputs: Floats) -> Floats:
        """How likely each of ``names`` is, a row each, adding up to one."""
        return apply_temperature(
            np.asarray(self.booster.predict(inputs), dtype=np.float64), self.temperature
        )

    def predict_names(
        self, inputs: Floats, *, min_probability: float = MIN_PROBABILITY
    ) -> list[str]:
        """The likeliest type of each row, ``unknown`` where none reaches the probability
        ``min_probability``.
        """
        if self.booster is None or not len(inputs):
            return [UNKNOWN] * len(inputs)
        return [
            self.names[row.argmax()] if row.max() >= min_probability else UNKNOWN
            for row in self.probabilities(inputs)
        ]


def apply_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities to the power of ``1 / temperature``, made to add up to one again."""
    powered = np.maximum(probabilities, TINY) ** (1 / temperature)
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))


def fit_scam_types(
    rows: pl.DataFrame, *, inputs: Floats, fold: npt.NDArray[np.int64], params: Mapping[str, Any]
) -> ScamTypes:
    """Learn from the positive samples of ``rows`` whose type is known; nothing from fewer than two
    types.

    ``fold`` numbers the parts that are held out in turn, to choose the temperature and to measure.
    """
    import lightgbm as lgb

    live = rows.select((pl.col("label") == 1) & pl.col("scam_type").is_not_null()).to_series()
    positives = rows.filter(live)
    names = tuple(positives["scam_type"].unique().sort().to_list())
    if len(names) < 2:
        return ScamTypes()
    target = (
        positives["scam_type"]
        .replace_strict(dict(zip(names, range(len(names)), strict=True)))
        .to_numpy()
    )
    weight, matrix, part = (
        positives["weight"].to_numpy(),
        inputs[live.to_numpy()],
        fold[live.to_numpy()],
    )
    own = {
        **params,
        "objective": "multiclass",
        "num_class": len(names),
        "num_leaves": 7,
        "min_data_in_leaf": 10,
    }
    own |= {"lambda_l2": 10.0}

    def boost(keep: npt.NDArray[np.bool_]) -> Any:
        return lgb.train(own, lgb.Dataset(matrix[keep], target[keep], weight=weight[keep]), ROUNDS)

    held_out = np.full((len(target), len(names)), 1 / len(names))
    for number in np.unique(part):
        if (part != number).any():
            held_out[part == number] = boost(part != number).predict(matrix[part == number])
    temperature = best_temperature(held_out, target, weight)
    return ScamTypes(
        booster=boost(np.ones(len(target), dtype=np.bool_)),
        names=names,
        temperature=temperature,
        metrics=type_metrics(apply_temperature(held_out, temperature), target, weight),
    )


def best_temperature(probabilities: Floats, target: npt.NDArray[np.int64], weight: Floats) -> float:
    """The temperature from 0.5 to 5 under which the held-out probabilities promise no more than
    they keep.
    """
    from scipy.optimize import minimize_scalar

    def loss(temperature: float) -> float:
        likelihood = apply_temperature(probabilities, temperature)[np.arange(len(target)), target]
        return float(-(weight * np.log(np.maximum(likelihood, TINY))).sum())

    return float(minimize_scalar(loss, bounds=(0.5, 5.0), method="bounded").x)


def type_metrics(
    probabilities: Floats, target: npt.NDArray[np.int64], weight: Floats
) -> dict[str, float]:
    """Shares of the weight of positive samples: of a named type, of a rightly named one among
    these, and of them all.
    """
    right, named = (
        probabilities.argmax(axis=1) == target,
        probabilities.max(axis=1) >= MIN_PROBABILITY,
    )
    return {
        "type_named_share": float(weight[named].sum() / weight.sum()),
        "type_accuracy_named": float(weight[named & right].sum() / max(weight[named].sum(), TINY)),
        "type_accuracy": float(weight[right].sum() / weight.sum()),
    }
