"""When things happen: the hours of a day and the days of the year."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from pipelines.simulate.events.columns import DAY_S
from pipelines.simulate.mix.district_mix import Season
from pipelines.simulate.people.numbering import Floats, Ints

__all__ = ["draw_seconds", "move_to_waking_hours", "season_factor"]

# Weights of the 24 hours.
_HOURS: dict[str, tuple[float, ...]] = {
    "day": (
        0.1,
        0,
        0,
        0,
        0.2,
        0.6,
        2,
        4,
        6,
        7,
        7,
        7,
        6.5,
        6,
        6,
        5.5,
        5.5,
        6.5,
        7.5,
        7,
        5.5,
        3.5,
        1.5,
        0.5,
    ),
    "office": (
        0,
        0,
        0,
        0,
        0,
        0,
        0.1,
        0.6,
        5,
        9,
        10,
        8,
        3,
        4,
        8,
        9,
        8,
        5,
        2.5,
        1.5,
        0.8,
        0.3,
        0.1,
        0,
    ),
    "evening": (
        0.8,
        0.3,
        0.1,
        0,
        0,
        0.1,
        0.3,
        1,
        2,
        3,
        3.5,
        4,
        4.5,
        4,
        3.5,
        3.5,
        4,
        5,
        7,
        9,
        10,
        9,
        5,
        2,
    ),
    "shops": (
        0.3,
        0.1,
        0.1,
        0,
        0.1,
        0.5,
        2,
        5,
        6,
        6,
        6,
        8,
        9,
        6,
        5,
        5,
        5.5,
        7,
        8.5,
        7.5,
        6,
        4,
        2,
        0.8,
    ),
    "anytime": (
        0.7,
        0.3,
        0.2,
        0.1,
        0.1,
        0.4,
        1.2,
        3,
        5,
        7,
        7,
        6.5,
        6,
        6,
        6.5,
        6.5,
        6,
        6,
        6,
        6.5,
        6.5,
        5,
        3,
        1.5,
    ),
}
_EDGES = {name: np.concatenate([[0.0], np.cumsum(w)]) / np.sum(w) for name, w in _HOURS.items()}


def draw_seconds(rng: np.random.Generator, clock: str, count: int) -> Ints:
    """Seconds since midnight, shape (count,), by the hours of the named clock."""
    hours = np.interp(rng.random(count), _EDGES[clock], np.arange(25.0))
    seconds: Ints = np.minimum(DAY_S - 1, hours * 3600).astype(np.int64)
    return seconds


def move_to_waking_hours(rng: np.random.Generator, at: float) -> float:
    """``at``, or, when that is in the small hours, some time on the morning after."""
    second = at % DAY_S
    return at if second >= 6.5 * 3600 else at - second + rng.uniform(7.5, 11.5) * 3600


def season_factor(
    seasons: tuple[Season, ...], start: date, days: int, *, scam_type: str | None = None
) -> Floats:
    """A factor for each day, shape (days,): of spending, or of the named scam type."""
    factors = np.ones(days)
    for i in range(days):
        today = (start + timedelta(days=i)).strftime("%m-%d")
        for season in seasons:
            if season.first <= today <= season.last:
                factors[i] *= (
                    season.spending if scam_type is None else season.scams.get(scam_type, 1.0)
                )
    return factors
