"""Calibration by group: probabilities that hold for people of whom less is seen, as they do for
everybody else.

A probability of 0.3 should mean the same for somebody whose transfers are in the data and for
somebody whose are not. The groups are those of what data there is on a person
(``features.entities.coverage.data_seen``), never of who the person is.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import polars as pl

from models.learning.calibration import Calibration, Floats, fit_calibration

__all__ = ["GroupCalibration", "fit_group_calibration"]

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
