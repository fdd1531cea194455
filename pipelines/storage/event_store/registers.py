"""The registers that the store was made with: who holds what, and what is a public service.

An event belongs to whoever held its number or account. So where a register changes what was, the
events of those numbers and accounts are other people's, and the store goes back to before them.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from features.entities.mass_numbers import public_services
from features.event_index import HOLDING, CodedHoldings, code_holdings
from features.kernel.source_tables import SourceTables
from pipelines.storage.event_store.code_book import CodeBook, name_keys
from pipelines.storage.event_store.frame_files import read_frame, write_frame
from pipelines.storage.lake import Lake

__all__ = ["ChangedNames", "StoreRegisters", "changed_names", "read_registers"]

NUMBER, ACCOUNT, PUBLIC = "number", "account", "public"


@dataclass(frozen=True, eq=False)
class StoreRegisters:
    """The registers of today in the codes of the store."""

    tables: SourceTables
    people: CodeBook
    residents: pl.DataFrame
    holdings: CodedHoldings
    public: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """What decides whose an event is, by kind."""
        return {
            NUMBER: self.holdings.numbers.select(NUMBER, *HOLDING),
            ACCOUNT: self.holdings.accounts.select(ACCOUNT, *HOLDING),
            PUBLIC: self.public,
        }

    def write(self, folder: Path) -> dict[str, str]:
        """Write the frames; return the name of each file."""
        return {kind: write_frame(frame, folder=folder) for kind, frame in self.frames().items()}


def read_registers(lake: Lake, people: CodeBook) -> StoreRegisters:
    """The newest registers of the lake. Residents who are not in the book get a code."""
    registers = {
        name: lake.scan(name)
        for name in ("residents", "subscribers", "accounts", "number_tags", "cases")
    }
    tables = SourceTables(calls=lake.scan("calls"), transfers=lake.scan("transfers"), **registers)
    residents = (
        tables.residents.select("person", "birth_month").unique("person").sort("person").collect()
    )
    people, codes = with_codes(people, residents["person"])
    residents = residents.with_columns(code=codes)
    return StoreRegisters(
        tables=tables,
        people=people,
        residents=residents,
        holdings=code_holdings(tables, residents),
        public=public_services(tables),
    )


def with_codes(
    book: CodeBook, names: pl.Series, more: pl.DataFrame | None = None
) -> tuple[CodeBook, pl.Series]:
    """The book with all of ``names`` in it (no two alike), and the code of each; ``more`` are
    columns to keep beside those that are new.
    """
    codes = book.find(name_keys(names))
    new = codes < 0
    if new.any():
        fresh = pl.DataFrame({"name": names}) if more is None else more.with_columns(name=names)
        codes[new] = len(book) + np.arange(int(new.sum()))
        book = book.with_names(fresh.filter(pl.Series(new)))
    return book, pl.Series(codes, dtype=pl.UInt32)


@dataclass(frozen=True, eq=False)
class ChangedNames:
    """Numbers and accounts whose events may be other people's than before, since a day (None: ever
    since).
    """

    numbers: pl.Series
    accounts: pl.Series
    since: date | None


def changed_names(
    before: dict[str, str], now: StoreRegisters, *, folder: Path
) -> ChangedNames | None:
    """What differs between the registers in files and those of now; None where nothing does."""
    if not before:
        return None
    changes = {
        kind: changed_rows(read_frame(folder / before[kind]), frame)
        for kind, frame in now.frames().items()
    }
    if all(frame.is_empty() for frame in changes.values()):
        return None
    since = [
        frame["since"].min() if not frame["since"].has_nulls() else None
        for kind, frame in changes.items()
        if kind != PUBLIC and len(frame)
    ]
    days = [day for day in since if isinstance(day, date)]
    whole_past = len(days) < len(since) or len(changes[PUBLIC]) > 0
    return ChangedNames(
        numbers=pl.concat([changes[NUMBER][NUMBER], changes[PUBLIC][NUMBER]]).unique(),
        accounts=changes[ACCOUNT][ACCOUNT].unique(),
        since=None if whole_past else min(days),
    )


def changed_rows(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The rows that are in one of the two alone."""
    before = before.select(now.columns).cast(dict(now.schema))  # type: ignore[arg-type]
    on = now.columns
    return pl.concat(
        [
            before.join(now, on=on, how="anti", nulls_equal=True),
            now.join(before, on=on, how="anti", nulls_equal=True),
        ]
    )
