"""What residents are like: age, means, habits; everything else about them is drawn from these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from pipelines.simulate.mix.district_mix import Population
from pipelines.simulate.people.numbering import Flags, Floats, Ints

__all__ = ["Traits", "draw_traits"]


@dataclass(frozen=True)
class Traits:
    """What residents are like: columns of shape (people,)."""

    age: Ints
    male: Flags
    births: npt.NDArray[np.datetime64]
    floating: Flags
    grid: Ints
    wealth: Floats  # 1 is the middle
    gullible: Floats  # mean 1, few have much of it
    sociable: Floats  # factor on calls, mean about 1
    trade: Flags  # work brings strangers


def draw_traits(rng: np.random.Generator, who: Population, *, people: int, start: date) -> Traits:
    """Draw what ``people`` residents are like on ``start``."""
    age = np.clip(rng.normal(who.age_mean, who.age_sd, people), *who.age_range).astype(np.int64)
    since_birth = (age * 365.2425 + rng.uniform(1, 364, people)).astype("timedelta64[D]")
    trade = (rng.random(people) < who.trade_share) & (age < 65)
    by_age = np.interp(age, [16, 30, 60, 92], [0.8, 1.15, 1, 0.6])
    return Traits(
        age=age,
        male=rng.random(people) < 0.51,
        births=np.datetime64(start, "D") - since_birth,
        floating=rng.random(people) < who.floating_share,
        grid=rng.integers(0, max(1, round(people / who.people_per_grid)), people),
        wealth=np.exp(rng.normal(0, 0.55, people))
        * np.interp(age, [16, 24, 45, 60, 92], [0.35, 0.7, 1.2, 1.1, 0.7]),
        gullible=rng.gamma(0.7, 1 / 0.7, people),
        sociable=rng.gamma(2.2, 1 / 2.2, people) * np.where(trade, 2.2, 1) * by_age,
        trade=trade,
    )
