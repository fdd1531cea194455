"""Who is alerted: a threshold that paces the day's budget, one alert a person in 72 hours, and again when money moves.

The policy decides tick by tick and never looks ahead. It is the same for a replay and for the running system; only
where its memory is kept differs.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

import polars as pl

__all__ = ["Candidate", "Decided", "Memory", "Rules", "carried", "decide", "level_of", "worth"]

Level = Literal["red", "orange", "yellow", "blue"]
LADDER: tuple[Level, ...] = ("blue", "yellow", "orange", "red")


@dataclass(frozen=True)
class Rules:
    """What a centre may set.

    ``budget`` is a day's on average. ``carry`` is how much of a day's budget may be saved on quiet days for a busy one,
    0 for none. ``stretch`` is how many times the budget the threshold lets through on an average day: a little above
    one, so that quiet days are used. ``saving_weight`` is how much the money at stake counts in the rank beside the
    probability: 0 not at all, 1 in full (then the rank is the expected saving); ``usual_cny`` at stake changes nothing.
    """

    budget: int = 20
    cool_down: timedelta = timedelta(hours=72)
    realert_after: timedelta = timedelta(hours=6)  # at least the span of ``Candidate.paid_cny``: only new money counts
    realert_cny: float = 1000.0
    memory_days: int = 7
    stretch: float = 1.1
    carry: float = 0.5
    levels: Mapping[str, float] = field(
        default_factory=lambda: {"red": 0.60, "orange": 0.30, "yellow": 0.10, "blue": 0.0}
    )
    urgent_cny: float = 1000.0
    saving_weight: float = 0.1
    usual_cny: float = 10_000.0


@dataclass(frozen=True)
class Candidate:
    """One person as scored at a moment: probability, the money paid to new payees within six hours, and at stake.

    ``stake_cny`` is what a warning would save were the person in an episode; None where nobody knows.
    """

    person: str
    score: float
    paid_cny: float = 0.0
    stake_cny: float | None = None

    def worth(self, *, rules: "Rules") -> float:
        """What people are ranked by: probability, times the money a warning would save to the power of the weight."""
        stake_cny = rules.usual_cny if self.stake_cny is None else max(self.stake_cny, 1.0)
        return self.score * float((stake_cny / rules.usual_cny) ** rules.saving_weight)

    @property
    def saving_cny(self) -> float | None:
        """The money that a warning is expected to save."""
        return None if self.stake_cny is None else self.score * self.stake_cny


@dataclass(frozen=True)
class Decided:
    """An alert to be issued; ``repeat`` where the person was alerted within the cool-down and money has moved since."""

    candidate: Candidate
    level: Level
    repeat: bool


@dataclass(frozen=True)
class Issued:
    """The last alert on a person."""

    at: datetime
    warned_at: datetime  # the alert that opened the cool-down


def carried(saved: int, *, used: Iterable[int], rules: Rules) -> int:
    """How many alerts are saved after days on which so many were ``used``, with ``saved`` before them."""
    for number in used:
        saved = max(0, min(saved + rules.budget - number, int(rules.carry * rules.budget)))
    return saved


@dataclass
class Memory:
    """What the policy remembers: last alerts, how much of today's budget is used, and the best ranks of past days."""

    issued: dict[str, Issued] = field(default_factory=dict)
    day: date | None = None
    used: int = 0
    saved: int = 0  # alerts that earlier days left over
    best_today: dict[str, float] = field(default_factory=dict)
    past: deque[Sequence[float]] = field(default_factory=deque)

    def turn_to(self, day: date, *, rules: Rules) -> None:
        """Begin a new day: file yesterday's best scores, one a person, and open the budget again."""
        if self.day is not None and day <= self.day:
            return
        if self.day is not None:
            self.past.append(sorted(self.best_today.values(), reverse=True)[: 10 * rules.budget])
            self.saved = carried(self.saved, used=[self.used] + [0] * ((day - self.day).days - 1), rules=rules)
        while len(self.past) > rules.memory_days:
            self.past.popleft()
        self.day, self.used, self.best_today = day, 0, {}

    def threshold(self, *, rules: Rules) -> float:
        """The worth that ``stretch`` times the budget of people reached on an average past day; 0 without a past."""
        if not self.past:
            return 0.0
        scores = sorted((score for day in self.past for score in day), reverse=True)
        place = int(rules.budget * rules.stretch * len(self.past))
        return scores[place] if place < len(scores) else 0.0


def worth(*, rules: Rules) -> pl.Expr:
    """:meth:`Candidate.worth` of rows with ``score`` and ``stake_cny``."""
    stake_cny = pl.col("stake_cny").fill_null(rules.usual_cny).clip(1.0)
    return pl.col("score") * (stake_cny / rules.usual_cny) ** rules.saving_weight


def decide(candidates: Iterable[Candidate], *, memory: Memory, at: datetime, rules: Rules) -> list[Decided]:
    """The alerts of one tick, best first; ``memory`` is brought up to date."""
    memory.turn_to(at.date(), rules=rules)
    threshold = memory.threshold(rules=rules)
    chosen: list[Decided] = []
    ranked = sorted(((one.worth(rules=rules), one) for one in candidates), key=lambda pair: (-pair[0], pair[1].person))
    for worth, candidate in ranked:
        last = memory.issued.get(candidate.person)
        cooling = last is not None and at - last.warned_at < rules.cool_down
        if not cooling:
            best = memory.best_today.get(candidate.person, 0.0)
            memory.best_today[candidate.person] = max(best, worth)
        if worth < threshold:
            continue
        if last is not None and cooling:
            if not moved_again(candidate, last, at=at, rules=rules):
                continue
            memory.issued[candidate.person] = Issued(at, last.warned_at)
        elif memory.used >= rules.budget + memory.saved:
            continue
        else:
            memory.used += 1
            memory.issued[candidate.person] = Issued(at, at)
        chosen.append(Decided(candidate, level_of(candidate, rules=rules), repeat=cooling))
    return chosen


def moved_again(candidate: Candidate, last: Issued, *, at: datetime, rules: Rules) -> bool:
    """Whether new money left for new payees since the last alert, enough and long enough after to say so again."""
    return at - last.at >= rules.realert_after and candidate.paid_cny >= rules.realert_cny


def level_of(candidate: Candidate, *, rules: Rules) -> Level:
    """The level by probability, one higher when money is moving to new payees right now."""
    reached = [level for level in LADDER if candidate.score >= rules.levels[level]]
    step = len(reached) - 1 if reached else 0
    if candidate.paid_cny >= rules.urgent_cny:
        step = min(step + 1, len(LADDER) - 1)
    return LADDER[step]
