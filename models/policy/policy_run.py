"""The policy brought forward tick by tick over scored rows: nowhere else are alerts decided.

A comparison of models, a replay, experiments, the curve of budgets and the running system each hold
one :class:`PolicyRun`. So what is measured is what runs.

A text costs nothing, a visit an hour. With a ``text_budget`` a run also finds whom texts would
reach, those next in rank after the ones who are alerted: the same policy is asked a second time,
under both budgets together. That is measured in replays; nobody is texted for it.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from models.policy.alerting import (
    AlertDecision,
    LastAlert,
    Level,
    Memory,
    PolicyRules,
    carry_over,
    decide_alerts,
    highest_priorities,
    observe_candidates,
    priority_expression,
)
from models.policy.shortlist import (
    count_candidates,
    group_by_tick,
    keep_candidates,
    select_candidates,
)

__all__ = ["ISSUED_SCHEMA", "PolicyRun", "restore_run"]

BY_TEXT: Level = "blue"  # the level whose way to reach somebody is a text

ISSUED_SCHEMA = pl.Schema(
    {
        "person": pl.String(),
        "issued_at": pl.Datetime("us", "Asia/Shanghai"),
        "score": pl.Float64(),
        "level": pl.String(),
        "repeat": pl.Boolean(),
    }
)


@dataclass(eq=False)
class PolicyRun:
    """The policy under ``rules`` on its way, over the scores of one ``column``.

    Before ``start`` it only observes which priorities are ordinary: it issues nothing, uses no
    budget and opens no cool-down, and at ``start`` no budget is carried over. ``reach`` is the
    memory of the policy under both budgets.
    """

    rules: PolicyRules
    start: datetime
    column: str = "score"
    memory: Memory = field(default_factory=Memory)
    reach: Memory = field(default_factory=Memory)
    _issued: list[tuple[str, datetime, float, str, bool]] = field(default_factory=list)
    _texts: list[tuple[str, datetime, float, str, bool]] = field(default_factory=list)

    def decide_tick(self, rows: pl.DataFrame, *, at: datetime) -> list[AlertDecision]:
        """The alerts of one tick, best first; ``rows`` are one a person, with the column of scores
        and ``models.policy.shortlist.POLICY_COLUMNS``.
        """
        candidates = select_candidates(rows, column=self.column, rules=self.rules)
        if at < self.start:
            observe_candidates(candidates, memory=self.memory, at=at, rules=self.rules)
            if self.rules.text_budget:
                rules = reach_rules(self.rules)
                likely = select_candidates(rows, column=self.column, rules=rules)
                observe_candidates(likely, memory=self.reach, at=at, rules=rules)
            return []
        decided = decide_alerts(candidates, memory=self.memory, at=at, rules=self.rules)
        self._issued += [
            (one.candidate.person, at, one.candidate.score, one.level, one.repeat)
            for one in decided
        ]
        if self.rules.text_budget:
            self._note_texts(rows, decided, at=at)
        return decided

    def _note_texts(
        self, rows: pl.DataFrame, decided: Sequence[AlertDecision], *, at: datetime
    ) -> None:
        """Who is reached under both budgets together and was not ``decided`` on already."""
        rules = reach_rules(self.rules)
        candidates = select_candidates(rows, column=self.column, rules=rules)
        reached = decide_alerts(candidates, memory=self.reach, at=at, rules=rules)
        in_reach = {one.candidate.person for one in reached}
        called = {one.candidate.person for one in decided}
        # Who is called or visited uses up the common budget too, and rests from texts as well.
        for one in decided:
            if not one.repeat and one.candidate.person not in in_reach:
                self.reach.used += 1
                self.reach.issued[one.candidate.person] = LastAlert(at, at)
        self._texts += [
            (one.candidate.person, at, one.candidate.score, BY_TEXT, False)
            for one in reached
            if one.candidate.person not in called
        ]

    def decide_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The alerted ones among the ``rows`` of one or more ticks (``at``), in order of tick and
        rank, with ``alert_score``, ``level`` and ``repeat``.
        """
        alerted = [
            decisions_frame(decided).join(group, on="person", maintain_order="left")
            for tick, group in group_by_tick(rows)
            if (decided := self.decide_tick(group, at=tick))
        ]
        return pl.concat(alerted) if alerted else decisions_frame([]).join(rows, on="person")

    @property
    def issued(self) -> pl.DataFrame:
        """All alerts so far in the order of issue: ``person``, ``issued_at``, ``score``, ``level``
        and ``repeat``.
        """
        return pl.DataFrame(self._issued, schema=ISSUED_SCHEMA, orient="row")

    @property
    def first_alerts(self) -> pl.DataFrame:
        """Those of ``issued`` that repeat nothing: what is measured."""
        return self.issued.filter(~pl.col("repeat"))

    @property
    def texts(self) -> pl.DataFrame:
        """Whom a text would have reached besides, in the columns of ``issued``."""
        return pl.DataFrame(self._texts, schema=ISSUED_SCHEMA, orient="row")


def reach_rules(rules: PolicyRules) -> PolicyRules:
    """The rules under both budgets together.

    They rank by probability alone: what is at stake is estimated for the likeliest few, and of the
    rest nobody knows it. Nobody is texted again because money moved: that is for whoever calls.
    """
    return replace(
        rules,
        budget=rules.budget + rules.text_budget,
        text_budget=0,
        saving_weight=0.0,
        realert_cny=math.inf,
    )


def decisions_frame(decided: list[AlertDecision]) -> pl.DataFrame:
    """Decisions as rows: ``person``, ``alert_score``, ``level``, ``repeat``."""
    return pl.DataFrame(
        [(one.candidate.person, one.candidate.score, one.level, one.repeat) for one in decided],
        schema={
            "person": pl.String,
            "alert_score": pl.Float64,
            "level": pl.String,
            "repeat": pl.Boolean,
        },
        orient="row",
    )


def restore_run(
    rows: pl.DataFrame,
    issued: pl.DataFrame,
    *,
    run_times: Collection[datetime],
    start: datetime,
    at: datetime,
    rules: PolicyRules,
) -> PolicyRun:
    """The run that began at ``start`` as it stands before its tick ``at``, from what was kept.

    ``rows`` (``person``, ``at``, ``score``, ``preventable_loss_cny``) are what was scored at the
    ``run_times`` of ``at``'s day and the ``rules.memory_days`` before; of each tick at least the
    candidates. ``issued`` (``person``, ``issued_at``, ``repeat``) are all alerts since ``start``,
    or since long enough ago for what is saved of the budget and for the cool-downs of ``rows``.
    """
    memory = Memory(day=at.date(), budget_open=start < at)
    first = issued.filter(~pl.col("repeat")).sort("issued_at")
    last = issued.group_by("person").agg(
        last_at=pl.col("issued_at").max(),
        warned_at=pl.col("issued_at").filter(~pl.col("repeat")).max(),
    )
    for person, last_at, warned_at in last.drop_nulls().iter_rows():
        memory.issued[person] = LastAlert(last_at, warned_at)
    used = dict(first.group_by(pl.col("issued_at").dt.date()).len().iter_rows())
    memory.used = used.get(at.date(), 0)
    past = [start.date() + timedelta(days=day) for day in range((at.date() - start.date()).days)]
    memory.carried_over = carry_over(0, used=[used.get(day, 0) for day in past], rules=rules)
    best = best_priorities(rows, first, rules=rules)
    memory.past_priorities = {
        day: highest_priorities(best.filter(day=day)["priority"], rules=rules)
        for day in sorted({run.date() for run in run_times} - {at.date()})
        if day >= at.date() - timedelta(days=rules.memory_days)
    }
    today = best.filter(day=at.date())
    memory.best_priorities_today = dict(today.select("person", "priority").iter_rows())
    return PolicyRun(rules, start, memory=memory)


def best_priorities(
    rows: pl.DataFrame, first_alerts: pl.DataFrame, *, rules: PolicyRules
) -> pl.DataFrame:
    """``day``, ``person``, ``priority``: the best of each person on each day, at the ticks at which
    no alert on the person was in its cool-down.
    """
    candidates = keep_candidates(rows, column="score", most=count_candidates(rules)).sort("at")
    warned = first_alerts.select("person", warned_at="issued_at", at="issued_at").sort("at")
    # An alert of the same tick does not count: people are noted before they are alerted.
    timed = candidates.join_asof(
        warned,
        on="at",
        by="person",
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,  # both are sorted above; within groups it cannot be checked
    )
    free = (pl.col("at") - pl.col("warned_at") >= rules.cool_down).fill_null(value=True)
    return (
        timed.filter(free)
        .group_by("person", day=pl.col("at").dt.date())
        .agg(priority=priority_expression(rules=rules).max())
    )
