"""The data files of the lake and the actions of a commit that name them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

import polars as pl
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from data_contracts.errors import LakeError
from pipelines.storage.lake_schemas import DAY, EVENTS, MOMENT, SORTED_BY
from pipelines.storage.places.place import Place

__all__ = [
    "TRANSACTION_APP",
    "files_of",
    "has_batch",
    "has_file",
    "in_utc",
    "remove_days",
    "write_files",
]

TRANSACTION_APP = "forestall.ingest"


def in_utc(frame: pl.DataFrame) -> pl.DataFrame:
    """Delta knows timestamps in UTC only."""
    moments = [name for name, kind in frame.schema.items() if kind == MOMENT]
    return frame.with_columns(pl.col(moments).dt.convert_time_zone("UTC"))


def files_of(table: DeltaTable) -> pl.DataFrame:
    """The data files of a table, with ``path``, ``size_bytes`` and the day."""
    return pl.DataFrame(table.get_add_actions(flatten=True))


def has_batch(table: DeltaTable, batch: int, *, before: int) -> bool:
    """Whether the table, looked at again, has this batch or a later one; ``before`` is its version
    before somebody tried to add it. Raises ``LakeError`` where somebody else wrote meanwhile.
    """
    table.update_incremental()
    if (table.transaction_version(TRANSACTION_APP) or 0) >= batch:
        return True
    require_version(table, before)
    return False


def has_file(table: DeltaTable, path: str, *, before: int) -> bool:
    """The same of a data file."""
    table.update_incremental()
    if path in files_of(table)["path"]:
        return True
    require_version(table, before)
    return False


def require_version(table: DeltaTable, version: int) -> None:
    """Raise ``LakeError`` where the table is at another version."""
    if table.version() != version:
        raise LakeError(
            "somebody else is writing to this lake; nothing of this load was added",
            remedy="Load from one home alone: the one whose ledger belongs to this lake.",
        )


def write_files(
    frame: pl.DataFrame, *, dataset: str, place: Place, data_change: bool = True
) -> Iterator[AddAction | RemoveAction]:
    """Write and flush the data files of one commit: one a day for events, one in all for a
    register.
    """
    if dataset not in EVENTS:
        yield write_file(
            in_utc(frame), dataset=dataset, place=place, partition={}, data_change=data_change
        )
        return
    by_day = (
        in_utc(frame)
        .sort(DAY, *SORTED_BY[dataset])
        .partition_by(DAY, as_dict=True, include_key=False)
    )
    for (day,), part in by_day.items():
        yield write_file(
            part,
            dataset=dataset,
            place=place,
            partition={DAY: day.isoformat()},
            data_change=data_change,
        )


def remove_days(table: DeltaTable, *, days: Sequence[date], at: datetime) -> Iterator[RemoveAction]:
    """The data files of these days, to be removed from the table."""
    files = files_of(table)
    of_day = files.filter(pl.col(f"partition.{DAY}").cast(pl.Date).is_in(days))
    for path, size, day in of_day.select("path", "size_bytes", f"partition.{DAY}").iter_rows():
        yield RemoveAction(
            path=path,
            data_change=True,
            deletion_timestamp=int(at.timestamp() * 1000),
            size=size,
            partition_values={DAY: str(day)},
        )


def write_file(
    frame: pl.DataFrame,
    *,
    dataset: str,
    place: Place,
    partition: Mapping[str, str],
    data_change: bool,
) -> AddAction:
    written = place.write_frame(frame, table=dataset, partition=partition)
    return AddAction(
        path=written.path,
        size=written.size,
        partition_values=partition,
        modification_time=written.modified_ms,
        data_change=data_change,
        stats=json.dumps({"numRecords": frame.height}),
    )
