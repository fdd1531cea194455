"""Writes events as partners deliver them: a record for each side that lives here, a file per source
and day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.clock import ZONE
from pipelines.simulate.events.columns import DAY_S, CallEvents, PaymentEvents
from pipelines.simulate.mix.district_mix import Outage
from pipelines.simulate.people.numbering import Floats, Ints
from pipelines.simulate.people.population import People

__all__ = ["LandingWriter", "cut_when_busy", "to_times", "to_yuan"]

_CHANNELS = ("mobile", "online", "counter", "third_party", "atm", "pos")
# Shares by (small account payment, large account payment, merchant): the channel follows from form,
# never from motive.
_CHANNEL_SHARES = np.array(
    [
        [0.80, 0.07, 0.02, 0.10, 0.01, 0.0],
        [0.74, 0.13, 0.10, 0.03, 0.0, 0.0],
        [0.04, 0.06, 0.0, 0.72, 0.0, 0.18],
    ]
)
_LARGE_CENTS = 2_000_000


def cut_when_busy(events: CallEvents, *, subscribers: int) -> CallEvents:
    """One line, one call: everyday calls that begin while a resident is still talking are not
    answered.
    """
    side = np.concatenate([events.caller, events.callee])
    row = np.tile(np.arange(len(events)), 2)
    live = (side < subscribers) & ~events.text[row]
    side, row = side[live], row[live]
    order = np.lexsort((events.at[row], side))
    side, row = side[order], row[order]
    # Ends run upwards within one line; a large step from line to line keeps the lines apart.
    step = side * np.int64(1000 * DAY_S)
    latest = np.maximum.accumulate(events.at[row] + events.duration_s[row] + step)
    busy = np.concatenate([[False], events.at[row][1:] + step[1:] < latest[:-1]])
    cut = np.zeros(len(events), bool)
    cut[row[busy]] = True
    return replace(events, duration_s=np.where(cut & ~events.scripted, 0, events.duration_s))


class LandingWriter:
    """A landing folder being written."""

    def __init__(
        self, out: Path, *, people: People, start: date, outages: tuple[Outage, ...], seed: int
    ) -> None:
        self._out, self._people, self._start, self._outages, self._seed = (
            out,
            people,
            start,
            outages,
            seed,
        )
        self.files = 0

    def write_registers(self, registers: dict[str, pl.DataFrame]) -> None:
        """Whole registers, one file each."""
        self._out.mkdir(parents=True, exist_ok=True)
        for name, frame in registers.items():
            frame.write_parquet(self._out / f"{name}.parquet")
            self.files += 1

    def write_calls(self, day: int, events: CallEvents) -> int:
        """The calls of a day, both sides; returns the number of records."""
        owned = len(self._people.number_source)
        rng = np.random.default_rng([self._seed, 31, day])
        table = _both_sides(rng, events.caller, events.callee, events.at, owned=owned)
        served, peer, row, out, ids = table
        frame = pl.DataFrame(
            {
                "record_id": self._record_ids("", day, ids),
                "msisdn": self._people.numbers.gather(served),
                "peer_number": self._people.numbers.gather(peer),
                "direction": np.where(out, "out", "in"),
                "service": np.where(events.text[row], "sms", "voice"),
                "started_at": self._times(events.at[row]),
                "duration_s": events.duration_s[row],
            }
        )
        source = pl.Series(self._people.number_source).gather(served)
        return self._write("calls", day, frame, source)

    def write_transfers(self, day: int, events: PaymentEvents) -> int:
        """The payments of a day, both sides; returns the number of records."""
        people = self._people
        owned = len(people.account_source)
        rng = np.random.default_rng([self._seed, 32, day])
        merchant = np.array(people.accounts.is_merchant)
        channel = _channels(rng, events, merchant[events.payee] | merchant[events.payer])
        own, peer, row, out, ids = _both_sides(
            rng, events.payer, events.payee, events.at, owned=owned
        )
        frame = pl.DataFrame(
            {
                "record_id": self._record_ids("T", day, ids),
                "account_id": people.accounts.gather(own),
                "peer_account": people.accounts.gather(peer),
                "direction": np.where(out, "debit", "credit"),
                "amount": to_yuan(events.cents[row]),
                "occurred_at": self._times(events.at[row]),
                "channel": pl.Series(_CHANNELS).gather(channel[row]),
                "peer_bank": _texts(people.accounts.banks, peer),
            }
        )
        source = pl.Series(people.account_source).gather(own)
        return self._write("transfers", day, frame, source)

    def _record_ids(self, head: str, day: int, ids: Ints) -> pl.Series:
        prefix = head + f"{self._start + timedelta(days=day):%y%m%d}"
        return prefix + pl.Series(ids).cast(pl.String).str.zfill(9)

    def _times(self, seconds: Ints) -> pl.Series:
        return to_times(self._start, seconds).dt.replace_time_zone(ZONE)

    def _write(self, dataset: str, day: int, frame: pl.DataFrame, source: pl.Series) -> int:
        folder = self._out / dataset / str(self._start + timedelta(days=day))
        folder.mkdir(parents=True, exist_ok=True)
        written = 0
        for (name,), part in (
            frame.with_columns(source=source)
            .partition_by("source", as_dict=True, include_key=False)
            .items()
        ):
            if not any(
                o.source == name and o.first_day <= day < o.first_day + o.days
                for o in self._outages
            ):
                part.write_parquet(folder / f"{name}.parquet")
                self.files += 1
                written += len(part)
        return written


def to_times(start: date, seconds: Ints | Sequence[int | None]) -> pl.Series:
    """Seconds since the first midnight as naive Shanghai wall time, ``Datetime("us")``."""
    since_epoch = (start - date(1970, 1, 1)).days * DAY_S
    return ((pl.Series(seconds, dtype=pl.Int64) + since_epoch) * 1_000_000).cast(pl.Datetime("us"))


def to_yuan(cents: Ints | Sequence[int]) -> pl.Series:
    """Cents as yuan, ``Decimal(18, 2)``."""
    # The scale is put on before the division: Decimal(20, 0) / 100 rounds to whole yuan.
    return (pl.Series(cents, dtype=pl.Int64).cast(pl.Decimal(18, 2)) / 100).cast(pl.Decimal(18, 2))


def _texts(book: list[str], positions: Ints) -> pl.Series:
    used, where = np.unique(positions, return_inverse=True)
    return pl.Series([book[i] for i in used.tolist()], dtype=pl.String).gather(where)


def _both_sides(
    rng: np.random.Generator, first: Ints, second: Ints, at: Ints, *, owned: int
) -> tuple[Ints, Ints, Ints, npt.NDArray[np.bool_], Ints]:
    """Records from events: own side, other side, row of the event, whether the own side began it,
    running number.

    Records are in order of time and, within one second, in random order.
    """
    out_rows, in_rows = np.flatnonzero(first < owned), np.flatnonzero(second < owned)
    row = np.concatenate([out_rows, in_rows])
    out = np.arange(len(row)) < len(out_rows)
    order = np.lexsort((rng.random(len(row)), at[row]))
    row, out = row[order], out[order]
    own = np.where(out, first[row], second[row])
    other = np.where(out, second[row], first[row])
    return own, other, row, out, np.arange(len(row))


def _channels(
    rng: np.random.Generator, events: PaymentEvents, merchant: npt.NDArray[np.bool_]
) -> Ints:
    kind = np.where(merchant, 2, (events.cents >= _LARGE_CENTS).astype(int))
    edges: Floats = np.cumsum(_CHANNEL_SHARES, axis=1)[kind]
    drawn: Ints = (rng.random(len(events))[:, None] > edges).sum(axis=1)
    return np.minimum(drawn, len(_CHANNELS) - 1)
