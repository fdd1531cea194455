"""Records taken out of the lake for good: their rows, and the data files that held them."""

from collections.abc import Callable
from datetime import date, datetime

import polars as pl

from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS, REGISTERS
from pipelines.storage.ledger import Erasure, Ledger

__all__ = ["erase_old_events", "erase_old_registers", "erase_rows"]


def erase_rows(
    lake: Lake,
    ledger: Ledger,
    *,
    dataset: str,
    change: Callable[[pl.DataFrame], pl.DataFrame],
    at: datetime,
) -> int | None:
    """Let ``change`` leave rows of a dataset out, and remove every data file that is no longer the
    newest version's; return how many rows left, None where nothing changed.
    """
    batch = ledger.next_batch()
    erasures = [Erasure(kind="person")]
    ledger.prepare(batch, dataset=dataset, files=(), arrivals=(), received_at=at, erasures=erasures)
    done = lake.rewrite(dataset, change, batch=batch, at=at)
    if done.version is None:
        ledger.discard(batch)
    else:
        ledger.commit(batch, delta_version=done.version)
    lake.sweep(dataset)
    return None if done.version is None else done.rows_gone


def erase_old_events(lake: Lake, ledger: Ledger, *, before: date, at: datetime) -> dict[str, int]:
    """Take the events of all days before ``before`` out; return how many of each dataset left."""
    gone = {}
    for dataset in EVENTS:
        if any(day < before for day in lake.days(dataset)):
            batch = ledger.next_batch()
            erasures = [Erasure(kind="retention", days_before=before)]
            ledger.prepare(
                batch, dataset=dataset, files=(), arrivals=(), received_at=at, erasures=erasures
            )
            done = lake.rewrite(
                dataset, lambda rows: rows.clear(), batch=batch, at=at, until=before
            )
            ledger.commit(batch, delta_version=done.version)
            gone[dataset] = done.rows_gone
        lake.sweep(dataset, before=before)
    return gone


def erase_old_registers(
    lake: Lake, ledger: Ledger, *, before: datetime, at: datetime
) -> dict[str, int]:
    """Remove the versions of registers that gave way to others before ``before``; return how many
    data files of each left. The one that stood then stays, for moments since.
    """
    gone = {}
    for dataset in REGISTERS:
        version = ledger.version_before(dataset, before)
        if version is None or version <= ledger.readable_from(dataset):
            continue
        batch = ledger.next_batch()
        erasures = [Erasure(kind="retention", readable_from=version)]
        ledger.prepare(
            batch, dataset=dataset, files=(), arrivals=(), received_at=at, erasures=erasures
        )
        ledger.commit(batch, delta_version=None)
        gone[dataset] = lake.sweep(dataset, readable_from=version)
    return gone
