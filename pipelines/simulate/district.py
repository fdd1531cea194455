"""Simulates a whole district into a landing folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from data_contracts.errors import SettingsError
from pipelines.simulate.delivery import LandingWriter, cut_when_busy
from pipelines.simulate.events.callers import draw_honest_lines, draw_line_calls, tag_numbers
from pipelines.simulate.events.columns import CallEvents, Journal, PaymentEvents
from pipelines.simulate.events.daily_life import DailyLife
from pipelines.simulate.events.day_store import DayStore
from pipelines.simulate.mix.district_mix import Mix
from pipelines.simulate.people.population import People, generate_population
from pipelines.simulate.stories.lookalikes import play_lookalikes
from pipelines.simulate.stories.scams import ScamOperations, TrueEpisode
from pipelines.simulate.truth_and_cases import build_truth, draw_cases

__all__ = ["DayProgress", "SimulationReport", "simulate"]

DayProgress = Callable[[int, int], None]  # days written, days in all


@dataclass(frozen=True)
class SimulationReport:
    """What was written, for people to read."""

    out: Path
    people: int
    days: int
    seed: int
    files: int
    calls: int
    transfers: int
    cases: int
    outcomes: dict[str, int]  # episodes by outcome
    lookalikes: int  # honest stories


def simulate(
    out: Path,
    *,
    people: int,
    days: int,
    seed: int,
    start: date = date(2026, 6, 1),
    mix: Mix | None = None,
    progress: DayProgress | None = None,
) -> SimulationReport:
    """Writes a district of ``people`` residents over ``days`` days as a landing folder with its
    truth.

    The same arguments write the same bytes. Raises :class:`SettingsError` when the folder already
    holds something or the district is too small to live in.
    """
    _check(out, people=people, days=days)
    mix = mix or Mix()
    residents = generate_population(mix, people=people, start=start, seed=seed)
    landing = LandingWriter(out, people=residents, start=start, outages=mix.outages, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    calls = transfers = 0
    with TemporaryDirectory(dir=out) as ahead:
        scripted = _play_scripts(
            mix, residents, start=start, days=days, seed=seed, folder=Path(ahead)
        )
        landing.write_registers(scripted.registers)
        life = DailyLife.of(mix, people=residents, start=start, days=days, seed=seed)
        residents.shelve_identifiers()
        for day in range(days):
            events = CallEvents.join([life.calls(day), scripted.calls.take(day)])
            calls += landing.write_calls(
                day, cut_when_busy(events, subscribers=len(residents.number_source))
            )
            transfers += landing.write_transfers(
                day, PaymentEvents.join([life.payments(day), scripted.payments.take(day)])
            )
            residents.forget_identifiers()
            if progress is not None:
                progress(day + 1, days)
    return SimulationReport(
        out=out,
        people=people,
        days=days,
        seed=seed,
        files=landing.files,
        calls=calls,
        transfers=transfers,
        cases=len(scripted.registers["cases"]),
        outcomes=dict(Counter(j.outcome for j in scripted.episodes)),
        lookalikes=scripted.lookalikes,
    )


def _check(out: Path, *, people: int, days: int) -> None:
    if people < 100 or days < 1:
        raise SettingsError("A district needs at least 100 people and 1 day.")
    if out.exists() and any(out.iterdir()):
        raise SettingsError(f"{out} is not empty.", remedy="Give a folder that does not exist yet.")


@dataclass(frozen=True)
class _ScriptedEvents:
    """Everything that is not daily life, by day, and the registers."""

    calls: DayStore[CallEvents]
    payments: DayStore[PaymentEvents]
    episodes: list[TrueEpisode]
    lookalikes: int
    registers: dict[str, pl.DataFrame]


def _play_scripts(
    mix: Mix, people: People, *, start: date, days: int, seed: int, folder: Path
) -> _ScriptedEvents:
    rng = np.random.default_rng([seed, 20])
    lines = draw_honest_lines(rng, mix=mix, people=people, days=days)
    lenders = people.accounts.issue(max(8, len(people) // 400)).tolist()
    calls = DayStore(folder / "calls", CallEvents, days=days)
    payments = DayStore(folder / "payments", PaymentEvents, days=days)

    def empty(journal: Journal) -> None:
        calls.add(journal.calls())
        payments.add(journal.payments())
        journal.clear()
        people.shelve_identifiers()

    journal = Journal(np.random.default_rng([seed, 23]), full=empty)
    lookalikes = play_lookalikes(
        mix, people=people, lines=lines, lenders=lenders, days=days, seed=seed, journal=journal
    )
    operations = ScamOperations(
        mix,
        people=people,
        lenders=lenders,
        public_lines=lines.get("public", []),
        start=start,
        days=days,
        seed=seed,
    )
    episodes = operations.play_episodes(journal)
    empty(journal)
    for cold in operations.cold_calls():
        calls.add(cold)
    for name in lines:
        for line in lines[name]:
            calls.add(
                draw_line_calls(rng, kind=mix.callers[name], line=line, people=people, days=days)
            )
    return _ScriptedEvents(
        calls=calls,
        payments=payments,
        episodes=episodes,
        lookalikes=lookalikes,
        registers={
            **people.registers,
            "number_tags": tag_numbers(rng, mix=mix, people=people, lines=lines),
            "cases": draw_cases(
                episodes, mix=mix, people=people, start=start, days=days, seed=seed
            ),
            "truth": build_truth(episodes, people=people, start=start),
        },
    )
