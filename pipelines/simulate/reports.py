"""What is written about the journeys: the truth, and the cases the police had by the last day."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from pipelines.simulate.delivery import ZONE, to_times, to_yuan
from pipelines.simulate.events.columns import DAY_S
from pipelines.simulate.mix import Mix
from pipelines.simulate.people.population import People
from pipelines.simulate.stories.scams import Journey

__all__ = ["draw_cases", "truth_of"]


def truth_of(journeys: list[Journey], *, people: People, start: date) -> pl.DataFrame:
    """Every journey, reported or not, one row each; times are naive Shanghai wall time."""
    numbers, accounts = people.numbers.texts, people.accounts.texts
    firsts = [min(j.played.known_at, default=None) for j in journeys]
    return pl.DataFrame(
        {
            "journey": pl.Series(range(len(journeys)), dtype=pl.Int64),
            "scam_type": pl.Series([j.scam_type for j in journeys], dtype=pl.String),
            "first_trace_at": to_times(start, firsts),
            "traces": pl.Series([len(j.played.known_at) for j in journeys], dtype=pl.Int64),
            "contact_at": to_times(start, [j.contact_at for j in journeys]),
            "first_transfer_at": to_times(start, [_first(j) for j in journeys]),
            "main_transfer_at": to_times(start, [j.main_transfer_at for j in journeys]),
            "last_transfer_at": to_times(start, [_last(j) for j in journeys]),
            "loss": pl.Series([j.loss_cents / 100 for j in journeys], dtype=pl.Float64),
            "outcome": pl.Series([j.outcome for j in journeys], dtype=pl.String),
            "reported": pl.Series([j.reported_at is not None for j in journeys], dtype=pl.Boolean),
            "reported_at": to_times(start, [j.reported_at for j in journeys]),
            "suspect_accounts": pl.Series(
                [";".join(accounts[a] for a in j.played.accounts) for j in journeys], dtype=pl.String
            ),
            "suspect_numbers": pl.Series(
                [";".join(numbers[n] for n in j.played.numbers) for j in journeys], dtype=pl.String
            ),
            "moves": pl.Series([_moves(j, start) for j in journeys], dtype=pl.String),
            "id_number": pl.Series([people.id_numbers[j.person] for j in journeys], dtype=pl.String),
            "msisdn": pl.Series([numbers[j.number] for j in journeys], dtype=pl.String),
            "floating": pl.Series([bool(people.floating[j.person]) for j in journeys], dtype=pl.Boolean),
            "age": pl.Series([int(people.age[j.person]) for j in journeys], dtype=pl.Int64),
        }
    )


def draw_cases(journeys: list[Journey], *, mix: Mix, people: People, start: date, days: int, seed: int) -> pl.DataFrame:
    """The cases reported before the last midnight, in order of report; victims do not recall every number."""
    rng = np.random.default_rng([seed, 41])
    heard = sorted(
        (j for j in journeys if j.reported_at is not None and j.reported_at < days * DAY_S), key=_reported_at
    )
    others = list(mix.scams)

    def filed_as(journey: Journey) -> str:
        return others[int(rng.integers(len(others)))] if rng.random() < mix.miscoded_share else journey.scam_type

    def recalled(positions: list[int], texts: list[str], share: float) -> str:
        return ";".join(texts[i] for i in positions if rng.random() < share)

    reporting = {name: scam.reporting for name, scam in mix.scams.items()}
    return pl.DataFrame(
        {
            "case_id": pl.Series([f"A{i:07d}" for i in range(1, len(heard) + 1)], dtype=pl.String),
            "id_number": pl.Series([people.id_numbers[j.person] for j in heard], dtype=pl.String),
            "scam_type": pl.Series([filed_as(j) for j in heard], dtype=pl.String),
            "outcome": pl.Series([j.outcome for j in heard], dtype=pl.String),
            "first_transfer_at": to_times(start, [_first(j) for j in heard]).dt.replace_time_zone(ZONE),
            "last_transfer_at": to_times(start, [_last(j) for j in heard]).dt.replace_time_zone(ZONE),
            "reported_at": to_times(start, [j.reported_at for j in heard]).dt.replace_time_zone(ZONE),
            "loss_amount": to_yuan([j.loss_cents for j in heard]),
            "suspect_numbers": pl.Series(
                [
                    recalled(j.played.numbers, people.numbers.texts, reporting[j.scam_type].number_recall_share)
                    for j in heard
                ],
                dtype=pl.String,
            ),
            "suspect_accounts": pl.Series(
                [
                    recalled(j.played.accounts, people.accounts.texts, reporting[j.scam_type].account_recall_share)
                    for j in heard
                ],
                dtype=pl.String,
            ),
        }
    )


def _reported_at(journey: Journey) -> int:
    return journey.reported_at or 0


def _first(journey: Journey) -> int | None:
    return journey.played.moves[0][0] if journey.played.moves else None


def _last(journey: Journey) -> int | None:
    return journey.played.moves[-1][0] if journey.played.moves else None


def _moves(journey: Journey, start: date) -> str:
    times = to_times(start, [at for at, _ in journey.played.moves]).dt.strftime("%Y-%m-%dT%H:%M:%S")
    return ";".join(f"{at}|{cents / 100:.2f}" for at, (_, cents) in zip(times, journey.played.moves, strict=True))
