"""What each owner of a segment's events comes to over the whole segment.

A window of a month reaches over whole days but for its two ends. Of these days a few numbers of
each owner are read instead of every event.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["OwnerTotals", "total_by_owner"]

Positions = npt.NDArray[np.int64]

OWNER, FIRST = "owner", "first_ms"


def total_by_owner(amounts: pl.DataFrame) -> pl.DataFrame:
    """``owner``, ``first_ms`` and the total of every further column of ``amounts``, in its order.

    ``amounts`` are in order of ``owner``, with ``known_ms`` and whole numbers. The columns are as
    narrow as their values allow.
    """
    totals = (
        amounts.lazy()
        .group_by(OWNER, maintain_order=True)
        .agg(pl.col("known_ms").min().alias(FIRST), pl.exclude(OWNER, "known_ms").sum())
        .collect()
    )
    return totals.with_columns(totals[name].shrink_dtype() for name in totals.columns[2:])


class OwnerTotals:
    """The totals of a segment (:func:`total_by_owner`), found by owner."""

    def __init__(self, totals: pl.DataFrame) -> None:
        self._totals = totals
        self._owner = totals[OWNER].to_numpy()

    @property
    def owners(self) -> pl.Series:
        """Whose totals these are, in order."""
        return self._totals[OWNER]

    def sums(self, names: Iterable[str], owner: Positions) -> Mapping[str, Positions]:
        """The total of each of ``names`` for each owner, 0 for one without events."""
        place, found = self._find(owner)
        sums = {}
        for name in names:
            sums[name] = np.zeros(len(owner), dtype=np.int64)
            sums[name][found] = self._totals[name].to_numpy()[place]
        return sums

    def first_ms(self, owner: Positions) -> Positions:
        """The moment of the first event of each owner; the greatest whole number without one."""
        place, found = self._find(owner)
        first = np.full(len(owner), np.iinfo(np.int64).max)
        first[found] = self._totals[FIRST].to_numpy()[place]
        return first

    def _find(self, owner: Positions) -> tuple[Positions, npt.NDArray[np.bool_]]:
        """The places of those of the owners who have events, and which ones they are."""
        place = np.searchsorted(self._owner, owner.astype(self._owner.dtype))
        inside = np.minimum(place, len(self._owner) - 1)
        found = self._owner[inside] == owner
        return inside[found], found
