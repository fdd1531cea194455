"""The store opened: an event index over its segments. No events are read for it but those of
numbers that may be for everybody.
"""

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts.errors import ConflictError, LakeError
from data_contracts.forms.number_plan import NUMBER_KINDS
from features.catalogue.definitions import MassRule
from features.entities.feeds import build_feeds, flags_at
from features.event_index import HOLDING, KIND_CODES, EventIndex, mass_timelines, names_in_cases
from features.event_timelines import TIMELINES
from pipelines.storage.event_store.parts.code_book import CodeBook, name_keys
from pipelines.storage.event_store.parts.event_columns import FOLLOWED, PEER_KIND
from pipelines.storage.event_store.parts.frame_files import read_frame
from pipelines.storage.event_store.parts.locks import SWEEP_LOCK, Hold, hold_lock
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.event_store.parts.segments import open_timeline
from pipelines.storage.event_store.registers import StoreRegisters, require_registers
from pipelines.storage.lake import Lake

__all__ = ["open_event_index", "open_manifest", "open_store"]

NAMES = pl.Schema({"name": pl.String, "key": pl.Int64})
NUMBERS = pl.Schema({**NAMES, "peer_kind": PEER_KIND})
# The code of each kind in the order of their enumeration, and of none.
KIND_CODE_OF = np.array([*(KIND_CODES.get(kind, 0) for kind in NUMBER_KINDS), 0], dtype=np.int8)


def open_store(
    folder: Path,
    lake: Lake,
    *,
    at: datetime,
    mass_rule: MassRule,
    digest: str | None = None,
    lake_version: str | None = None,
) -> EventIndex:
    """The event index of the store in ``folder`` for moments up to ``at``.

    Raises ``LakeError`` where nothing was brought forward yet, or where the store's manifest is
    another than that of ``digest``; ``ConflictError`` where the store holds another version of the
    lake than ``lake_version``.
    """
    with hold_lock(folder / SWEEP_LOCK, Hold.SHARED):
        manifest = Manifest.read(folder)
        if lake_version not in {None, manifest.lake_version}:
            raise ConflictError(
                "the event store has been brought forward since", remedy="Run the command again."
            )
        if digest is not None and manifest.digest() != digest:
            raise LakeError(
                f"the event store in {folder} has been brought forward since it was referred to",
                remedy="Refer to it again, as by running the command anew.",
            )
        return open_manifest(manifest, lake, folder=folder, at=at, mass_rule=mass_rule)


def open_manifest(
    manifest: Manifest, lake: Lake, *, folder: Path, at: datetime, mass_rule: MassRule
) -> EventIndex:
    """The event index of a manifest whose files lie in ``folder``. Raises ``LakeError`` where
    nothing was brought forward yet.
    """
    with lake.answering():
        return open_event_index(
            manifest,
            require_registers(manifest, folder),
            lake,
            folder=folder,
            at=at,
            mass_rule=mass_rule,
        )


def open_event_index(
    manifest: Manifest,
    registers: StoreRegisters,
    lake: Lake,
    *,
    folder: Path,
    at: datetime,
    mass_rule: MassRule,
) -> EventIndex:
    """The event index for moments up to ``at``."""
    numbers = CodeBook(folder, manifest.books.get("numbers", ()))
    accounts = CodeBook(folder, manifest.books.get("accounts", ()))
    people = list_people(registers)
    timelines = {
        name: open_timeline(name, manifest.timelines.get(name, ()), folder=folder)
        for name in (*TIMELINES, FOLLOWED)
    }
    deliveries = {dataset: read_frame(folder / file) for dataset, file in manifest.feeds.items()}
    holdings = registers.holdings
    cases = lake.scan("cases").filter(pl.col("known_at") < at)
    return EventIndex(
        people=people,
        numbers_held=holdings.numbers.select(*HOLDING),
        accounts_held=holdings.accounts.drop_nulls("owner").select(*HOLDING),
        **timelines,
        **mass_timelines(
            timelines["contacts_by_number"],
            read_frame(folder / manifest.busy).lazy(),
            limit=holdings.mass_limit(mass_rule),
            until=at,
        ),
        named_peers=first_named_at(cases, "suspect_numbers", numbers),
        named_payees=first_named_at(cases, "suspect_accounts", accounts),
        numbers=list_numbers(numbers, lake.scan("number_tags")),
        accounts=list_accounts(accounts, holdings.accounts),
        call_feeds=build_feeds(deliveries["calls"], registers.operators, len(people)),
        transfer_feeds=build_feeds(deliveries["transfers"], registers.banks, len(people)),
    )


def list_people(registers: StoreRegisters) -> pl.DataFrame:
    """``person``, ``birth_month`` and ``code`` in code order; without a name where somebody is no
    longer in the register.
    """
    codes = pl.DataFrame({"code": np.arange(len(registers.people), dtype=np.uint32)})
    return codes.join(registers.residents, on="code", how="left", maintain_order="left").select(
        "code", "person", "birth_month"
    )


def list_numbers(book: CodeBook, tags: pl.LazyFrame) -> pl.DataFrame:
    """Every number in code order, as ``features.event_index.list_numbers`` has them."""
    tagged = tags.select("number").unique().collect()["number"]
    rows = book.rows(["name", "key", "peer_kind"], schema=NUMBERS)
    kinds = rows["peer_kind"].to_physical().fill_null(len(NUMBER_KINDS)).to_numpy()
    return rows.rename({"name": "peer", "key": "order"}).with_columns(
        code=pl.int_range(len(book), eager=True, dtype=pl.UInt32),
        tagged=is_among(tagged, book),
        peer_kind_code=pl.Series(KIND_CODE_OF[kinds]),
    )


def list_accounts(book: CodeBook, holdings: pl.DataFrame) -> pl.DataFrame:
    """Every account in code order, as ``features.event_index.list_accounts`` has them."""
    return (
        book.rows(["name", "key"], schema=NAMES)
        .rename({"name": "payee", "key": "order"})
        .with_row_index("code")
        .with_columns(is_local=is_among(holdings["account"].unique(), book))
    )


def is_among(names: pl.Series, book: CodeBook) -> pl.Series:
    """Whether each code of the book is that of one of ``names``."""
    codes = book.find(name_keys(names.drop_nulls()))
    return pl.Series(flags_at(pl.Series(codes[codes >= 0]), len(book)))


def first_named_at(cases: pl.LazyFrame, column: str, book: CodeBook) -> pl.DataFrame:
    """``code`` and ``named_at``: since when a case is known to name each number or account."""
    named = names_in_cases(cases, column).collect()
    codes = book.find(name_keys(named["name"]))
    found = named.select("named_at").with_columns(code=pl.Series(codes))
    return found.filter(pl.col("code") >= 0).select(pl.col("code").cast(pl.UInt32), "named_at")
