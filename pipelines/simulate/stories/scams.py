"""Fraud: crews with their lines and mule accounts, the episodes of their victims, and what the
police hear of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipelines.simulate.events.callers import Rotation, draw_line_calls, draw_rotation
from pipelines.simulate.events.columns import DAY_S, CallEvents, Journal, draw_lognormal
from pipelines.simulate.events.daytime import draw_seconds, season_factor
from pipelines.simulate.mix.district_mix import Mix
from pipelines.simulate.mix.scripts import CallerKind, Reporting, ScamType
from pipelines.simulate.people.numbering import draw_weighted
from pipelines.simulate.people.population import People
from pipelines.simulate.stories.script import (
    Counterparty,
    ScriptRun,
    ScriptTrace,
    Stage,
    draw_number_kind,
    draw_people,
)

__all__ = ["ScamOperations", "TrueEpisode"]

_REPORT_TAIL_S = 60 * DAY_S


@dataclass(frozen=True)
class TrueEpisode:
    """One fraud against one person: what truly happened, and whether the police heard of it."""

    scam_type: str
    person: int
    number: int
    contact_at: int
    trace: ScriptTrace
    outcome: str  # contact | attempt | loss
    reported_at: int | None

    @property
    def loss_cents(self) -> int:
        """Everything paid to the other side."""
        return sum(cents for _, cents in self.trace.payments)

    @property
    def main_transfer_at(self) -> int | None:
        """The first payment of at least 30 % of the largest; None where nothing was paid."""
        largest = max((cents for _, cents in self.trace.payments), default=0)
        return next((at for at, cents in self.trace.payments if cents >= 0.3 * largest), None)


class ScamOperations:
    """All crews of a district over its days."""

    def __init__(
        self,
        mix: Mix,
        *,
        people: People,
        lenders: list[int],
        public_lines: list[Rotation],
        start: date,
        days: int,
        seed: int,
    ) -> None:
        self._mix, self._people, self._lenders, self._public_lines = (
            mix,
            people,
            lenders,
            public_lines,
        )
        self._start, self._days = start, days
        self._rng = np.random.default_rng([seed, 21])
        self._mules = [
            self._mule()
            for _ in range(max(6, round(mix.mules_per_10k * mix.intensity * len(people) / 10_000)))
        ]
        self._crews = {name: self._hire(scam) for name, scam in mix.scams.items()}

    def cold_calls(self) -> Iterator[CallEvents]:
        """The calls and texts of all crews that came to nothing, line by line: most people hang
        up.
        """
        crews = [crew for crews in self._crews.values() for crew in crews]
        reached = [(self._mix.cold_calls, line) for crew in crews for line in crew.lines]
        reached += [(self._mix.cold_texts, line) for crew in crews for line in crew.texts]
        for kind, line in reached:
            yield draw_line_calls(
                self._rng, kind=kind, line=line, people=self._people, days=self._days
            )

    def play_episodes(self, journal: Journal) -> list[TrueEpisode]:
        """Plays every episode into the journal; returns them in order of first contact."""
        rates: dict[Stage, float] = {
            "paid": self._mix.losses_per_1000_days,
            "attempt": self._mix.attempts_per_1000_days,
            "contact": self._mix.contacts_per_1000_days,
        }
        weight = sum(scam.weight for scam in self._mix.scams.values())
        exposure = len(self._people) * self._days / 1000 * self._mix.intensity
        found: list[TrueEpisode] = []
        for name, scam in self._mix.scams.items():
            for stage, rate in rates.items():
                count = int(self._rng.poisson(rate * exposure * scam.weight / weight))
                found += self._play(name, scam, stage, count, journal)
        return sorted(found, key=lambda j: (j.contact_at, j.person))

    def _mule(self) -> Rotation:
        accounts, merchant = (
            self._people.accounts,
            self._rng.random() < self._mix.mule_merchant_share,
        )
        issue = accounts.issue_merchants if merchant else accounts.issue
        return draw_rotation(
            self._rng,
            days=self._days,
            life_days=self._mix.mule_life_days,
            issue=lambda: int(issue(1)[0]),
        )

    def _hire(self, scam: ScamType) -> list[Counterparty]:
        mix, rng = self._mix, self._rng
        share = scam.weight / sum(s.weight for s in mix.scams.values())
        crews = max(
            1, round(mix.crews_per_10k * mix.intensity * share * len(self._people) / 10_000)
        )
        low, high = mix.lines_per_crew
        return [
            Counterparty(
                lines=[
                    self._line(draw_number_kind(rng, scam))
                    for _ in range(int(rng.integers(low, high + 1)))
                ],
                texts=[self._line(draw_weighted(rng, scam.opening.text_kinds)) for _ in range(2)],
                purses=self._draw_mules(),
                lenders=self._lenders,
            )
            for _ in range(crews)
        ]

    def _draw_mules(self) -> list[Rotation]:
        low, high = self._mix.mules_per_crew
        count = min(len(self._mules), int(self._rng.integers(low, high + 1)))
        return [self._mules[i] for i in self._rng.choice(len(self._mules), count, replace=False)]

    def _line(self, kind: CallerKind) -> Rotation:
        if kind in {"spoofed_public", "spoofed_contact"}:
            return self._borrowed(kind)
        numbers, life = self._people.numbers, self._mix.line_life_days
        return draw_rotation(
            self._rng, days=self._days, life_days=life, issue=lambda: int(numbers.issue(kind)[0])
        )

    def _borrowed(self, kind: CallerKind) -> Rotation:
        """A number that belongs to somebody honest: an office, or an acquaintance of somebody."""
        if kind == "spoofed_public" and self._public_lines:
            return self._public_lines[int(self._rng.integers(len(self._public_lines)))]
        return Rotation.fixed(int(self._rng.choice(self._people.contacts[:, :4].ravel())))

    def _play(
        self, name: str, scam: ScamType, stage: Stage, count: int, journal: Journal
    ) -> list[TrueEpisode]:
        rng = self._rng
        weights = season_factor(self._mix.seasons, self._start, self._days, scam_type=name)
        day = rng.choice(self._days, count, p=weights / weights.sum())
        contact_at = day * DAY_S + draw_seconds(rng, scam.clock, count)
        victims = draw_people(rng, script=scam, people=self._people, count=count, gullible=True)
        episodes: list[TrueEpisode] = []
        for person, at in zip(victims, contact_at.tolist(), strict=True):
            crew = self._crews[name][int(rng.integers(len(self._crews[name])))]
            story = ScriptRun(
                scam,
                person=person,
                other=crew,
                at=at,
                end=self._days * DAY_S,
                people=self._people,
                journal=journal,
                rng=rng,
            )
            trace = story.play(stage)
            trace.payments.sort()
            outcome = "loss" if trace.payments else "contact" if stage == "contact" else "attempt"
            reported_at = self._reported(scam.reporting, trace, outcome, at)
            episodes.append(
                TrueEpisode(name, person, story.own_number, at, trace, outcome, reported_at)
            )
        return episodes

    def _reported(
        self, reporting: Reporting, trace: ScriptTrace, outcome: str, contact_at: int
    ) -> int | None:
        rng = self._rng
        loss_cny = sum(cents for _, cents in trace.payments) / 100
        share = {"contact": 0.0, "attempt": reporting.attempt_share, "loss": reporting.loss_share}[
            outcome
        ]
        if outcome == "loss" and loss_cny < reporting.small_below_cny:
            share = reporting.small_share
        if rng.random() >= share:
            return None
        delay_s = (
            float(draw_lognormal(rng, reporting.delay_h_median, reporting.delay_h_sigma)) * 3600
        )
        last = max([contact_at, *trace.known_at])
        return last + int(np.clip(delay_s, 600, _REPORT_TAIL_S))
