"""Whether the ledger and the lake tell of the same loads, and the ledger made again from the lake.

Each load is one Delta commit that bears the number of its batch, so the lake itself says which
batches reached it. A ledger that is lost, or older than the lake, would give these numbers out
again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from data_contracts.errors import LakeError
from pipelines.clock import SHANGHAI
from pipelines.storage.lake import Lake, LakeLoad
from pipelines.storage.lake_schemas import DAY, EVENTS, TABLES
from pipelines.storage.ledger import FILE_ID_DIGITS, Arrival, Ledger, LoadedFile

__all__ = ["RebuiltDataset", "find_disagreements", "rebuild_ledger", "require_agreement"]

NOT_KNOWN = "made again from the lake: its name, and what was rejected of it, are not known"


@dataclass(frozen=True, kw_only=True)
class RebuiltDataset:
    """What became of a dataset's loads: how many stayed in the ledger, how many were ``added`` from
    the lake, with how many rows, and how many it ``dropped`` as the lake does not hold them.
    """

    dataset: str
    kept: int
    added: int
    rows: int
    dropped: int


def find_disagreements(lake: Lake, ledger: Ledger) -> list[str]:
    """A sentence for each dataset whose last load the ledger and the lake tell differently."""
    written = ledger.newest_batches()
    found = []
    for dataset in TABLES:
        in_lake, in_ledger = lake.last_batch(dataset), written.get(dataset, 0)
        if in_lake > in_ledger:
            found.append(f"load {in_lake} reached {dataset}, and the ledger does not know it")
        elif in_lake < in_ledger:
            found.append(f"the ledger tells of load {in_ledger} of {dataset}, which is not there")
    return found


def require_agreement(lake: Lake, ledger: Ledger) -> None:
    """Raise ``LakeError`` where the ledger and the lake tell of other loads."""
    found = find_disagreements(lake, ledger)
    if found:
        raise LakeError(
            f"the ledger and the lake do not belong together: {'; '.join(found)}",
            remedy="Load from the home whose ledger belongs to the lake, or restore lake/ with its "
            "ledger.db from one backup; without one make the ledger again from the lake with "
            "`forestall rebuild-ledger`.",
        )


def rebuild_ledger(lake: Lake, ledger: Ledger) -> tuple[RebuiltDataset, ...]:
    """Make the ledger tell of the loads that the lake holds, dataset by dataset: those that it
    knows stay as they are, those that it does not know are added with their rows by day, source and
    file, those that the lake does not hold are dropped, so that their files are loaded again.

    What the lake cannot tell stays unknown: names of files, rejected rows and held files, what was
    replaced or reversed by whom, and the very moment of a load (that of its commit is taken).
    Raises ``LakeError`` while a load is running.
    """
    with lake.locked():
        loads = {dataset: {load.batch: load for load in lake.loads(dataset)} for dataset in TABLES}
        written = ledger.written_batches()
        taken = {load.batch: dataset for dataset, of in loads.items() for load in of.values()}
        dropped = [
            (batch, dataset)
            for batch, (dataset, version) in written.items()
            if (version is not None and _version(loads[dataset], batch) != version)
            or taken.get(batch, dataset) != dataset
        ]
        ledger.forget([batch for batch, _ in dropped])
        ledger.expect_raw_ids()  # nobody knows which version wrote the lake
        kept = written.keys() - {batch for batch, _ in dropped}
        return tuple(
            _add_missing(
                dataset,
                lake,
                ledger,
                loads=loads[dataset],
                kept={batch for batch in kept if written[batch][0] == dataset},
                dropped=sum(name == dataset for _, name in dropped),
            )
            for dataset in TABLES
        )


def _version(loads: Mapping[int, LakeLoad], batch: int) -> int | None:
    return loads[batch].version if batch in loads else None


def _add_missing(
    dataset: str,
    lake: Lake,
    ledger: Ledger,
    *,
    loads: Mapping[int, LakeLoad],
    kept: set[int],
    dropped: int,
) -> RebuiltDataset:
    rows = 0
    missing = [load for batch, load in sorted(loads.items()) if batch not in kept]
    for load in missing:
        files = _rows_by_file(lake, dataset, load)
        rows += sum(files["rows"])
        ledger.prepare(
            load.batch,
            dataset=dataset,
            files=list(_files(dataset, files)) if dataset in EVENTS else (),
            arrivals=list(_arrivals(files)),
            received_at=load.committed_at.astimezone(SHANGHAI),
        )
        ledger.commit(load.batch, delta_version=load.version)
    return RebuiltDataset(
        dataset=dataset, kept=len(kept), added=len(missing), rows=rows, dropped=dropped
    )


def _rows_by_file(lake: Lake, dataset: str, load: LakeLoad) -> pl.DataFrame:
    """``file_id``, ``source``, ``event_day``, ``rows`` and ``known_until`` of what a load left in
    the lake; of a register the rows alone.
    """
    if dataset not in EVENTS:
        there = lake.files_there(dataset, load.files)
        rows = lake.scan_files(dataset, there).select(pl.len()).collect()
        return pl.DataFrame(
            {"file_id": "", "source": "", DAY: None, "rows": rows.item(), "known_until": None},
            schema_overrides={DAY: pl.Date, "known_until": pl.Datetime("us", str(SHANGHAI))},
        )
    found = lake.scan_files(dataset, lake.files_there(dataset, load.files))
    moment = "started_at" if dataset == "calls" else "occurred_at"
    return (
        found.group_by("file_id", "source", pl.col(moment).dt.date().alias(DAY))
        .agg(pl.len().alias("rows"), pl.col("known_at").max().alias("known_until"))
        .sort("file_id", "source", DAY)
        .collect()
    )


def _files(dataset: str, rows: pl.DataFrame) -> Iterator[LoadedFile]:
    for (file_id, source), part in rows.group_by("file_id", "source", maintain_order=True):
        number = int(part["rows"].sum())
        yield LoadedFile(
            path=str(file_id),
            dataset=dataset,
            source=str(source),
            digest=str(file_id)[:FILE_ID_DIGITS],
            stamp="",
            through=None,
            rows=number,
            accepted=number,
            quarantined=0,
            duplicates=0,
            held=0,
            reason="",
            notes=(NOT_KNOWN,),
        )


def _arrivals(rows: pl.DataFrame) -> Iterator[Arrival]:
    for row in rows.iter_rows(named=True):
        known_until: datetime | None = row["known_until"]
        yield Arrival(
            source=row["source"],
            event_day=row[DAY],
            path=row["file_id"],
            rows=row["rows"],
            known_until=known_until,
        )
