"""The ledger of loads: which delivered files are in the lake, and what became of their rows.

A batch of files is loaded in two steps, so that a process killed at any moment neither loses nor
doubles a row: the batch is written here as ``prepared``, then its rows are committed to the Delta
table together with the batch's number, then it is marked ``committed``. After a crash the Delta
table alone decides: it either names the batch or not.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from pipelines.storage.ledger_tables import ARRIVALS, BATCHES, FILES, METADATA
from pipelines.storage.sqlite import create_tables, open_engine, write_at_once

__all__ = ["Arrival", "FileStatus", "Ledger", "LoadedFile"]

FileStatus = Literal["accepted", "partly", "held", "unreadable", "duplicate"]

COMMITTED = BATCHES.c.state == "committed"
PREPARED = BATCHES.c.state == "prepared"
# Files loaded before there was a status are told by their counts.
STATUS = case(
    (FILES.c.status != "", FILES.c.status),
    (FILES.c.held > 0, "held"),
    (FILES.c.reason != "", "unreadable"),
    (FILES.c.quarantined > 0, "partly"),
    else_="accepted",
).label("status")
FILE_COLUMNS = [
    STATUS if column.name == "status" else column for column in FILES.c if column.name != "batch"
]

ARRIVALS_SCHEMA = pl.Schema(
    {
        "dataset": pl.String(),
        "source": pl.String(),
        "event_day": pl.Date(),
        "rows": pl.Int64(),
        "file": pl.String(),
        "ingested_at": pl.Datetime("us", "Asia/Shanghai"),
        "known_until": pl.Datetime("us", "Asia/Shanghai"),
    }
)


@dataclass(frozen=True, kw_only=True)
class LoadedFile:
    """What became of one delivered file: ``rows`` = accepted + quarantined + duplicates + skipped +
    held.

    ``stamp`` tells an untouched file without reading it. ``through`` is the last day of a case file
    whose later reports were left out; ``reason`` is empty unless the file is held or unreadable.
    """

    path: str
    dataset: str
    source: str
    digest: str
    stamp: str
    through: date | None
    rows: int
    accepted: int
    quarantined: int
    duplicates: int
    held: int
    reason: str
    skipped: int = 0
    status: FileStatus = "accepted"
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Accepted rows of one file on one event day, and the moment by which all were known."""

    source: str
    event_day: date | None
    path: str
    rows: int
    known_until: datetime | None


class Ledger:
    """The SQLite file beside the Delta tables; the journal is a rollback journal and every write is
    flushed.
    """

    def __init__(self, path: Path) -> None:
        self._engine = open_engine(path)
        create_tables(self._engine, METADATA)

    def next_batch(self) -> int:
        """The number of the batch to be loaded next."""
        newest: int | None = self._scalar(select(func.max(BATCHES.c.batch)))
        return (newest or 0) + 1

    def prepare(
        self,
        batch: int,
        *,
        dataset: str,
        files: Sequence[LoadedFile],
        arrivals: Sequence[Arrival],
        received_at: datetime,
    ) -> None:
        """Write down what the batch will load, before the lake is touched."""
        number = {"batch": batch}
        row = {"dataset": dataset, "state": "prepared", "received_at": received_at}
        with write_at_once(self._engine) as connection:
            connection.execute(insert(BATCHES).values(number | row))
            if files:
                connection.execute(insert(FILES), [number | asdict(file) for file in files])
            if arrivals:
                rows = [number | {"dataset": dataset} | asdict(item) for item in arrivals]
                connection.execute(insert(ARRIVALS), rows)

    def commit(self, batch: int, *, delta_version: int | None) -> None:
        """Mark the batch as loaded by the Delta commit ``delta_version`` (none if it brought no
        rows).
        """
        loaded = update(BATCHES).where(BATCHES.c.batch == batch)
        with write_at_once(self._engine) as connection:
            connection.execute(loaded.values(state="committed", delta_version=delta_version))

    def discard(self, batch: int) -> None:
        """Forget a prepared batch that never reached the lake."""
        with write_at_once(self._engine) as connection:
            connection.execute(delete(BATCHES).where(BATCHES.c.batch == batch, PREPARED))

    def unfinished_batches(self) -> list[tuple[int, str]]:
        """Batches (with their dataset) whose load was cut short."""
        query = select(BATCHES.c.batch, BATCHES.c.dataset).where(PREPARED)
        rows = self._rows(query.order_by(BATCHES.c.batch))
        return [(row["batch"], row["dataset"]) for row in rows]

    def committed_batches(self) -> set[int]:
        """Numbers of all loaded batches."""
        return {row["batch"] for row in self._rows(select(BATCHES.c.batch).where(COMMITTED))}

    def digest_by_stamp(self, stamp: str) -> str | None:
        """The digest of a file that has not been touched since it was last read."""
        query = select(FILES.c.digest).where(FILES.c.stamp == stamp)
        digest: str | None = self._scalar(query.order_by(FILES.c.batch.desc()).limit(1))
        return digest

    def find_load(self, *, dataset: str, digest: str) -> LoadedFile | None:
        """The latest load of a file with this content into this dataset."""
        return self._latest_file(FILES.c.dataset == dataset, FILES.c.digest == digest)

    def latest_load(self, dataset: str) -> LoadedFile | None:
        """The file that was loaded last into this dataset, if any; held files do not count."""
        return self._latest_file(
            FILES.c.dataset == dataset, FILES.c.held == 0, FILES.c.reason == ""
        )

    def held_files(self) -> list[LoadedFile]:
        """Files held as a whole and not loaded since."""
        later = FILES.alias("later")
        loaded_since = exists().where(
            later.c.path == FILES.c.path, later.c.batch > FILES.c.batch, later.c.reason == ""
        )
        query = _loaded_files().where(FILES.c.reason != "", ~loaded_since)
        ordered = query.order_by(FILES.c.dataset, FILES.c.path, FILES.c.batch)
        files = [LoadedFile(**row) for row in self._rows(ordered)]
        return list({file.path: file for file in files}.values())

    def newest_day(self) -> date | None:
        """The newest day folder that something was loaded from."""
        newest: date | None = self._scalar(select(func.max(ARRIVALS.c.event_day)))
        return newest

    def loads_since(self, *, since: date) -> list[tuple[int, datetime, LoadedFile]]:
        """Batch, moment of loading and file of every load from day folders from ``since`` on, and
        of registers.
        """
        is_register = ~FILES.c.path.contains("/")
        day_folder = func.substr(FILES.c.path, func.length(FILES.c.dataset) + 2, 10)
        query = (
            _loaded_files()
            .add_columns(FILES.c.batch, BATCHES.c.received_at)
            .where(or_(is_register, day_folder >= since.isoformat()))
            .order_by(FILES.c.batch, FILES.c.path)
        )
        rows = self._rows(query)
        return [(row.pop("batch"), row.pop("received_at"), LoadedFile(**row)) for row in rows]

    def latest_version(self, dataset: str) -> int | None:
        """The Delta version of the dataset's last load."""
        query = select(func.max(BATCHES.c.delta_version))
        version: int | None = self._scalar(query.where(BATCHES.c.dataset == dataset, COMMITTED))
        return version

    def changed_days(self, *, dataset: str, since: int) -> set[date]:
        """Event days on which rows of ``dataset`` arrived in Delta versions after ``since``."""
        query = (
            select(ARRIVALS.c.event_day)
            .distinct()
            .join(BATCHES)
            .where(
                ARRIVALS.c.dataset == dataset,
                BATCHES.c.delta_version > since,
                ARRIVALS.c.event_day.is_not(None),
            )
        )
        return {row["event_day"] for row in self._rows(query)}

    def arrivals(self) -> pl.DataFrame:
        """Accepted rows by dataset, source, event day and file."""
        # Days and moments come as they are stored: polars reads a whole column of texts at once.
        query = (
            select(
                ARRIVALS.c.dataset,
                ARRIVALS.c.source,
                type_coerce(ARRIVALS.c.event_day, Text).label("event_day"),
                ARRIVALS.c.rows,
                ARRIVALS.c.path.label("file"),
                type_coerce(BATCHES.c.received_at, Text).label("ingested_at"),
                type_coerce(ARRIVALS.c.known_until, Text).label("known_until"),
            )
            .join(BATCHES)
            .where(COMMITTED)
            .order_by(ARRIVALS.c.dataset, ARRIVALS.c.event_day, ARRIVALS.c.source, ARRIVALS.c.batch)
        )
        texts = {name: pl.Int64() if name == "rows" else pl.String() for name in ARRIVALS_SCHEMA}
        moments = pl.col("ingested_at", "known_until").str.to_datetime(
            "%+", time_unit="us", time_zone="Asia/Shanghai"
        )
        frame = pl.DataFrame(self._rows(query), schema=texts)
        return frame.with_columns(pl.col("event_day").str.to_date("%Y-%m-%d"), moments)

    def _latest_file(self, *conditions: ColumnElement[bool]) -> LoadedFile | None:
        query = _loaded_files().where(*conditions).order_by(FILES.c.batch.desc()).limit(1)
        return next((LoadedFile(**row) for row in self._rows(query)), None)

    def _scalar(self, query: Select[Any]) -> Any:
        with self._engine.connect() as connection:
            return connection.scalar(query)

    def _rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def _loaded_files() -> Select[Any]:
    return select(*FILE_COLUMNS).join_from(FILES, BATCHES).where(COMMITTED)
