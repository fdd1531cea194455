"""Honest stories that resemble fraud: moving house, buying a car, a loan for real, a long talk with
an old friend.
"""

from __future__ import annotations

import numpy as np

from pipelines.simulate.events.callers import Rotation
from pipelines.simulate.events.columns import DAY_S, Journal
from pipelines.simulate.events.daytime import draw_seconds
from pipelines.simulate.mix.district_mix import Mix
from pipelines.simulate.mix.scripts import Lookalike
from pipelines.simulate.people.numbering import draw_weighted
from pipelines.simulate.people.population import People
from pipelines.simulate.stories.script import Counterparty, ScriptRun, draw_number_kind, draw_people

__all__ = ["play_lookalikes"]

# Kinds of callers (of the mix) whose lines an honest story may use when its number is shared.
_SHARED_LINES = ("campaign", "telemarketing", "collector", "public")
_SHARED_PAYEES_PER_10K = (
    8  # of each kind of story: schools, dealers, hospitals, landlords with many flats
)


def play_lookalikes(
    mix: Mix,
    *,
    people: People,
    lines: dict[str, list[Rotation]],
    lenders: list[int],
    days: int,
    seed: int,
    journal: Journal,
) -> int:
    """Plays every honest story into the journal; returns how many there were."""
    rng = np.random.default_rng([seed, 22])
    known = [line for name in _SHARED_LINES for line in lines.get(name, [])]
    kinds = mix.lookalikes.values()
    return sum(
        _play_kind(
            look, people=people, known=known, lenders=lenders, days=days, rng=rng, journal=journal
        )
        for look in kinds
    )


def _play_kind(
    look: Lookalike,
    *,
    people: People,
    known: list[Rotation],
    lenders: list[int],
    days: int,
    rng: np.random.Generator,
    journal: Journal,
) -> int:
    count = int(rng.poisson(look.per_1000_days * days * _count_exposed(look, people) / 1000))
    if look.trade_only:
        who = [int(p) for p in rng.choice(np.flatnonzero(people.trade), count)] if count else []
    else:
        who = draw_people(rng, script=look, people=people, count=count, gullible=False)
    shared = people.accounts.issue(max(2, round(_SHARED_PAYEES_PER_10K * len(people) / 10_000)))
    begins = rng.integers(0, days, count) * DAY_S + draw_seconds(rng, look.clock, count)
    for person, at in zip(who, begins.tolist(), strict=True):
        other = _draw_counterparty(
            look, people=people, known=known, shared=shared.tolist(), lenders=lenders, rng=rng
        )
        ScriptRun(
            look,
            person=person,
            other=other,
            at=at,
            end=days * DAY_S,
            people=people,
            journal=journal,
            rng=rng,
        ).play("paid")
    return count


def _count_exposed(look: Lookalike, people: People) -> int:
    return int(people.trade.sum()) if look.trade_only else len(people)


def _draw_counterparty(
    look: Lookalike,
    *,
    people: People,
    known: list[Rotation],
    shared: list[int],
    lenders: list[int],
    rng: np.random.Generator,
) -> Counterparty:
    """The other side of one story: a person of its own, or somebody whom others meet as well."""

    def line() -> Rotation:
        if known and rng.random() < look.shared_number_share:
            return known[int(rng.integers(len(known)))]
        return Rotation.fixed(int(people.numbers.issue(draw_number_kind(rng, look))[0]))

    def purse() -> Rotation:
        if rng.random() < look.merchant_share:
            return Rotation.fixed(int(people.accounts.issue_merchants(1)[0]))
        if rng.random() < look.shared_account_share:
            return Rotation.fixed(shared[int(rng.integers(len(shared)))])
        return Rotation.fixed(int(people.accounts.issue(1)[0]))

    callers = int(rng.integers(look.talks.callers[0], look.talks.callers[1] + 1))
    return Counterparty(
        lines=[line() for _ in range(callers)],
        texts=[
            Rotation.fixed(
                int(people.numbers.issue(draw_weighted(rng, look.opening.text_kinds))[0])
            )
        ],
        purses=[purse() for _ in range(int(rng.integers(1, 4)))],
        lenders=lenders,
    )
