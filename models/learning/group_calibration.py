"""Calibration by group: probabilities that hold for people of whom less is seen, as they do for
everybody else.

A probability of 0.3 should mean the same for somebody whose transfers are in the data and for
somebody whose are not. The groups are those of what data there is on a person
(``features.entities.coverage.data_seen``), never of who the person is.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import polars as pl

from models.labels.sampling import assign_folds
from models.learning.calibration import Calibration, Floats, fit_calibration

__all__ = [
    "GroupCalibration",
    "fit_group_calibration",
    "promised_and_found",
    "promises",
    "worst_ratio",
]

SHRINKAGE_ROWS = 200.0  # live rows; an episode has about ten


@dataclass(frozen=True)
class GroupCalibration:
    """A Platt line for everybody, and one for each group of which enough is known."""

    common: Calibration = field(default_factory=Calibration)
    by_group: Mapping[str, Calibration] = field(default_factory=dict)

    def __call__(self, raw: Floats, group: pl.Series) -> Floats:
        """Calibrated probabilities of raw log-odds; a group without a line of its own, or null, has
        the common one.
        """
        found = self.common(raw)
        for name, calibration in self.by_group.items():
            mine = (group == name).fill_null(value=False).to_numpy()
            found[mine] = calibration(raw[mine])
        return found

    def to_dict(self) -> dict[str, Any]:
        """The lines as plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From what ``to_dict`` gave."""
        lines = {name: Calibration(**line) for name, line in values["by_group"].items()}
        return cls(common=Calibration(**values["common"]), by_group=lines)


def fit_group_calibration(
    raw: Floats,
    labels: Floats,
    *,
    sampling_weight: Floats,
    group: pl.Series,
    shrinkage_rows: float = SHRINKAGE_ROWS,
) -> GroupCalibration:
    """Fit on scores of rows that the booster was not trained on, like
    ``models.learning.calibration.fit_calibration``.

    A group with ``shrinkage_rows`` live rows stands halfway between the common line and its own;
    with fewer it keeps nearer to the common one, since its own would follow chance. Groups without
    any live or any quiet row have none.
    """
    common = fit_calibration(raw, labels, sampling_weight=sampling_weight)
    lines = {}
    for name in group.drop_nulls().unique().sort():
        mine = (group == name).fill_null(value=False).to_numpy()
        live = float(labels[mine].sum())
        if 0 < live < mine.sum():
            own = fit_calibration(raw[mine], labels[mine], sampling_weight=sampling_weight[mine])
            lines[str(name)] = shrink_to_common(own, common, weight=live / (live + shrinkage_rows))
    return GroupCalibration(common=common, by_group=lines)


def shrink_to_common(own: Calibration, common: Calibration, *, weight: float) -> Calibration:
    """The line so far from the common one towards a group's own."""
    return Calibration(
        slope=common.slope + weight * (own.slope - common.slope),
        intercept=common.intercept + weight * (own.intercept - common.intercept),
    )


def promised_and_found(scored: pl.DataFrame) -> pl.DataFrame:
    """What a calibration promised each group, and what came of it.

    ``scored`` has ``group``, ``label``, ``sampling_weight``, ``probability``. One row a group:
    ``live`` rows, ``promised`` and ``found`` live moments in 10,000, ``ratio`` promised over found
    (1: promises hold; null where none was found).
    """
    weight = pl.col("sampling_weight")
    return (
        scored.group_by("group")
        .agg(
            live=pl.col("label").cast(pl.Int64).sum(),
            promised=10_000 * (pl.col("probability") * weight).sum() / weight.sum(),
            found=10_000 * (pl.col("label") * weight).sum() / weight.sum(),
        )
        .with_columns(ratio=pl.when(pl.col("found") > 0).then(pl.col("promised") / pl.col("found")))
        .sort("group")
    )


def promises(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What one calibration for all (``common``) and one ``by group`` promise: their
    ``promised_and_found``.

    Each is fitted on one half of the people and held against the other. ``rows`` have ``person``,
    ``group``, ``label``, ``scam_type``, ``sampling_weight`` and ``raw``, the out-of-fold score.
    Empty where a half has no live or no quiet row.
    """
    halves = assign_folds(rows, count=2, seed=0)
    parts = []
    for half in (0, 1):
        here, there = rows.filter(pl.Series(halves != half)), rows.filter(pl.Series(halves == half))
        if here["label"].n_unique() < 2:
            return {}
        labels, sampling_weight = (
            here["label"].to_numpy().astype(np.float64),
            here["sampling_weight"].to_numpy(),
        )
        fitted = fit_group_calibration(
            here["raw"].to_numpy(), labels, sampling_weight=sampling_weight, group=here["group"]
        )
        raw = there["raw"].to_numpy()
        parts.append(
            there.with_columns(
                common=pl.Series(fitted.common(raw)), grouped=pl.Series(fitted(raw, there["group"]))
            )
        )
    whole = pl.concat(parts)
    names = {"common": "common", "by group": "grouped"}
    return {
        name: promised_and_found(whole.with_columns(probability=pl.col(column)))
        for name, column in names.items()
    }


def worst_ratio(table: pl.DataFrame) -> float | None:
    """The largest factor by which a group's promises miss, in either direction; None where nothing
    was found.
    """
    factors = np.abs(np.log(table["ratio"].drop_nulls().to_numpy()))
    return float(np.exp(factors.max())) if len(factors) else None
