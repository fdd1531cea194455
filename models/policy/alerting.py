"""Who is alerted: a threshold that paces the day's budget, one alert a person in 72 hours, and
again when money moves.

The policy decides tick by tick and never looks ahead. ``models.policy.policy_run`` brings it
forward; nothing else decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Literal

import polars as pl

__all__ = [
    "AlertDecision",
    "Candidate",
    "LastAlert",
    "Memory",
    "PolicyRules",
    "alert_level",
    "carry_over",
    "decide_alerts",
    "observe_candidates",
    "priority_expression",
]

Level = Literal["red", "orange", "yellow", "blue"]
LEVELS_ASCENDING: tuple[Level, ...] = ("blue", "yellow", "orange", "red")


@dataclass(frozen=True)
class PolicyRules:
    """What a centre may set.

    ``budget`` is a day's on average. ``text_budget`` is how many people a day, next in rank after
    those, a text could reach, which replays measure; 0: that is not asked. ``carry`` is
    how much of a day's budget may be saved on quiet days for a busy one, 0 for none. ``stretch`` is
    how many times the budget the threshold lets through on an average day: a little above one, so
    that quiet days are used. ``saving_weight`` is how much the money at stake counts in the rank
    beside the probability: 0 not at all, 1 in full (then the rank is the expected saving);
    ``reference_loss_cny`` at stake changes nothing.
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
    text_budget: int = 0


@dataclass(frozen=True)
class Candidate:
    """One person as scored at a moment: probability, place in the rank, the money paid to new
    payees within six hours, and at stake.

    ``priority`` is of :func:`priority_expression`. ``preventable_loss_cny`` is what a warning would
    save were the person in an episode; None where nobody knows.
    """

    person: str
    score: float
    priority: float
    paid_cny: float = 0.0
    preventable_loss_cny: float | None = None

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
    priorities of past days by day.
    """

    issued: dict[str, LastAlert] = field(default_factory=dict)
    day: date | None = None
    budget_open: bool = False  # from the first tick on that may alert; before, nothing is saved
    used: int = 0
    carried_over: int = 0  # alerts that earlier days left over
    best_priorities_today: dict[str, float] = field(default_factory=dict)
    past_priorities: dict[date, Sequence[float]] = field(default_factory=dict)

    def start_day(self, day: date, *, rules: PolicyRules) -> None:
        """Begin a day: keep yesterday's best priorities, one a person; the budget opens again."""
        if self.day is not None and day <= self.day:
            return
        if self.day is not None:
            self.past_priorities[self.day] = highest_priorities(
                self.best_priorities_today.values(), rules=rules
            )
            if self.budget_open:
                used = [self.used] + [0] * ((day - self.day).days - 1)
                self.carried_over = carry_over(self.carried_over, used=used, rules=rules)
        oldest = day - timedelta(days=rules.memory_days)
        self.past_priorities = {
            past: best for past, best in self.past_priorities.items() if past >= oldest
        }
        self.day, self.used, self.best_priorities_today = day, 0, {}

    def note_priority(self, candidate: Candidate) -> None:
        """Keep the best priority of the day of a person."""
        best = self.best_priorities_today.get(candidate.person, 0.0)
        self.best_priorities_today[candidate.person] = max(best, candidate.priority)

    def threshold(self, *, rules: PolicyRules) -> float:
        """The priority that ``stretch`` times the budget of people reached on an average past day;
        0 without a past.
        """
        if not self.past_priorities:
            return 0.0
        ordered = sorted(chain.from_iterable(self.past_priorities.values()), reverse=True)
        place = int(rules.budget * rules.stretch * len(self.past_priorities))
        return ordered[place] if place < len(ordered) else 0.0


def highest_priorities(priorities: Iterable[float], *, rules: PolicyRules) -> list[float]:
    """What is remembered of a day: more than any threshold can ask for, best first."""
    return sorted(priorities, reverse=True)[: 10 * rules.budget]


def priority_expression(*, rules: PolicyRules) -> pl.Expr:
    """What people are ranked by, of rows with ``score`` and ``preventable_loss_cny``: probability,
    times the money a warning would save to the power of the weight.
    """
    preventable_loss_cny = (
        pl.col("preventable_loss_cny").fill_null(rules.reference_loss_cny).clip(1.0)
    )
    # Not a division: of a frame of one row Polars rounds that otherwise than of a longer one, and a
    # priority is compared with thresholds that were computed among other rows.
    times_usual = preventable_loss_cny * (1 / rules.reference_loss_cny)
    return pl.col("score") * times_usual**rules.saving_weight


def observe_candidates(
    candidates: Iterable[Candidate], *, memory: Memory, at: datetime, rules: PolicyRules
) -> None:
    """Learn from one tick which priorities are ordinary; nobody is alerted."""
    memory.start_day(at.date(), rules=rules)
    for candidate in candidates:
        memory.note_priority(candidate)


def decide_alerts(
    candidates: Iterable[Candidate], *, memory: Memory, at: datetime, rules: PolicyRules
) -> list[AlertDecision]:
    """The alerts of one tick, best first; ``memory`` is brought up to date."""
    memory.start_day(at.date(), rules=rules)
    memory.budget_open = True
    threshold = memory.threshold(rules=rules)
    decisions: list[AlertDecision] = []
    for candidate in sorted(candidates, key=lambda one: (-one.priority, one.person)):
        last = memory.issued.get(candidate.person)
        in_cool_down = last is not None and at - last.warned_at < rules.cool_down
        if not in_cool_down:
            memory.note_priority(candidate)
        if candidate.priority < threshold:
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
