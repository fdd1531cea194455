"""The ledger of loads: which delivered files are in the lake, and what became of their rows.

A batch of files is loaded in two steps, so that a process killed at any moment neither loses nor
doubles a row: the batch is written here as ``prepared``, then its rows are committed to the Delta
table together with the batch's number, then it is marked ``committed``. After a crash the Delta
table alone decides: it either names the batch or not.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.storage import sqlite

__all__ = ["Arrival", "Ledger", "LoadedFile"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    batch INTEGER PRIMARY KEY, dataset TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('prepared', 'committed')),
    delta_version INTEGER, received_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    batch INTEGER NOT NULL REFERENCES batches ON DELETE CASCADE, path TEXT NOT NULL, dataset TEXT NOT NULL,
    source TEXT NOT NULL, digest TEXT NOT NULL, stamp TEXT NOT NULL, through TEXT,
    rows INTEGER NOT NULL, accepted INTEGER NOT NULL, quarantined INTEGER NOT NULL, duplicates INTEGER NOT NULL,
    held INTEGER NOT NULL, reason TEXT NOT NULL, notes TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS files_by_digest ON files (dataset, digest);
CREATE INDEX IF NOT EXISTS files_by_stamp ON files (stamp);
CREATE TABLE IF NOT EXISTS arrivals (
    batch INTEGER NOT NULL REFERENCES batches ON DELETE CASCADE, dataset TEXT NOT NULL, source TEXT NOT NULL,
    event_day TEXT, path TEXT NOT NULL, rows INTEGER NOT NULL, known_until TEXT
);
CREATE INDEX IF NOT EXISTS arrivals_by_batch ON arrivals (batch);
"""

ARRIVALS = pl.Schema(
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
    """What became of one delivered file: ``rows`` = accepted + quarantined + duplicates, or all of
    them held.

    ``stamp`` tells an untouched file without reading it. ``through`` is the last day of a case file
    whose later reports were left out; ``reason`` is empty unless held.
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
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Accepted rows of one file on one event day, and the moment by which all of them were known."""

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
        self._path = path
        sqlite.create_database(path, schema=SCHEMA)

    def next_batch(self) -> int:
        """The number of the batch to be loaded next."""
        return (self._value("SELECT MAX(batch) FROM batches") or 0) + 1

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
        with sqlite.write_transaction(self._path) as connection:
            connection.execute(
                "INSERT INTO batches VALUES (?, ?, 'prepared', NULL, ?)",
                (batch, dataset, received_at.isoformat()),
            )
            connection.executemany(
                f"INSERT INTO files VALUES ({', '.join('?' * 14)})",  # noqa: S608 -- placeholders only
                [_file_row(batch, file) for file in files],
            )
            connection.executemany(
                "INSERT INTO arrivals VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        batch,
                        dataset,
                        item.source,
                        _text(item.event_day),
                        item.path,
                        item.rows,
                        _text(item.known_until),
                    )
                    for item in arrivals
                ],
            )

    def commit(self, batch: int, *, delta_version: int | None) -> None:
        """Mark the batch as loaded by the Delta commit ``delta_version`` (none if it brought no
        rows).
        """
        with sqlite.write_transaction(self._path) as connection:
            connection.execute(
                "UPDATE batches SET state = 'committed', delta_version = ? WHERE batch = ?",
                (delta_version, batch),
            )

    def discard(self, batch: int) -> None:
        """Forget a prepared batch that never reached the lake."""
        with sqlite.write_transaction(self._path) as connection:
            connection.execute(
                "DELETE FROM batches WHERE batch = ? AND state = 'prepared'", (batch,)
            )

    def unfinished_batches(self) -> list[tuple[int, str]]:
        """Batches (with their dataset) whose load was cut short."""
        return self._rows(
            "SELECT batch, dataset FROM batches WHERE state = 'prepared' ORDER BY batch"
        )

    def committed_batches(self) -> set[int]:
        """Numbers of all loaded batches."""
        return {
            batch for (batch,) in self._rows("SELECT batch FROM batches WHERE state = 'committed'")
        }

    def digest_by_stamp(self, stamp: str) -> str | None:
        """The digest of a file that has not been touched since it was last read."""
        found = self._rows(
            "SELECT digest FROM files WHERE stamp = ? ORDER BY batch DESC LIMIT 1", (stamp,)
        )
        return found[0][0] if found else None

    def find_load(self, *, dataset: str, digest: str) -> LoadedFile | None:
        """The latest load of a file with this content into this dataset."""
        where = "f.dataset = ? AND f.digest = ? ORDER BY batch DESC LIMIT 1"
        return next(iter(self._files(where, (dataset, digest))), None)

    def latest_load(self, dataset: str) -> LoadedFile | None:
        """The file that was loaded last into this dataset, if any; held files do not count."""
        where = "f.dataset = ? AND f.held = 0 AND f.reason = '' ORDER BY batch DESC LIMIT 1"
        return next(iter(self._files(where, (dataset,))), None)

    def held_files(self) -> list[LoadedFile]:
        """Files held as a whole and not loaded since."""
        where = """f.reason <> '' AND NOT EXISTS (
            SELECT 1 FROM files AS later WHERE later.path = f.path AND later.batch > f.batch AND later.reason = ''
        ) ORDER BY f.dataset, f.path, batch"""
        return list({file.path: file for file in self._files(where, ())}.values())

    def newest_day(self) -> date | None:
        """The newest day folder that something was loaded from."""
        newest = "SELECT MAX(event_day) FROM arrivals"
        found = self._rows(newest)[0][0]
        return date.fromisoformat(found) if found else None

    def loads_since(self, *, since: date) -> list[tuple[int, datetime, LoadedFile]]:
        """Batch, moment of loading and file of every load from day folders from ``since`` on, and
        of registers.
        """
        query = """SELECT f.batch, received_at, path, f.dataset, source, digest, stamp, through, rows, accepted,
            quarantined, duplicates, held, reason, notes FROM files AS f JOIN batches USING (batch)
            WHERE state = 'committed' AND (path NOT LIKE '%/%' OR substr(path, length(f.dataset) + 2, 10) >= ?)
            ORDER BY f.batch, path"""
        rows = self._rows(query, (since.isoformat(),))
        return [(row[0], datetime.fromisoformat(row[1]), _loaded_file(row[2:])) for row in rows]

    def latest_version(self, dataset: str) -> int | None:
        """The Delta version of the dataset's last load."""
        return self._value(
            "SELECT MAX(delta_version) FROM batches WHERE dataset = ? AND state = 'committed'",
            dataset,
        )

    def changed_days(self, *, dataset: str, since: int) -> set[date]:
        """Event days on which rows of ``dataset`` arrived in Delta versions after ``since``."""
        query = """SELECT DISTINCT event_day FROM arrivals JOIN batches USING (batch)
            WHERE arrivals.dataset = ? AND delta_version > ? AND event_day IS NOT NULL"""
        return {date.fromisoformat(day) for (day,) in self._rows(query, (dataset, since))}

    def arrivals(self) -> pl.DataFrame:
        """Accepted rows by dataset, source, event day and file."""
        query = """SELECT a.dataset, a.source, a.event_day, a.rows, a.path AS file, b.received_at AS ingested_at,
            a.known_until FROM arrivals AS a JOIN batches AS b USING (batch) WHERE b.state = 'committed'
            ORDER BY a.dataset, a.event_day, a.source, a.batch"""
        texts = {name: pl.Int64() if name == "rows" else pl.String() for name in ARRIVALS}
        moments = pl.col("ingested_at", "known_until").str.to_datetime(
            "%+", time_unit="us", time_zone="Asia/Shanghai"
        )
        frame = pl.DataFrame(self._rows(query), schema=texts, orient="row")
        return frame.with_columns(pl.col("event_day").str.to_date("%Y-%m-%d"), moments)

    def _files(self, where: str, values: tuple[str, ...]) -> list[LoadedFile]:
        query = f"""SELECT path, f.dataset, source, digest, stamp, through, rows, accepted, quarantined, duplicates,
            held, reason, notes FROM files AS f JOIN batches USING (batch) WHERE state = 'committed' AND {where}"""  # noqa: S608
        return [_loaded_file(row) for row in self._rows(query, values)]

    def _value(self, query: str, *values: object) -> int | None:
        value: int | None = self._rows(query, values)[0][0]
        return value

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return sqlite.fetch_rows(self._path, query=query, values=values)


def _text(moment: date | datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _file_row(batch: int, file: LoadedFile) -> tuple[object, ...]:
    names = (file.path, file.dataset, file.source, file.digest, file.stamp, _text(file.through))
    counts = (file.rows, file.accepted, file.quarantined, file.duplicates, file.held)
    return (batch, *names, *counts, file.reason, json.dumps(file.notes, ensure_ascii=False))


def _loaded_file(row: tuple[Any, ...]) -> LoadedFile:
    (
        path,
        dataset,
        source,
        digest,
        stamp,
        through,
        rows,
        accepted,
        quarantined,
        duplicates,
        held,
        reason,
        notes,
    ) = row
    return LoadedFile(
        path=path,
        dataset=dataset,
        source=source,
        digest=digest,
        stamp=stamp,
        through=date.fromisoformat(through) if through else None,
        rows=rows,
        accepted=accepted,
        quarantined=quarantined,
        duplicates=duplicates,
        held=held,
        reason=reason,
        notes=tuple(json.loads(notes)),
    )
