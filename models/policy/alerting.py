"""Who is alerted: a threshold that paces the day's budget, one alert a person in 72 hours, and
again when money moves.

The policy decides tick by tick and never looks ahead. It is the same for a replay and for the
running system; only where its memory is kept differs.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

import polars as pl

__all__ = [
    "AlertDecision",
    "Candidate",
    "Memory",
    "PolicyRules",
    "alert_level",
    "carry_over",
    "decide_alerts",
    "priority_expression",
]

Level = Literal["red", "orange", "yellow", "blue"]
LEVELS_ASCENDING: tuple[Level, ...] = ("blue", "yellow", "orange", "red")


@dataclass(frozen=True)
class PolicyRules:
    """What a centre may set.

    ``budget`` is a day's on average. ``carry`` is how much of a day's budget may be saved on quiet
    days for a busy one, 0 for none. ``stretch`` is how many times the budget the threshold lets
    through on an average day: a little above one, so that quiet days are used. ``saving_weight`` is
    how much the money at stake counts in the rank beside the probability: 0 not at all, 1 in full
    (then the rank is the expected saving); ``reference_loss_cny`` at stake changes nothing.
    """

    budget: int = 20
    cool_down: timedelta = timedelta(hours=72)
    realert_after: timedelta = timedelta(
        hours=6
    )  # at least the span of ``Candidate.paid_cny``: only new money counts
    realert_cny: float = 1000.0
    memory_days: int = 7
    stretch: float = 1.1
    carry: float = 0.5
    levels: Mapping[str, float] = field(
        default_factory=lambda: {"red": 0.60, "orange": 0.30, "yellow": 0.10, "blue": 0.0}
    )
    urgent_cny: float = 1000.0
    saving_weight: float = 0.1
    reference_loss_cny: float = 10_000.0


@dataclass(frozen=True)
class Candidate:
    """One person as scored at a moment: probability, the money paid to new payees within six hours,
    and at stake.

    ``preventable_loss_cny`` is what a warning would save were the person in an episode; None where
    nobody knows.
    """

    person: str
    score: float
    paid_cny: float = 0.0
    preventable_loss_cny: float | None = None

    def priority(self, *, rules: "PolicyRules") -> float:
        """What people are ranked by: probability, times the money a warning would save to the power
        of the weight.
        """
        preventable_loss_cny = (
            rules.reference_loss_cny
            if self.preventable_loss_cny is None
            else max(self.preventable_loss_cny, 1.0)
        )
        return self.score * float(
            (preventable_loss_cny / rules.reference_loss_cny) ** rules.saving_weight
        )

    @property
    def saving_cny(self) -> float | None:
        """The money that a warning is expected to save."""
        return None if self.preventable_loss_cny is None else self.score * self.preventable_loss_cny


@dataclass(frozen=True)
class AlertDecision:
    """An alert to be issued; ``repeat`` where the person was alerted within the cool-down and money
    has moved since.
    """

    candidate: Candidate
    level: Level
    repeat: bool


@dataclass(frozen=True)
class LastAlert:
    """The last alert on a person."""

    at: datetime
    warned_at: datetime  # the alert that opened the cool-down


def carry_over(saved: int, *, used: Iterable[int], rules: PolicyRules) -> int:
    """How many alerts are saved after days on which so many were ``used``, with ``saved`` before
    them.
    """
    for number in used:
        saved = max(0, min(saved + rules.budget - number, int(rules.carry * rules.budget)))
    return saved


@dataclass
class Memory:
    """What the policy remembers: last alerts, how much of today's budget is used, and the best
    ranks of past days.
    """

    issued: dict[str, LastAlert] = field(default_factory=dict)
    day: date | None = None
    used: int = 0
    carried_over: int = 0  # alerts that earlier days left over
    best_priorities_today: dict[str, float] = field(default_factory=dict)
    past_priorities: deque[Sequence[float]] = field(default_factory=deque)

    def start_day(self, day: date, *, rules: PolicyRules) -> None:
        """Begin a day: keep yesterday's best scores, one a person, and open the budget again."""
        if self.day is not None and day <= self.day:
            return
        if self.day is not None:
            self.past_priorities.append(
                sorted(self.best_priorities_today.values(), reverse=True)[: 10 * rules.budget]
            )
            self.carried_over = carry_over(
                self.carried_over, used=[self.used] + [0] * ((day - self.day).days - 1), rules=rules
            )
        while len(self.past_priorities) > rules.memory_days:
            self.past_priorities.popleft()
        self.day, self.used, self.best_priorities_today = day, 0, {}

    def threshold(self, *, rules: PolicyRules) -> float:
        """The priority that ``stretch`` times the budget of people reached on an average past day;
        0 without a past.
        """
        if not self.past_priorities:
            return 0.0
        scores = sorted((score for day in self.past_priorities for score in day), reverse=True)
        place = int(rules.budget * rules.stretch * len(self.past_priorities))
        return scores[place] if place < len(scores) else 0.0


def priority_expression(*, rules: PolicyRules) -> pl.Expr:
    """:meth:`Candidate.priority` of rows with ``score`` and ``preventable_loss_cny``."""
    preventable_loss_cny = (
        pl.col("preventable_loss_cny").fill_null(rules.reference_loss_cny).clip(1.0)
    )
    return (
        pl.col("score") * (preventable_loss_cny / rules.reference_loss_cny) ** rules.saving_weight
    )


def decide_alerts(
    candidates: Iterable[Candidate], *, memory: Memory, at: datetime, rules: PolicyRules
) -> list[AlertDecision]:
    """The alerts of one tick, best first; ``memory`` is brought up to date."""
    memory.start_day(at.date(), rules=rules)
    threshold = memory.threshold(rules=rules)
    decisions: list[AlertDecision] = []
    ranked = sorted(
        ((one.priority(rules=rules), one) for one in candidates),
        key=lambda pair: (-pair[0], pair[1].person),
    )
    for priority, candidate in ranked:
        last = memory.issued.get(candidate.person)
        in_cool_down = last is not None and at - last.warned_at < rules.cool_down
        if not in_cool_down:
            best = memory.best_priorities_today.get(candidate.person, 0.0)
            memory.best_priorities_today[candidate.person] = max(best, priority)
        if priority < threshold:
            continue
        if last is not None and in_cool_down:
            if not has_new_payments(candidate, last, at=at, rules=rules):
                continue
            memory.issued[candidate.person] = LastAlert(at, last.warned_at)
        elif memory.used >= rules.budget + memory.carried_over:
            continue
        else:
            memory.used += 1
            memory.issued[candidate.person] = LastAlert(at, at)
        decisions.append(
            AlertDecision(candidate, alert_level(candidate, rules=rules), repeat=in_cool_down)
        )
    return decisions


def has_new_payments(
    candidate: Candidate, last: LastAlert, *, at: datetime, rules: PolicyRules
) -> bool:
    """Whether new money left for new payees since the last alert, enough and long enough after to
    say so again.
    """
    return at - last.at >= rules.realert_after and candidate.paid_cny >= rules.realert_cny


def alert_level(candidate: Candidate, *, rules: PolicyRules) -> Level:
    """The level by probability, one higher when money is moving to new payees right now."""
    reached = [level for level in LEVELS_ASCENDING if candidate.score >= rules.levels[level]]
    step = len(reached) - 1 if reached else 0
    if candidate.paid_cny >= rules.urgent_cny:
        step = min(step + 1, len(LEVELS_ASCENDING) - 1)
    return LEVELS_ASCENDING[step]
