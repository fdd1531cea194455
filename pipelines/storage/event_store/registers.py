"""The registers that the store was made with: who holds what, and what is a public service.

They are kept in the codes of the store until the lake has newer ones. An event belongs to whoever
held its number or account. So where a register changes what was, the events of those numbers and
accounts are other people's, and the store goes back to before them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts.errors import LakeError
from features.entities.feeds import serving_banks, serving_operators
from features.entities.mass_numbers import public_services
from features.event_index import CodedHoldings, code_holdings
from features.kernel.source_tables import SourceTables
from pipelines.storage.event_store.parts.code_book import CodeBook, name_keys
from pipelines.storage.event_store.parts.frame_files import read_frame, write_frame
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.lake import Lake

__all__ = [
    "ChangedNames",
    "StoreRegisters",
    "changed_names",
    "current_registers",
    "require_registers",
    "stored_registers",
    "with_codes",
    "write_registers",
]

# What decides whose an event is, by the column of its names.
DECISIVE = {
    "numbers": ("number", "owner", "since", "until"),
    "accounts": ("account", "owner", "since", "until"),
    "public": ("number",),
}


@dataclass(frozen=True, eq=False)
class StoreRegisters:
    """The registers in the codes of the store; ``versions`` of the lake's that they were made from.

    ``residents`` have ``person``, ``birth_month`` and ``code``; ``operators`` and ``banks`` say
    which source serves whom (``source``, ``code``).
    """

    versions: Mapping[str, int]
    people: CodeBook
    residents: pl.DataFrame
    holdings: CodedHoldings
    public: pl.DataFrame
    operators: pl.DataFrame
    banks: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        """The frames by name."""
        return {
            "residents": self.residents,
            "numbers": self.holdings.numbers,
            "accounts": self.holdings.accounts,
            "public": self.public,
            "operators": self.operators,
            "banks": self.banks,
        }


def stored_registers(manifest: Manifest, folder: Path) -> StoreRegisters | None:
    """The registers that the store was made with, None before there were any."""
    if not manifest.registers:
        return None
    frames = {name: read_frame(folder / file) for name, file in manifest.registers.items()}
    return StoreRegisters(
        versions=manifest.register_versions,
        people=CodeBook(folder, manifest.books.get("people", ())),
        residents=frames["residents"],
        holdings=CodedHoldings(frames["numbers"], frames["accounts"]),
        public=frames["public"],
        operators=frames["operators"],
        banks=frames["banks"],
    )


def require_registers(manifest: Manifest, folder: Path) -> StoreRegisters:
    """The registers that the store was made with. Raises ``LakeError`` before there were any."""
    found = stored_registers(manifest, folder)
    if found is None:
        raise LakeError("the event store is empty", remedy="Run `forestall store update`.")
    return found


def write_registers(registers: StoreRegisters, folder: Path) -> dict[str, str]:
    """Write the frames; return the name of each file."""
    return {name: write_frame(frame, folder=folder) for name, frame in registers.frames().items()}


def current_registers(
    lake: Lake, manifest: Manifest, stored: StoreRegisters | None, folder: Path
) -> StoreRegisters:
    """The newest registers of the lake: those that are ``stored``, unless it has others."""
    versions = lake.register_versions()
    if stored is not None and stored.versions == versions:
        return stored
    return code_registers(lake, CodeBook(folder, manifest.books.get("people", ())), versions)


def code_registers(lake: Lake, people: CodeBook, versions: Mapping[str, int]) -> StoreRegisters:
    """The registers of the lake in codes. Residents who are not in the book get one."""
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
        versions=versions,
        people=people,
        residents=residents,
        holdings=code_holdings(tables, residents),
        public=public_services(tables),
        operators=serving_operators(tables, residents),
        banks=serving_banks(tables, residents),
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


def changed_names(before: StoreRegisters | None, now: StoreRegisters) -> ChangedNames | None:
    """What differs between two states of the registers; None where nothing does."""
    if before is None or before is now:
        return None
    earlier, later = before.frames(), now.frames()
    changes = {
        name: changed_rows(earlier[name].select(columns), later[name].select(columns))
        for name, columns in DECISIVE.items()
    }
    if all(frame.is_empty() for frame in changes.values()):
        return None
    since = [
        day
        for name in ("numbers", "accounts")
        for day in changed_since(changes[name], key=DECISIVE[name][0])
    ]
    days = [day for day in since if isinstance(day, date)]
    whole_past = len(days) < len(since) or len(changes["public"]) > 0
    return ChangedNames(
        numbers=pl.concat([changes[name]["number"] for name in ("numbers", "public")]).unique(),
        accounts=changes["accounts"]["account"].unique(),
        since=None if whole_past else min(days),
    )


def changed_rows(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The rows that are in one of the two alone."""
    on = now.columns
    return pl.concat(
        [
            before.join(now, on=on, how="anti", nulls_equal=True),
            now.join(before, on=on, how="anti", nulls_equal=True),
        ]
    )


def changed_since(changes: pl.DataFrame, *, key: str) -> pl.Series:
    """The days from which on holdings differ; null for ever since. One that only ends otherwise
    differs from its earlier end on.
    """
    holdings = changes.group_by(key, "owner", "since").agg(pl.len(), pl.col("until").min())
    return holdings.select(pl.when(pl.col("len") > 1).then("until").otherwise("since")).to_series()
