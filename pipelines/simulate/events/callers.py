"""Numbers that reach many residents: couriers, riders, sales teams, public offices - and the lines
of fraud crews.

All of them are one kind of thing, a :class:`Rotation`: a line whose number is replaced after some
days, or never.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.simulate.events.columns import DAY_S, CallEvents, draw_lognormal
from pipelines.simulate.events.daytime import draw_seconds
from pipelines.simulate.mix.district_mix import Callers, Mix
from pipelines.simulate.people.numbering import Ints, draw_weighted
from pipelines.simulate.people.population import People

__all__ = ["Rotation", "draw_honest_lines", "draw_line_calls", "draw_rotation", "tag_numbers"]


@dataclass(frozen=True)
class Rotation:
    """What one line or purse shows to others in turn: ``keys[i]`` from second ``starts[i]`` on."""

    starts: Ints
    keys: Ints

    def at(self, second: float) -> int:
        """The number or account in use at a moment."""
        return int(self.keys[max(0, int(np.searchsorted(self.starts, second, side="right")) - 1)])

    @classmethod
    def fixed(cls, key: int) -> Rotation:
        """Always the same."""
        return cls(np.zeros(1, np.int64), np.array([key]))


def draw_rotation(
    rng: np.random.Generator, *, days: int, life_days: float, issue: Callable[[], int]
) -> Rotation:
    """A line over ``days`` whose keys last ``life_days`` on average (exponential); 0: one key
    throughout.
    """
    if life_days <= 0:
        return Rotation.fixed(issue())
    starts, now = [0], rng.exponential(life_days)
    while now < days:
        starts.append(int(now * DAY_S))
        now += max(0.3, rng.exponential(life_days))
    return Rotation(np.array(starts), np.array([issue() for _ in starts]))


def draw_honest_lines(
    rng: np.random.Generator, *, mix: Mix, people: People, days: int
) -> dict[str, list[Rotation]]:
    """The lines of every honest kind of caller that the mix names."""

    def line(kind: Callers) -> Rotation:
        shown = draw_weighted(rng, kind.kinds)
        return draw_rotation(
            rng,
            days=days,
            life_days=kind.life_days,
            issue=lambda: int(people.numbers.issue(shown)[0]),
        )

    return {
        name: [line(kind) for _ in range(_count_lines(kind, people))]
        for name, kind in mix.callers.items()
    }


def _count_lines(kind: Callers, people: People) -> int:
    return max(1, round(kind.per_10k * len(people) / 10_000))


def tag_numbers(
    rng: np.random.Generator, *, mix: Mix, people: People, lines: dict[str, list[Rotation]]
) -> pl.DataFrame:
    """The register of tagged numbers: most numbers have no tag, and short-lived ones never get one
    in time.
    """
    rows = [
        (people.numbers[int(key)], kind.tag)
        for name, kind in mix.callers.items()
        for line in lines[name]
        for key in line.keys
        if kind.tag is not None and rng.random() < kind.tagged_share
    ]
    return pl.DataFrame(rows, schema={"number": pl.String, "tag": pl.String}, orient="row")


def draw_line_calls(
    rng: np.random.Generator, *, kind: Callers, line: Rotation, people: People, days: int
) -> CallEvents:
    """Every call of one line to residents drawn at random: most are missed or hung up on, a few are
    talks.
    """
    rate = float(draw_lognormal(rng, kind.calls_per_day_median, kind.calls_per_day_sigma))
    rate *= min(
        1.0, kind.per_10k * len(people) / 10_000
    )  # less than one such line: a line that calls less
    count = int(rng.poisson(rate * days))
    at = rng.integers(0, days, count) * DAY_S + draw_seconds(rng, kind.clock, count)
    caller = line.keys[np.maximum(0, np.searchsorted(line.starts, at, side="right") - 1)]
    person = rng.integers(0, len(people), count)
    engaged = rng.random(count) < kind.engaged_share
    hang_up = draw_lognormal(rng, kind.hang_up_s_median, kind.hang_up_s_sigma, count)
    talk = draw_lognormal(rng, kind.engaged_s_median, kind.engaged_s_sigma, count)
    text = rng.random(count) < kind.text_share
    answered = (rng.random(count) < kind.answered_share) & ~text
    duration = np.where(answered, np.maximum(1, np.where(engaged, talk, hang_up)), 0).astype(
        np.int64
    )
    return CallEvents(
        caller, people.draw_number(rng, person), text, at, duration, np.zeros(count, bool)
    )
