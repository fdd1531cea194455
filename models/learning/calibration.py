"""From a booster's raw score to a probability among the moments that are really scored."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Calibration", "fit_calibration"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Platt scaling: probability = 1 / (1 + exp(-(slope · raw + intercept)))."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, raw: Floats) -> Floats:
        """Calibrated probabilities of raw log-odds."""
        return np.asarray(
            1.0 / (1.0 + np.exp(-np.clip(self.slope * raw + self.intercept, -50, 50)))
        )


def fit_calibration(raw: Floats, labels: Floats, *, sampling_weight: Floats) -> Calibration:
    """Fit on scores of rows that the booster was not trained on; ``sampling_weight`` is how many
    moments a row stands for.

    The slope is kept positive: calibration never reorders people.
    """
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(
        raw.reshape(-1, 1), labels, sample_weight=sampling_weight
    )
    return Calibration(
        slope=max(1e-3, float(fitted.coef_[0, 0])), intercept=float(fitted.intercept_[0])
    )
