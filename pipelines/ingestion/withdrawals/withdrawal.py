"""Takes the rows of a file out of the lake again, and writes down who leaves and why."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from data_contracts.errors import DeliveryError
from pipelines.ingestion.ingest import recover_loads
from pipelines.ingestion.pseudonymisation import load_pseudonymiser
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import DAY, EVENTS, TABLES
from pipelines.storage.ledger import FILE_ID_DIGITS, Arrival, Decision, Ledger, LoadedFile

__all__ = ["Withdrawal", "withdraw_load"]


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """What was taken out: the file, how many rows of it on how many event days, and the batch by
    which they left. ``repeating`` are the files that came after it and had duplicates, which the
    next load of their folder reads again: they may hold some of these rows too.
    """

    path: str
    dataset: str
    rows: int
    days: int
    batch: int
    repeating: tuple[str, ...] = ()


def withdraw_load(settings: Settings, *, path: str, why: str, received_at: datetime) -> Withdrawal:
    """Take all rows that came with the file at ``path`` (as the load reports it, or as it was
    delivered) out of the lake.

    The load stays in the ledger, beside it the decision with its ``why``, and counts of rows that
    arrived fall by it. The file is not loaded again unless it is named. What was published stays.

    Raises ``DeliveryError`` where no rows of such a file of events are in the lake, ``LakeError``
    if a load is running.
    """
    lake = Lake.of(settings)
    ledger = Ledger(settings.lake_folder / "ledger.db")
    with lake.locked():
        recover_loads(settings, lake=lake, ledger=ledger, at=received_at)
        load = _find_load(ledger, load_pseudonymiser(settings).mask(path))
        gone = _rows_of(load, lake=lake, ledger=ledger)
        if gone.is_empty():
            raise DeliveryError(
                f"the lake holds no rows of {load.path}",
                remedy="All of its rows were rejected, duplicates or replaced: there is nothing to "
                "take out.",
            )
        batch = ledger.next_batch()
        ledger.prepare(
            batch,
            dataset=load.dataset,
            files=(),
            arrivals=_departures(load, gone),
            received_at=received_at,
            decisions=[
                Decision(
                    kind="withdraw",
                    path=load.path,
                    target_path=load.path,
                    target_digest=load.digest,
                    rows=gone.height,
                    why=why,
                )
            ],
        )
        nothing = pl.DataFrame(schema=TABLES[load.dataset])
        version = lake.amend(load.dataset, nothing, gone=gone, batch=batch, at=received_at)
        ledger.commit(batch, delta_version=version)
        return Withdrawal(
            path=load.path,
            dataset=load.dataset,
            rows=gone.height,
            days=gone[DAY].n_unique(),
            batch=batch,
            repeating=tuple(
                file.path for file in ledger.repeating_loads(load.dataset, withdrawal=batch)
            ),
        )


def _find_load(ledger: Ledger, path: str) -> LoadedFile:
    loads = [load for load in ledger.loads_of_path(path) if not load.reason]
    if not loads:
        raise DeliveryError(
            f"nothing was loaded from {path}",
            remedy="Name the file as the load reports it, such as calls/2026-08-01/cmcc.csv.",
        )
    if loads[-1].dataset not in EVENTS:
        raise DeliveryError(
            f"{path} is a register, which is replaced as a whole",
            remedy="Deliver the right register in its place and ingest it.",
        )
    taken_out = ledger.withdrawal(loads[-1])
    if taken_out is not None:
        raise DeliveryError(
            f"{path} was taken out already: {taken_out.why}",
            remedy="Nothing is left to do. To load it again, ingest its folder with "
            f"--accept {path}.",
        )
    return loads[-1]


def _rows_of(load: LoadedFile, *, lake: Lake, ledger: Ledger) -> pl.DataFrame:
    file_id = load.digest[:FILE_ID_DIGITS]
    days = ledger.days_of_files(load.dataset, [file_id])
    if not days:
        return pl.DataFrame(schema=TABLES[load.dataset])
    stored = lake.scan(load.dataset, days=(min(days), max(days)))
    return stored.filter(pl.col("file_id") == file_id).collect()


def _departures(load: LoadedFile, gone: pl.DataFrame) -> list[Arrival]:
    left = gone.group_by("source", DAY).len().sort("source", DAY)
    return [
        Arrival(source=source, event_day=day, path=load.path, rows=-number, known_until=None)
        for source, day, number in left.iter_rows()
    ]
