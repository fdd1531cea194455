"""The lake: Delta tables of accepted records, events by event day, registers as a whole.

Every load is one Delta commit that carries the number of its batch (see
``pipelines.storage.ledger``); data files are flushed to the disk before the commit that names them.
Inside a day rows are sorted, so that a reader of some numbers or accounts skips most of the file.
"""

import fcntl
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Self
from urllib.parse import unquote
from uuid import uuid4

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.transaction import AddAction, RemoveAction

from data_contracts.errors import LakeError
from pipelines.clock import ZONE
from pipelines.storage.durable_files import file_digest, flush_to_disk
from pipelines.storage.lake_schemas import DAY, EVENTS, MOMENT, REGISTERS, SORTED_BY, TABLES
from pipelines.storage.ledger import Ledger

__all__ = ["Lake"]

TRANSACTION_APP = "forestall.ingest"
ROW_GROUP = 100_000
# Published lists are kept for three years and can be made again from the versions they name.
KEEP_VERSIONS = {"delta.logRetentionDuration": "interval 1100 days"}


class Lake:
    """Reads and writes the Delta tables below ``root``.

    ``versions`` fixes each dataset to one Delta version; without it every scan reads the newest.
    """

    def __init__(self, root: Path, *, versions: Mapping[str, int] | None = None) -> None:
        self._root = root
        self._versions = versions

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._root

    def scan(self, dataset: str, *, days: tuple[date, date] | None = None) -> pl.LazyFrame:
        """The records of ``dataset``, of events only those between two days (both included).

        The frame has the dataset's schema even if nothing was loaded yet. Raises ``LakeError`` for
        a dataset or version that does not exist.
        """
        schema = _schema(dataset)
        version = self._versions.get(dataset) if self._versions is not None else None
        if not self._exists(dataset) or (self._versions is not None and version is None):
            return pl.LazyFrame(schema=schema)
        frame = pl.scan_delta(str(self._folder(dataset)), version=version)
        if days is not None and dataset in EVENTS:
            frame = frame.filter(pl.col(DAY).is_between(*days))
        return _in_schema(frame, schema)

    def scan_register(self, dataset: str, *, before: datetime) -> pl.LazyFrame:
        """A register as it stood before a moment; as it is today if it came only later, as when a
        past is loaded afterwards.

        A register of those days may lack columns of today: they are null.
        """
        version = self._ledger().version_before(dataset, before)
        if version is None or self._versions is not None:
            return self.scan(dataset)
        schema = _schema(dataset)
        frame = pl.scan_delta(str(self._folder(dataset)), version=version)
        missing = schema.keys() - set(frame.collect_schema().names())
        absent = [pl.lit(None, dtype=schema[name]).alias(name) for name in missing]
        return _in_schema(frame.with_columns(absent), schema)

    def register_versions(self) -> dict[str, int]:
        """The newest Delta version of each register but the cases that was ever loaded."""
        names = (name for name in REGISTERS if name != "cases")
        return {name: self.newest_version(name) for name in names if self._exists(name)}

    def registers_changed_since(self, at: datetime) -> bool:
        """Whether another register of people, numbers or accounts stood before ``at``."""
        ledger = self._ledger()
        newest = ledger.latest_versions()
        return any(
            ledger.version_before(name, at) not in {None, newest.get(name)}
            for name in self.register_versions()
        )

    def files(self, dataset: str) -> tuple[str, ...]:
        """The names of the data files that hold the events of ``dataset``, in order."""
        if not self._exists(dataset):
            return ()
        table = DeltaTable(self._folder(dataset))
        return tuple(sorted(pl.DataFrame(table.get_add_actions(flatten=True))["path"]))

    def scan_files(self, dataset: str, files: Sequence[str]) -> pl.LazyFrame:
        """The records of ``dataset`` in some of its data files, also of older versions; without the
        event day.
        """
        schema = pl.Schema({k: kind for k, kind in _schema(dataset).items() if k != DAY})
        if not files:
            return pl.LazyFrame(schema=schema)
        paths = [self._folder(dataset) / unquote(file) for file in files]
        return _in_schema(pl.scan_parquet(paths, hive_partitioning=False), schema)

    def days(self, dataset: str) -> list[date]:
        """The event days that hold records of ``dataset``, in order."""
        if dataset not in EVENTS or not self._exists(dataset):
            return []
        version = self._versions.get(dataset) if self._versions is not None else None
        if self._versions is not None and version is None:
            return []
        partitions = DeltaTable(self._folder(dataset), version=version).partitions()
        return sorted({date.fromisoformat(str(item[DAY])) for item in partitions})

    def append(self, dataset: str, frame: pl.DataFrame, *, batch: int) -> int:
        """Add events in one commit, a file a day; return the Delta version. The same batch is added
        only once.
        """
        return self._commit(dataset, frame, batch=batch, mode="append")

    def replace(self, dataset: str, frame: pl.DataFrame, *, batch: int) -> int:
        """Replace the whole dataset by ``frame`` in one commit; return the Delta version."""
        return self._commit(dataset, frame, batch=batch, mode="overwrite")

    def amend(
        self, dataset: str, frame: pl.DataFrame, *, gone: pl.DataFrame, batch: int, at: datetime
    ) -> int:
        """Take the rows ``gone`` out of the events of ``dataset`` and add ``frame`` in one commit;
        return the Delta version.

        Both have the dataset's schema. The days of ``gone`` are written anew; their old files stay
        for readers of old versions.
        """
        table = self._table(dataset)
        if (table.transaction_version(TRANSACTION_APP) or 0) >= batch:
            return table.version()
        columns = list(_schema(dataset))
        days = gone[DAY].unique().to_list()
        stored = (
            self.scan(dataset, days=(min(days), max(days)))
            .filter(pl.col(DAY).is_in(days))
            .collect()
        )
        kept = stored.join(gone.select(columns), on=columns, how="anti", nulls_equal=True)
        actions = [
            *_removals(table, days=days, at=at),
            *_write_files(
                pl.concat([kept, frame.select(columns)]),
                dataset=dataset,
                folder=self._folder(dataset),
            ),
        ]
        return self._commit_actions(table, dataset, actions=actions, batch=batch, mode="append")

    def last_batch(self, dataset: str) -> int:
        """Number of the newest batch that reached the dataset; 0 if none did."""
        if not self._exists(dataset):
            return 0
        return DeltaTable(self._folder(dataset)).transaction_version(TRANSACTION_APP) or 0

    def newest_version(self, dataset: str) -> int:
        """The dataset's newest Delta version."""
        return DeltaTable(self._folder(dataset)).version()

    def newest_versions(self) -> dict[str, int]:
        """The newest Delta version of each dataset that was ever loaded; asks the tables alone, so
        that it is known without the ledger.
        """
        return {name: self.newest_version(name) for name in TABLES if self._exists(name)}

    def version(self) -> str:
        """The state of the whole lake in one line, such as ``calls=12,residents=3``; equal text,
        equal data.
        """
        loaded = self._ledger().latest_versions()
        return ",".join(f"{dataset}={number}" for dataset, number in sorted(loaded.items()))

    def at_version(self, version: str) -> Self:
        """The lake as it was at ``version``, for making an old result again."""
        return type(self)(self._root, versions=_parse_version(version))

    def changed_days(self, since_version: str, *, dataset: str) -> list[date]:
        """Event days of ``dataset`` that gained or lost rows after ``since_version`` (empty text:
        ever).
        """
        since = _parse_version(since_version).get(dataset, -1)
        return sorted(self._ledger().changed_days(dataset=dataset, since=since))

    def arrivals(self) -> pl.DataFrame:
        """What has arrived: dataset, source, event_day, rows, file, ingested_at, known_until. Rows
        that were taken away again are a line of their own with a number below zero.
        """
        return self._ledger().arrivals()

    def compact(self, dataset: str) -> list[date]:
        """Merge the files of every day that lies in several into one sorted file; return those
        days.

        Contents and ``version()`` stay the same, and the old files stay for readers of old
        versions. Raises ``LakeError`` while a load is running.
        """
        if dataset not in EVENTS or not self._exists(dataset):
            return []
        with self.locked():
            table = DeltaTable(self._folder(dataset))
            files = Counter(pl.DataFrame(table.get_add_actions(flatten=True))[f"partition.{DAY}"])
            scattered = sorted(day for day, number in files.items() if number > 1)
            for day in scattered:
                merged = self.scan(dataset, days=(day, day)).collect()
                adds = _write_files(
                    merged, dataset=dataset, folder=self._folder(dataset), data_change=False
                )
                table.create_write_transaction(
                    list(adds),
                    "overwrite",
                    table.schema(),
                    partition_by=[DAY],
                    partition_filters=[(DAY, "=", day.isoformat())],
                )
                self._flush_log(table, dataset)
        return scattered

    def damaged_files(self) -> list[Path]:
        """Data files whose content is not what was written: a flipped bit is otherwise read without
        a word.
        """
        files = (
            Path(unquote(uri))
            for dataset in TABLES
            if self._exists(dataset)
            for uri in DeltaTable(self._folder(dataset)).file_uris()
        )
        return [path for path in files if file_digest(path) != path.stem.rpartition("-")[2]]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer of this lake; ``LakeError`` at once if another process is. Ends with
        the process.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / "writer.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LakeError(
                    "another load is writing to this lake", remedy="Wait until it has ended."
                ) from None
            yield

    def _commit(self, dataset: str, frame: pl.DataFrame, *, batch: int, mode: str) -> int:
        table = self._table(dataset)
        if (table.transaction_version(TRANSACTION_APP) or 0) >= batch:
            return table.version()
        adds = _write_files(
            frame.select(list(_schema(dataset))), dataset=dataset, folder=self._folder(dataset)
        )
        return self._commit_actions(table, dataset, actions=list(adds), batch=batch, mode=mode)

    def _commit_actions(
        self,
        table: DeltaTable,
        dataset: str,
        *,
        actions: list[AddAction | RemoveAction],
        batch: int,
        mode: str,
    ) -> int:
        table.create_write_transaction(
            actions,
            mode,
            table.schema(),
            partition_by=_partition_columns(dataset),
            commit_properties=CommitProperties(
                app_transactions=[Transaction(TRANSACTION_APP, batch)]
            ),
        )
        return self._flush_log(table, dataset)

    def _flush_log(self, table: DeltaTable, dataset: str) -> int:
        """Flush the commit just made; return its version."""
        table.update_incremental()
        log = self._folder(dataset) / "_delta_log"
        flush_to_disk(log / f"{table.version():020d}.json")
        flush_to_disk(log)
        return table.version()

    def _table(self, dataset: str) -> DeltaTable:
        if self._exists(dataset):
            return DeltaTable(self._folder(dataset))
        folder = self._folder(dataset)
        schema = Schema.from_arrow(_in_utc(pl.DataFrame(schema=_schema(dataset))).to_arrow().schema)
        table = DeltaTable.create(
            folder,
            schema=schema,
            mode="ignore",
            partition_by=_partition_columns(dataset),
            configuration=KEEP_VERSIONS,
        )
        self._flush_log(table, dataset)
        flush_to_disk(folder)
        flush_to_disk(self._root)
        return table

    def _exists(self, dataset: str) -> bool:
        return DeltaTable.is_deltatable(str(self._folder(dataset)))

    def _folder(self, dataset: str) -> Path:
        _schema(dataset)
        return self._root / dataset

    def _ledger(self) -> Ledger:
        return Ledger(self._root / "ledger.db")


def _in_schema(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """The schema's columns in its order, moments in our zone: Delta keeps them in UTC."""
    moments = [name for name, kind in schema.items() if kind == MOMENT]
    return frame.with_columns(pl.col(moments).dt.convert_time_zone(ZONE)).select(list(schema))


def _schema(dataset: str) -> pl.Schema:
    try:
        return TABLES[dataset]
    except KeyError:
        raise LakeError(
            f"the lake has no dataset {dataset!r}", remedy=f"Choose one of {', '.join(TABLES)}."
        ) from None


def _partition_columns(dataset: str) -> list[str]:
    return [DAY] if dataset in EVENTS else []


def _parse_version(version: str) -> dict[str, int]:
    try:
        return {
            name: int(number)
            for name, _, number in (part.partition("=") for part in version.split(",") if part)
        }
    except ValueError:
        raise LakeError(
            f"{version!r} is no version of the lake",
            remedy="A version looks like calls=12,residents=3.",
        ) from None


def _in_utc(frame: pl.DataFrame) -> pl.DataFrame:
    """Delta knows timestamps in UTC only."""
    moments = [name for name, kind in frame.schema.items() if kind == MOMENT]
    return frame.with_columns(pl.col(moments).dt.convert_time_zone("UTC"))


def _write_files(
    frame: pl.DataFrame, *, dataset: str, folder: Path, data_change: bool = True
) -> Iterator[AddAction | RemoveAction]:
    """Write and flush the data files of one commit: one a day for events, one in all for a
    register.
    """
    if dataset not in EVENTS:
        yield _write_file(_in_utc(frame), folder=folder, partition={}, data_change=data_change)
        return
    by_day = (
        _in_utc(frame)
        .sort(DAY, *SORTED_BY[dataset])
        .partition_by(DAY, as_dict=True, include_key=False)
    )
    for (day,), part in by_day.items():
        yield _write_file(
            part, folder=folder, partition={DAY: day.isoformat()}, data_change=data_change
        )


def _removals(table: DeltaTable, *, days: Sequence[date], at: datetime) -> Iterator[RemoveAction]:
    """The data files of these days, to be removed from the table."""
    files = pl.DataFrame(table.get_add_actions(flatten=True))
    of_day = files.filter(pl.col(f"partition.{DAY}").cast(pl.Date).is_in(days))
    for path, size, day in of_day.select("path", "size_bytes", f"partition.{DAY}").iter_rows():
        yield RemoveAction(
            path=path,
            data_change=True,
            deletion_timestamp=int(at.timestamp() * 1000),
            size=size,
            partition_values={DAY: str(day)},
        )


def _write_file(
    frame: pl.DataFrame, *, folder: Path, partition: Mapping[str, str], data_change: bool
) -> AddAction:
    inside = folder.joinpath(*(f"{key}={value}" for key, value in partition.items()))
    inside.mkdir(parents=True, exist_ok=True)
    part = inside / f".{uuid4().hex}.part"
    frame.write_parquet(part, row_group_size=ROW_GROUP)
    flush_to_disk(part)
    path = part.rename(
        inside / f"part-{uuid4().hex[:8]}-{file_digest(part)}.parquet"
    )  # the name is the check sum
    flush_to_disk(inside)
    return AddAction(
        path=path.relative_to(folder).as_posix(),
        size=path.stat().st_size,
        partition_values=partition,
        modification_time=int(path.stat().st_mtime * 1000),
        data_change=data_change,
        stats=json.dumps({"numRecords": frame.height}),
    )
