"""The lake: Delta tables of accepted records, events by event day, registers as a whole.

Every load is one Delta commit that carries the number of its batch (see
``pipelines.storage.ledger``); data files are flushed to the disk before the commit that names them.
Inside a day rows are sorted, so that a reader of some numbers or accounts skips most of the file.
"""

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self
from urllib.parse import unquote

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.transaction import AddAction, RemoveAction

from data_contracts.errors import LakeError
from pipelines.clock import ZONE
from pipelines.settings import Settings
from pipelines.storage.checked_files import CheckedFiles, refuse_damaged
from pipelines.storage.lake_files import (
    TRANSACTION_APP,
    files_of,
    has_batch,
    has_file,
    in_utc,
    remove_days,
    write_files,
)
from pipelines.storage.lake_schemas import DAY, EVENTS, MOMENT, REGISTERS, TABLES
from pipelines.storage.ledger import Ledger
from pipelines.storage.places.chosen import choose_place
from pipelines.storage.places.local import LocalPlace
from pipelines.storage.places.place import Place

__all__ = ["Lake", "LakeLoad", "Rewriting"]

# Published lists are kept for three years and can be made again from the versions they name.
KEEP_VERSIONS = {"delta.logRetentionDuration": "interval 1100 days"}


@dataclass(frozen=True)
class LakeLoad:
    """A load as the lake tells it: its batch, its Delta version, when that was committed, and the
    data files that came with it.
    """

    batch: int
    version: int
    committed_at: datetime
    files: tuple[str, ...]


@dataclass(frozen=True)
class Rewriting:
    """What rewriting came to: the Delta version (None: nothing changed), how many rows left, and
    the event days that were written anew.
    """

    version: int | None
    rows_gone: int
    days: tuple[date, ...]


class Lake:
    """Reads and writes the Delta tables of ``place``, which is ``root`` unless said otherwise; the
    ledger and the lock lie below ``root`` in any case.

    ``versions`` fixes each dataset to one Delta version; without it every scan reads the newest,
    and with it the ledger is not asked unless ``asks_ledger`` says so, as it need not be there.
    """

    def __init__(
        self,
        root: Path,
        *,
        place: Place | None = None,
        versions: Mapping[str, int] | None = None,
        asks_ledger: bool = False,
    ) -> None:
        self._root = root
        self._place = place or LocalPlace(root)
        self._versions = versions
        self._asks_ledger = asks_ledger or versions is None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The lake of an installation."""
        folder = settings.lake_folder
        return cls(folder, place=choose_place(settings.storage, lake_folder=folder))

    @property
    def folder(self) -> Path:
        """Where the ledger lies."""
        return self._root

    def scan(self, dataset: str, *, days: tuple[date, date] | None = None) -> pl.LazyFrame:
        """The records of ``dataset``, of events only those between two days (both included).

        The frame has the dataset's schema even if nothing was loaded yet. Raises ``LakeError`` for
        a dataset or version that does not exist.
        """
        schema = _schema(dataset)
        if not self._is_there(dataset):
            return pl.LazyFrame(schema=schema)
        version = (self._versions or {}).get(dataset)
        frame = self._place.scan_table(dataset, version=version)
        if days is not None and dataset in EVENTS:
            frame = frame.filter(pl.col(DAY).is_between(*days))
        return _in_schema(frame, schema)

    def scan_register(self, dataset: str, *, before: datetime) -> pl.LazyFrame:
        """A register as it stood before a moment; as it is today if it came only later, as when a
        past is loaded afterwards.

        A register of those days may lack columns of today: they are null.
        """
        version = self._ledger().version_before(dataset, before) if self._asks_ledger else None
        if version is None:
            return self.scan(dataset)
        version = max(version, self._ledger().readable_from(dataset))
        if self._versions is not None:
            version = min(version, self._versions.get(dataset, version))
        schema = _schema(dataset)
        frame = self._place.scan_table(dataset, version=version)
        missing = schema.keys() - set(frame.collect_schema().names())
        absent = [pl.lit(None, dtype=schema[name]).alias(name) for name in missing]
        return _in_schema(frame.with_columns(absent), schema)

    def register_versions(self) -> dict[str, int]:
        """The newest Delta version of each register but the cases that was ever loaded."""
        names = (name for name in REGISTERS if name != "cases")
        return {name: self.newest_version(name) for name in names if self._is_there(name)}

    def registers_changed_since(self, at: datetime) -> bool:
        """Whether another register of people, numbers or accounts stood before ``at``."""
        ledger = self._ledger()
        newest = ledger.latest_versions() if self._versions is None else self._versions
        for name in self.register_versions():
            version = ledger.version_before(name, at)
            if version is not None:
                version = max(version, ledger.readable_from(name))
            if version not in {None, newest.get(name)}:
                return True
        return False

    def files(self, dataset: str) -> tuple[str, ...]:
        """The names of the data files that hold the events of ``dataset``, in order."""
        if not self._is_there(dataset):
            return ()
        table = self._place.open_table(dataset, version=(self._versions or {}).get(dataset))
        return tuple(sorted(files_of(table)["path"]))

    def files_since(self, version: str, *, dataset: str) -> tuple[str, ...]:
        """The names of the data files of ``dataset`` that an earlier version of the lake did not
        have.
        """
        if _parse_version(version).get(dataset) == _parse_version(self.version()).get(dataset):
            return ()
        before = set(self.at_version(version).files(dataset))
        return tuple(file for file in self.files(dataset) if file not in before)

    def scan_files(self, dataset: str, files: Sequence[str]) -> pl.LazyFrame:
        """The records of ``dataset`` in some of its data files, also of older versions; without the
        event day.
        """
        schema = pl.Schema({k: kind for k, kind in _schema(dataset).items() if k != DAY})
        if not files:
            return pl.LazyFrame(schema=schema)
        return _in_schema(self._place.scan_files(dataset, files), schema)

    def days(self, dataset: str) -> list[date]:
        """The event days that hold records of ``dataset``, in order."""
        if dataset not in EVENTS or not self._is_there(dataset):
            return []
        version = (self._versions or {}).get(dataset)
        partitions = self._place.open_table(dataset, version=version).partitions()
        return sorted({date.fromisoformat(str(item[DAY])) for item in partitions})

    def rows_by_day(self, dataset: str) -> dict[date, int]:
        """How many records of ``dataset`` each event day holds."""
        if dataset not in EVENTS or not self._is_there(dataset):
            return {}
        table = self._place.open_table(dataset, version=(self._versions or {}).get(dataset))
        files = files_of(table)
        day = pl.col(f"partition.{DAY}").cast(pl.String).str.to_date()
        return dict(files.group_by(day).agg(pl.col("num_records").sum()).iter_rows())

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
        if _is_written(table, dataset, batch=batch):
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
            *remove_days(table, days=days, at=at),
            *write_files(
                pl.concat([kept, frame.select(columns)]), dataset=dataset, place=self._place
            ),
        ]
        return self._commit_actions(table, dataset, actions=actions, batch=batch, mode="append")

    def rewrite(
        self,
        dataset: str,
        change: Callable[[pl.DataFrame], pl.DataFrame],
        *,
        batch: int,
        at: datetime,
        until: date | None = None,
    ) -> "Rewriting":
        """Let ``change`` make other rows of those of each day (before ``until``), or of the whole
        register, and write what is not the same in one commit.

        The old files stay until ``sweep``.
        """
        if not self._exists(dataset):
            return Rewriting(None, 0, ())
        table = self._place.open_table(dataset)
        if _is_written(table, dataset, batch=batch):
            return Rewriting(table.version(), 0, ())
        actions: list[AddAction | RemoveAction] = []
        changed_days: list[date] = []
        gone = 0
        days: Sequence[date | None] = self.days(dataset) if dataset in EVENTS else [None]
        for day in days:
            if day is not None and until is not None and day >= until:
                continue
            stored = self.scan(dataset, days=None if day is None else (day, day)).collect()
            changed = change(stored).select(stored.columns)
            if changed.equals(stored):
                continue
            gone += stored.height - changed.height
            if day is not None:
                changed_days.append(day)
                actions += remove_days(table, days=[day], at=at)
            actions += write_files(changed, dataset=dataset, place=self._place)
        if not actions:
            return Rewriting(None, 0, ())
        mode = "append" if dataset in EVENTS else "overwrite"
        version = self._commit_actions(table, dataset, actions=actions, batch=batch, mode=mode)
        return Rewriting(version, gone, tuple(changed_days))

    def sweep(
        self,
        dataset: str,
        *,
        before: date | None = None,
        readable_from: int | None = None,
    ) -> int:
        """Remove the data files from the disk that no version from ``readable_from`` on (none but
        the newest) names, of event days ``before`` one alone if it is given; return how many went.

        Whoever reads an older version finds the files gone.
        """
        if not self._exists(dataset):
            return 0
        newest = self._place.open_table(dataset)
        named = {unquote(path) for path in files_of(newest)["path"]}
        for version in range(
            newest.version() if readable_from is None else readable_from, 1 + newest.version()
        ):
            named.update(
                map(unquote, files_of(self._place.open_table(dataset, version=version))["path"])
            )
        gone = [
            file
            for file in self._place.list_files(dataset)
            if file not in named and (before is None or file < f"{DAY}={before}")
        ]
        self._place.remove_files(dataset, gone)
        return len(gone)

    def files_there(self, dataset: str, files: Sequence[str]) -> list[str]:
        """Those of some data files, also of older versions, that were not removed since."""
        there = set(self._place.list_files(dataset))
        return [file for file in files if unquote(file) in there]

    def last_batch(self, dataset: str) -> int:
        """Number of the newest batch that reached the dataset; 0 if none did."""
        if not self._exists(dataset):
            return 0
        return self._place.open_table(dataset).transaction_version(TRANSACTION_APP) or 0

    def loads(self, dataset: str) -> list["LakeLoad"]:
        """The loads that reached the dataset, in order, as the Delta log tells them; merging files
        is none.
        """
        if not self._exists(dataset):
            return []
        moments = {
            entry["version"]: datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)
            for entry in self._place.open_table(dataset).history()
        }
        loads: list[LakeLoad] = []
        before: set[str] = set()
        batch = 0
        for version in sorted(moments):
            table = self._place.open_table(dataset, version=version)
            files = set(files_of(table)["path"])
            found = table.transaction_version(TRANSACTION_APP) or 0
            if found > batch:
                fresh = tuple(sorted(files - before))
                loads.append(LakeLoad(found, version, moments[version], fresh))
            before, batch = files, found
        return loads

    def newest_version(self, dataset: str) -> int:
        """The dataset's newest Delta version, or the one that it is fixed to."""
        if self._versions is not None and dataset in self._versions:
            return self._versions[dataset]
        return self._place.open_table(dataset).version()

    def newest_versions(self) -> dict[str, int]:
        """The newest Delta version of each dataset that was ever loaded; asks the tables alone, so
        that it is known without the ledger.
        """
        return {name: self.newest_version(name) for name in TABLES if self._is_there(name)}

    def version(self) -> str:
        """The state of the whole lake in one line, such as ``calls=12,residents=3``; equal text,
        equal data.
        """
        loaded = self._ledger().latest_versions() if self._versions is None else self._versions
        return ",".join(f"{dataset}={number}" for dataset, number in sorted(loaded.items()))

    def at_version(self, version: str) -> Self:
        """The lake as it was at ``version``, for making an old result again."""
        return self._at(_parse_version(version))

    def fixed(self) -> Self:
        """The lake as it is now, whatever is loaded from here on: all that is read from it is of
        its ``version()``.

        What a load has committed to a table and not yet to the ledger is not part of it; a table of
        which the ledger knows nothing is as its own log says.
        """
        if self._versions is not None:
            return self
        loaded = self._ledger().latest_versions()
        others = {name for name in TABLES if name not in loaded and self._exists(name)}
        versions = loaded | {name: self.newest_version(name) for name in others}
        return self._at(versions)

    def _at(self, versions: Mapping[str, int]) -> Self:
        return type(self)(self._root, place=self._place, versions=versions, asks_ledger=True)

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
            table = self._place.open_table(dataset)
            files = Counter(files_of(table)[f"partition.{DAY}"])
            scattered = sorted(day for day, number in files.items() if number > 1)
            for day in scattered:
                self._merge_day(table, dataset, day)
        return scattered

    def require_whole(self, files: Mapping[str, Sequence[str]], *, checked: CheckedFiles) -> None:
        """Make sure that these data files, by dataset, are what was written: each is compared with
        the digest in its name unless it was before and was not touched since.

        Raises ``LakeError`` naming those that are gone or are not.
        """
        marks: dict[str, str] = {}
        damaged: list[str] = []
        for dataset, names in files.items():
            for name in names:
                try:
                    mark = self._place.file_mark(dataset, name)
                except FileNotFoundError:
                    damaged.append(f"{dataset}/{name}")
                    continue
                if mark is not None:
                    marks[f"{dataset}/{name}"] = mark
        if marks:
            damaged += checked.find_changed(
                marks,
                is_whole=lambda file: self._is_whole(
                    file.partition("/")[0], file.partition("/")[2]
                ),
            )
        refuse_damaged(
            damaged,
            thing="data file",
            of="the lake",
            remedy="Restore from a backup what `forestall verify` names.",
        )

    def files_of_days(self, days: tuple[date, date]) -> dict[str, list[str]]:
        """The data files of each dataset that hold events of these days (both included), and those
        of registers as they are.
        """
        found: dict[str, list[str]] = {}
        for dataset in filter(self._is_there, TABLES):
            version = (self._versions or {}).get(dataset)
            files = files_of(self._place.open_table(dataset, version=version))
            if dataset in EVENTS:
                day = pl.col(f"partition.{DAY}").cast(pl.String).str.to_date()
                files = files.filter(day.is_between(*days))
            found[dataset] = files["path"].to_list()
        return found

    def count_files(self) -> int:
        """How many data files the newest versions of all tables have."""
        return sum(1 for _ in self._data_files())

    def damaged_files(self) -> list[str]:
        """Data files, by where they lie, that are gone or whose content is not what was written: a
        flipped bit is otherwise read without a word.
        """
        return [
            f"{self._place.table_uri(dataset)}/{file}"
            for dataset, file in self._data_files()
            if not self._is_whole(dataset, file)
        ]

    def answering(self) -> AbstractContextManager[None]:
        """What goes wrong with an object store inside the block is a ``LakeError``, also where rows
        are read that were scanned before.
        """
        return self._place.answering()

    def _data_files(self) -> Iterator[tuple[str, str]]:
        for dataset in filter(self._exists, TABLES):
            for file in files_of(self._place.open_table(dataset))["path"]:
                yield dataset, file

    def _is_whole(self, dataset: str, file: str) -> bool:
        try:
            return self._place.file_digest(dataset, file) == Path(file).stem.rpartition("-")[2]
        except FileNotFoundError:
            return False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer of this lake; ``LakeError`` at once if another process is. Ends with
        the process. What goes wrong with an object store meanwhile is a ``LakeError``, too.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / "writer.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LakeError(
                    "another load is writing to this lake", remedy="Wait until it has ended."
                ) from None
            with self._place.answering():
                yield

    def _commit(self, dataset: str, frame: pl.DataFrame, *, batch: int, mode: str) -> int:
        table = self._table(dataset)
        if _is_written(table, dataset, batch=batch):
            return table.version()
        adds = write_files(frame.select(list(_schema(dataset))), dataset=dataset, place=self._place)
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
        before = table.version()
        properties = CommitProperties(
            app_transactions=[Transaction(TRANSACTION_APP, batch)], max_commit_retries=0
        )
        self._place.commit(
            lambda: table.create_write_transaction(
                actions,
                mode,
                table.schema(),
                partition_by=_partition_columns(dataset),
                commit_properties=properties,
            ),
            is_made=lambda: has_batch(table, batch, before=before),
        )
        return self._keep_commit(table, dataset)

    def _merge_day(self, table: DeltaTable, dataset: str, day: date) -> None:
        """Merge the files of one day in one commit."""
        merged = self.scan(dataset, days=(day, day)).collect()
        adds = list(write_files(merged, dataset=dataset, place=self._place, data_change=False))
        before = table.version()
        self._place.commit(
            lambda: table.create_write_transaction(
                adds,
                "overwrite",
                table.schema(),
                partition_by=[DAY],
                partition_filters=[(DAY, "=", day.isoformat())],
                commit_properties=CommitProperties(max_commit_retries=0),
            ),
            is_made=lambda: has_file(table, adds[0].path, before=before),
        )
        self._keep_commit(table, dataset)

    def _keep_commit(self, table: DeltaTable, dataset: str) -> int:
        """See that the commit just made outlives a power cut; return its version."""
        table.update_incremental()
        self._place.keep_commit(dataset, table.version())
        return table.version()

    def _table(self, dataset: str) -> DeltaTable:
        if self._exists(dataset):
            return self._place.open_table(dataset)
        schema = Schema.from_arrow(in_utc(pl.DataFrame(schema=_schema(dataset))).to_arrow().schema)
        self._place.commit(
            lambda: DeltaTable.create(
                self._place.table_uri(dataset),
                schema=schema,
                mode="ignore",
                partition_by=_partition_columns(dataset),
                configuration=KEEP_VERSIONS,
                storage_options=self._place.table_options(),
                commit_properties=CommitProperties(max_commit_retries=0),
            ),
            is_made=lambda: self._exists(dataset),
        )
        table = self._place.open_table(dataset)
        self._keep_commit(table, dataset)
        return table

    def _is_there(self, dataset: str) -> bool:
        """Whether the dataset was loaded by the versions that this lake is fixed to."""
        return self._exists(dataset) and (self._versions is None or dataset in self._versions)

    def _exists(self, dataset: str) -> bool:
        _schema(dataset)
        return self._place.has_table(dataset)

    def _ledger(self) -> Ledger:
        return Ledger(self._root / "ledger.db")


def _is_written(table: DeltaTable, dataset: str, *, batch: int) -> bool:
    """Whether the batch is the last that reached the table; raises ``LakeError`` for an earlier
    number, under which other rows came.
    """
    last = table.transaction_version(TRANSACTION_APP) or 0
    if batch < last:
        raise LakeError(
            f"the number {batch} of a load of {dataset} was given out before: {last} is the last",
            remedy="Make the ledger again from the lake with `forestall rebuild-ledger`.",
        )
    return batch == last


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
