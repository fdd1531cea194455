"""Whom a comparison of models asks about: in a large district one resident in so many, and all of
whom something was found.

A drawn resident stands for as many as were not drawn, and comes before the policy as often: as
himself and as his stand-ins, who have his scores. So budget, threshold and cool-down are those of
the whole district, and every figure is said of it. Whoever is named by a case or a disposition is
asked about for certain and stands for nobody else.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

import numpy as np
import polars as pl

from features.event_index import EventIndex
from features.kernel.segment import Positions
from models.labels.drawn_people import draw_share

__all__ = ["ComparedPeople", "draw_compared_people", "without_stand_ins"]

MOST_MOMENTS = 5_000_000  # about whom somebody is asked, warm-up and all
MOMENTS_A_DAY = 3.7  # of a resident: midnight, and the ticks after a reason to ask again
OTHER_SEED = 1_000_003  # not those people whom the model learned from
MARK = "#"  # is in no pseudonym


@dataclass(frozen=True, eq=False)
class ComparedPeople:
    """The ``codes`` of those who are asked about; None: everybody.

    Each stands for ``times`` residents, himself among them, but the ``named`` for themselves alone.
    """

    times: int = 1
    codes: Positions | None = None
    named: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))

    def with_stand_ins(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The scored ``rows``, each as often as the resident stands for somebody; all as they are
        where everybody was asked about.
        """
        if self.times == 1:
            return rows
        alone = pl.col("person").is_in(self.named.implode())
        times = pl.when(alone).then(1).otherwise(self.times)
        placed = rows.with_columns(place=pl.int_ranges(0, times)).explode("place")
        name = pl.format(f"{{}}{MARK}{{}}", "person", "place")
        return placed.with_columns(
            person=pl.when(pl.col("place") > 0).then(name).otherwise("person")
        ).drop("place")


def draw_compared_people(
    event_index: EventIndex, *, named: pl.Series, span: timedelta, seed: int
) -> ComparedPeople:
    """So many residents that about ``MOST_MOMENTS`` are asked about in ``span``, drawn by pseudonym
    and ``seed``, and all of the ``named``; everybody in a district that has no more.
    """
    days = span / timedelta(days=1)
    residents = event_index.people["person"].count()
    times = ceil(residents * days * MOMENTS_A_DAY / MOST_MOMENTS)
    if times <= 1:
        return ComparedPeople()
    known = event_index.people.filter(pl.col("person").is_in(named.implode()))["code"]
    drawn = draw_share(event_index, 1 / times, seed=seed + OTHER_SEED)
    return ComparedPeople(times, np.union1d(drawn, known.cast(pl.Int64).to_numpy()), named.unique())


def without_stand_ins(alerts: pl.DataFrame) -> pl.DataFrame:
    """Alerts with the drawn ``person`` in the place of stand-ins: what chance did to one, it did to
    all of them.
    """
    return alerts.with_columns(pl.col("person").str.replace(f"{MARK}.*$", ""))
