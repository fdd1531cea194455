"""What is written about the episodes: the truth, and the cases the police had by the last day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl

from pipelines.clock import ZONE
from pipelines.simulate.delivery import to_times, to_yuan
from pipelines.simulate.events.columns import DAY_S
from pipelines.simulate.mix.district_mix import Mix
from pipelines.simulate.people.numbering import AccountBook, NumberBook
from pipelines.simulate.people.population import People
from pipelines.simulate.stories.scams import TrueEpisode

__all__ = ["build_truth", "draw_cases"]


def build_truth(episodes: list[TrueEpisode], *, people: People, start: date) -> pl.DataFrame:
    """Every episode, reported or not, one row each; times are naive Shanghai wall time."""
    numbers, accounts = people.numbers, people.accounts
    firsts = [min(j.trace.known_at, default=None) for j in episodes]
    return pl.DataFrame(
        {
            "journey": pl.Series(range(len(episodes)), dtype=pl.Int64),
            "scam_type": pl.Series([j.scam_type for j in episodes], dtype=pl.String),
            "first_trace_at": to_times(start, firsts),
            "traces": pl.Series([len(j.trace.known_at) for j in episodes], dtype=pl.Int64),
            "contact_at": to_times(start, [j.contact_at for j in episodes]),
            "first_transfer_at": to_times(start, [_first_payment_at(j) for j in episodes]),
            "main_transfer_at": to_times(start, [j.main_transfer_at for j in episodes]),
            "last_transfer_at": to_times(start, [_last_payment_at(j) for j in episodes]),
            "loss": pl.Series([j.loss_cents / 100 for j in episodes], dtype=pl.Float64),
            "outcome": pl.Series([j.outcome for j in episodes], dtype=pl.String),
            "reported": pl.Series([j.reported_at is not None for j in episodes], dtype=pl.Boolean),
            "reported_at": to_times(start, [j.reported_at for j in episodes]),
            "suspect_accounts": pl.Series(
                [";".join(accounts[a] for a in j.trace.accounts) for j in episodes], dtype=pl.String
            ),
            "suspect_numbers": pl.Series(
                [";".join(numbers[n] for n in j.trace.numbers) for j in episodes], dtype=pl.String
            ),
            "moves": pl.Series([_payments_text(j, start) for j in episodes], dtype=pl.String),
            "id_number": pl.Series(
                [people.id_numbers[j.person] for j in episodes], dtype=pl.String
            ),
            "msisdn": pl.Series([numbers[j.number] for j in episodes], dtype=pl.String),
            "floating": pl.Series(
                [bool(people.floating[j.person]) for j in episodes], dtype=pl.Boolean
            ),
            "age": pl.Series([int(people.age[j.person]) for j in episodes], dtype=pl.Int64),
        }
    )


def draw_cases(
    episodes: list[TrueEpisode], *, mix: Mix, people: People, start: date, days: int, seed: int
) -> pl.DataFrame:
    """The cases reported before the last midnight, in order of report; victims do not recall every
    number.
    """
    rng = np.random.default_rng([seed, 41])
    reported = sorted(
        (j for j in episodes if j.reported_at is not None and j.reported_at < days * DAY_S),
        key=_report_time,
    )
    others = list(mix.scams)

    def filed_as(episode: TrueEpisode) -> str:
        return (
            others[int(rng.integers(len(others)))]
            if rng.random() < mix.miscoded_share
            else episode.scam_type
        )

    def recalled(positions: list[int], book: NumberBook | AccountBook, share: float) -> str:
        return ";".join(book[i] for i in positions if rng.random() < share)

    reporting = {name: scam.reporting for name, scam in mix.scams.items()}
    return pl.DataFrame(
        {
            "case_id": pl.Series(
                [f"A{i:07d}" for i in range(1, len(reported) + 1)], dtype=pl.String
            ),
            "id_number": pl.Series(
                [people.id_numbers[j.person] for j in reported], dtype=pl.String
            ),
            "scam_type": pl.Series([filed_as(j) for j in reported], dtype=pl.String),
            "outcome": pl.Series([j.outcome for j in reported], dtype=pl.String),
            "first_transfer_at": to_times(
                start, [_first_payment_at(j) for j in reported]
            ).dt.replace_time_zone(ZONE),
            "last_transfer_at": to_times(
                start, [_last_payment_at(j) for j in reported]
            ).dt.replace_time_zone(ZONE),
            "reported_at": to_times(start, [j.reported_at for j in reported]).dt.replace_time_zone(
                ZONE
            ),
            "loss_amount": to_yuan([j.loss_cents for j in reported]),
            "suspect_numbers": pl.Series(
                [
                    recalled(
                        j.trace.numbers,
                        people.numbers,
                        reporting[j.scam_type].number_recall_share,
                    )
                    for j in reported
                ],
                dtype=pl.String,
            ),
            "suspect_accounts": pl.Series(
                [
                    recalled(
                        j.trace.accounts,
                        people.accounts,
                        reporting[j.scam_type].account_recall_share,
                    )
                    for j in reported
                ],
                dtype=pl.String,
            ),
        }
    )


def _report_time(episode: TrueEpisode) -> int:
    return episode.reported_at or 0


def _first_payment_at(episode: TrueEpisode) -> int | None:
    return episode.trace.payments[0][0] if episode.trace.payments else None


def _last_payment_at(episode: TrueEpisode) -> int | None:
    return episode.trace.payments[-1][0] if episode.trace.payments else None


def _payments_text(episode: TrueEpisode, start: date) -> str:
    first = datetime.combine(start, time())
    return ";".join(
        f"{(first + timedelta(seconds=int(at))).isoformat()}|{cents / 100:.2f}"
        for at, cents in episode.trace.payments
    )
