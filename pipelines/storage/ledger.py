"""The ledger of loads: which delivered files are in the lake, and what became of their rows.

A batch of files is loaded in two steps, so that a process killed at any moment neither loses nor
doubles a row: the batch is written here as ``prepared``, then its rows are committed to the Delta
table together with the batch's number, then it is marked ``committed``. After a crash the Delta
table alone decides: it either names the batch or not.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    ScalarSelect,
    Select,
    Text,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    type_coerce,
    update,
)

from pipelines.clock import SHANGHAI
from pipelines.storage.lake_schemas import REGISTERS
from pipelines.storage.ledger_retries import Retry, count_with_retries
from pipelines.storage.ledger_tables import (
    ARRIVALS,
    BATCHES,
    DECISIONS,
    ERASURES,
    FILES,
    METADATA,
    RAW_IDS,
    RETRIES,
    STRAYS,
    UNDONE,
)
from pipelines.storage.sqlite import create_tables, open_engine, write_at_once

__all__ = [
    "FILE_ID_DIGITS",
    "Arrival",
    "Decision",
    "Erasure",
    "FileStatus",
    "Ledger",
    "LoadedFile",
    "Stray",
    "UndoneRow",
    "unread_file",
]

FileStatus = Literal["accepted", "partly", "held", "unreadable", "duplicate"]
DecisionKind = Literal["accept", "replace", "undo", "withdraw", "gone"]

ErasureKind = Literal["retention", "person", "record ids"]

WITH_RAW_IDS = ("calls", "transfers", "cases")
KEYED_SINCE = 8  # version of the tables from which on records bear pseudonyms

FILE_ID_DIGITS = 16  # of a digest, as the lake's rows name their file

COMMITTED = BATCHES.c.state == "committed"
PREPARED = BATCHES.c.state == "prepared"

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
    whose later reports were left out; ``reason`` is empty unless the file is held or unreadable,
    ``remedy`` says what to do then; ``held_for`` is the kind of reason.
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
    held_for: str = ""
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Accepted rows of one file on one event day, and the moment by which all were known; a number
    below zero are rows that a later batch took away.
    """

    source: str
    event_day: date | None
    path: str
    rows: int
    known_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided beside the rules: a file was accepted though it would be held, it replaced
    an earlier one, it undid rows of one (by a reversal, or as a correction with other values),
    somebody took its rows out again, or it waited and is gone from its landing folder. ``rows``
    left the lake by it.
    """

    kind: DecisionKind
    path: str
    target_path: str = ""
    target_digest: str = ""
    rows: int = 0
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class UndoneRow:
    """A row of the lake's schema as JSON that counts as delivered, though the lake holds it not."""

    event_day: date
    row: str


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """That rows were taken out of the lake for good, or numbers of records replaced by pseudonyms:
    event days before ``days_before`` are no longer there, nor are versions of a
    register before ``readable_from`` (None: before the one that this batch made).
    """

    kind: ErasureKind
    days_before: date | None = None
    readable_from: int | None = None


@dataclass(frozen=True, kw_only=True)
class Stray:
    """A file in a landing folder that belongs to no dataset, why, and what to do."""

    path: str
    reason: str
    remedy: str = ""


class Ledger:
    """The SQLite file beside the Delta tables; the journal is a rollback journal and every write is
    flushed.
    """

    def __init__(self, path: Path) -> None:
        self._engine = open_engine(path)
        before = create_tables(self._engine, METADATA)
        if 0 < before < KEYED_SINCE:
            self.expect_raw_ids()

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
        decisions: Sequence[Decision] = (),
        undone: Sequence[UndoneRow] = (),
        retries: Sequence[Retry] = (),
        erasures: Sequence[Erasure] = (),
        landing: str = "",
    ) -> None:
        """Write down what the batch will load, and from which ``landing`` folder, before the lake
        is touched.
        """
        number = {"batch": batch}
        row = {
            "dataset": dataset,
            "state": "prepared",
            "received_at": received_at,
            "landing": landing,
        }
        with write_at_once(self._engine) as connection:
            connection.execute(insert(BATCHES).values(number | row))
            if files:
                connection.execute(insert(FILES), [number | asdict(file) for file in files])
            if arrivals:
                rows = [number | {"dataset": dataset} | asdict(item) for item in arrivals]
                connection.execute(insert(ARRIVALS), rows)
            others = (
                (DECISIONS, decisions),
                (UNDONE, undone),
                (RETRIES, retries),
                (ERASURES, erasures),
            )
            for table, items in others:
                if items:
                    own = number | {"dataset": dataset}
                    connection.execute(insert(table), [own | asdict(item) for item in items])

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

    def forget(self, batches: Collection[int]) -> None:
        """Forget these batches with all that was written of them: their files are loaded again."""
        with write_at_once(self._engine) as connection:
            connection.execute(delete(BATCHES).where(BATCHES.c.batch.in_(list(batches))))

    def unfinished_batches(self) -> list[tuple[int, str]]:
        """Batches (with their dataset) whose load was cut short."""
        query = select(BATCHES.c.batch, BATCHES.c.dataset).where(PREPARED)
        rows = self._rows(query.order_by(BATCHES.c.batch))
        return [(row["batch"], row["dataset"]) for row in rows]

    def newest_batches(self) -> dict[str, int]:
        """The newest batch that brought rows to each dataset."""
        return {
            dataset: batch
            for batch, (dataset, version) in sorted(self.written_batches().items())
            if version is not None
        }

    def written_batches(self) -> dict[int, tuple[str, int | None]]:
        """Dataset and Delta version (none if it brought no rows) of every loaded batch."""
        query = select(BATCHES.c.batch, BATCHES.c.dataset, BATCHES.c.delta_version)
        return {
            row["batch"]: (row["dataset"], row["delta_version"])
            for row in self._rows(query.where(COMMITTED))
        }

    def committed_batches(self) -> set[int]:
        """Numbers of all loaded batches."""
        return {row["batch"] for row in self._rows(select(BATCHES.c.batch).where(COMMITTED))}

    def digests_by_stamp(self, stamps: Collection[str]) -> dict[str, str]:
        """The digests of files that have not been touched since they were last read, by stamp."""
        query = select(FILES.c.stamp, FILES.c.digest).where(FILES.c.stamp.in_(stamps))
        rows = self._rows(query.order_by(FILES.c.batch))
        return {row["stamp"]: row["digest"] for row in rows}

    def known_digests(self, dataset: str, digests: Collection[str]) -> set[str]:
        """Those of these digests that were loaded or held in this dataset."""
        query = select(FILES.c.digest).distinct().where(FILES.c.digest.in_(digests))
        return {row["digest"] for row in self._rows(query.where(FILES.c.dataset == dataset))}

    def known_paths(self, paths: Collection[str]) -> set[str]:
        """Those of these paths that a file was loaded from, or held."""
        query = select(FILES.c.path).distinct().where(FILES.c.path.in_(paths))
        return {row["path"] for row in self._rows(query)}

    def find_load(self, *, dataset: str, digest: str) -> LoadedFile | None:
        """The latest load of a file with this content into this dataset."""
        return self._latest_file(FILES.c.dataset == dataset, FILES.c.digest == digest)

    def replacement(self, file: LoadedFile) -> str | None:
        """The path of the file that replaced the rows of ``file`` after its latest load, if any."""
        query = (
            select(DECISIONS.c.path)
            .join(BATCHES)
            .where(COMMITTED, DECISIONS.c.kind == "replace", DECISIONS.c.dataset == file.dataset)
            .where(DECISIONS.c.target_path == file.path, DECISIONS.c.target_digest == file.digest)
            .where(DECISIONS.c.batch > _latest_batch(file))
        )
        path: str | None = self._scalar(query.order_by(DECISIONS.c.batch.desc()).limit(1))
        return path

    def withdrawal(self, file: LoadedFile) -> Decision | None:
        """The decision by which the rows of ``file`` were taken out after its latest load, if
        any.
        """
        columns = [column for column in DECISIONS.c if column.name not in ("batch", "dataset")]
        query = (
            select(*columns)
            .join(BATCHES)
            .where(COMMITTED, DECISIONS.c.kind == "withdraw", DECISIONS.c.dataset == file.dataset)
            .where(DECISIONS.c.target_path == file.path, DECISIONS.c.target_digest == file.digest)
            .where(DECISIONS.c.batch > _latest_batch(file))
        )
        rows = self._rows(query.order_by(DECISIONS.c.batch.desc()).limit(1))
        return Decision(**rows[0]) if rows else None

    def repeating_loads(self, dataset: str, *, withdrawal: int | None = None) -> list[LoadedFile]:
        """The latest loads of files with duplicates that came after a file which was taken out
        again since (with ``withdrawal`` by that batch): rows that left with it may be theirs too.
        """
        later, first = FILES.alias("later"), FILES.alias("first")
        first_batch = (
            select(func.min(first.c.batch))
            .where(first.c.path == DECISIONS.c.target_path)
            .where(first.c.digest == DECISIONS.c.target_digest)
            .scalar_subquery()
        )
        taken_out = exists().where(
            DECISIONS.c.kind == "withdraw",
            DECISIONS.c.dataset == dataset,
            DECISIONS.c.batch > FILES.c.batch,
            DECISIONS.c.target_digest != FILES.c.digest,
            FILES.c.batch >= first_batch,
            true() if withdrawal is None else DECISIONS.c.batch == withdrawal,
        )
        loaded_since = exists().where(
            later.c.dataset == FILES.c.dataset,
            later.c.digest == FILES.c.digest,
            later.c.batch > FILES.c.batch,
        )
        query = _loaded_files().where(FILES.c.dataset == dataset, FILES.c.reason == "")
        query = query.where(taken_out, ~loaded_since).order_by(FILES.c.batch, FILES.c.path)
        files = (LoadedFile(**row) for row in self._rows(query))
        return [
            file
            for file in files
            if file.duplicates and self.replacement(file) is None and self.withdrawal(file) is None
        ]

    def has_replaced(self, file: LoadedFile) -> bool:
        """Whether the latest load of ``file`` took the place of an earlier one."""
        query = (
            select(func.count())
            .select_from(DECISIONS)
            .join(BATCHES)
            .where(COMMITTED, DECISIONS.c.kind == "replace", DECISIONS.c.dataset == file.dataset)
            .where(DECISIONS.c.path == file.path, DECISIONS.c.batch == _latest_batch(file))
        )
        return bool(self._scalar(query))

    def loads_below(self, folder: str) -> list[LoadedFile]:
        """Every load of a file whose path begins with ``folder``, in the order of loading, held
        ones too.
        """
        query = _loaded_files().where(FILES.c.path.startswith(folder, autoescape=True))
        return [LoadedFile(**row) for row in self._rows(query.order_by(FILES.c.batch))]

    def loads_of_path(self, path: str) -> list[LoadedFile]:
        """Every load of a file at this path, in the order of loading, held ones too."""
        query = _loaded_files().where(FILES.c.path == path).order_by(FILES.c.batch)
        return [LoadedFile(**row) for row in self._rows(query)]

    def days_of_files(self, dataset: str, file_ids: Collection[str]) -> list[date]:
        """Event days on which the lake may hold rows of these files."""
        if not file_ids:
            return []
        paths = [file.path for file in self.loads_of_files(dataset, file_ids).values()]
        query = select(ARRIVALS.c.event_day).distinct().join(BATCHES)
        query = query.where(COMMITTED, ARRIVALS.c.dataset == dataset, ARRIVALS.c.path.in_(paths))
        return sorted(row["event_day"] for row in self._rows(query) if row["event_day"])

    def loads_of_files(self, dataset: str, file_ids: Collection[str]) -> dict[str, LoadedFile]:
        """The last load of each of these files by its id, the first digits of its digest."""
        file_id = func.substr(FILES.c.digest, 1, FILE_ID_DIGITS)
        query = _loaded_files().where(FILES.c.dataset == dataset, file_id.in_(list(file_ids)))
        query = query.where(FILES.c.reason == "").order_by(FILES.c.batch)
        files = (LoadedFile(**row) for row in self._rows(query))
        return {file.digest[:FILE_ID_DIGITS]: file for file in files}

    def event_sources(self) -> list[str]:
        """Sources of which events were accepted."""
        query = select(ARRIVALS.c.source).distinct().join(BATCHES)
        query = query.where(COMMITTED, ARRIVALS.c.event_day.is_not(None))
        return [row["source"] for row in self._rows(query.order_by(ARRIVALS.c.source))]

    def daily_rows(self, dataset: str, *, since: date) -> dict[tuple[str, date], int]:
        """Accepted rows of events by source and event day, from ``since`` on."""
        query = (
            select(ARRIVALS.c.source, ARRIVALS.c.event_day, func.sum(ARRIVALS.c.rows).label("rows"))
            .join(BATCHES)
            .where(COMMITTED, ARRIVALS.c.dataset == dataset, ARRIVALS.c.event_day >= since)
            .group_by(ARRIVALS.c.source, ARRIVALS.c.event_day)
        )
        return {(row["source"], row["event_day"]): row["rows"] for row in self._rows(query)}

    def decisions(self) -> list[tuple[datetime, Decision]]:
        """What was decided beside the rules, and when, in order."""
        columns = [column for column in DECISIONS.c if column.name not in ("batch", "dataset")]
        query = select(*columns, BATCHES.c.received_at).join_from(DECISIONS, BATCHES)
        rows = self._rows(query.where(COMMITTED).order_by(DECISIONS.c.batch, DECISIONS.c.path))
        return [(row.pop("received_at"), Decision(**row)) for row in rows]

    def undone_rows(self, dataset: str, *, days: Sequence[date]) -> list[str]:
        """The undone rows of these event days, as they were written."""
        if not days:
            return []
        query = select(UNDONE.c.row).join(BATCHES)
        query = query.where(COMMITTED, UNDONE.c.dataset == dataset)
        query = query.where(UNDONE.c.event_day.between(min(days), max(days)))
        return [row["row"] for row in self._rows(query)]

    def record_strays(self, landing: str, strays: Sequence[Stray], *, seen_at: datetime) -> None:
        """Write down the files of a landing folder that belong to no dataset, instead of those that
        lay there before.
        """
        own = {"landing": landing, "seen_at": seen_at}
        with write_at_once(self._engine) as connection:
            connection.execute(delete(STRAYS).where(STRAYS.c.landing == landing))
            if strays:
                connection.execute(insert(STRAYS), [own | asdict(item) for item in strays])

    def latest_load(self, dataset: str) -> LoadedFile | None:
        """The file that was loaded last into this dataset, if any; held files do not count."""
        return self._latest_file(
            FILES.c.dataset == dataset, FILES.c.held == 0, FILES.c.reason == ""
        )

    def held_files(self) -> list[LoadedFile]:
        """Files held as a whole and neither loaded nor replaced since nor gone, and those that
        belong to no dataset.
        """
        return [*(file for _, file in self.waiting_files()), *self._strays()]

    def waiting_files(self) -> list[tuple[str, LoadedFile]]:
        """Files of a dataset that are held as a whole and neither loaded nor replaced since nor
        gone, each with the landing folder that it was read from (empty where nobody noted it).
        """
        later = FILES.alias("later")
        loaded_since = exists().where(
            later.c.path == FILES.c.path, later.c.batch > FILES.c.batch, later.c.reason == ""
        )
        settled = exists().where(
            DECISIONS.c.kind.in_(("replace", "gone")),
            DECISIONS.c.target_path == FILES.c.path,
            DECISIONS.c.batch > FILES.c.batch,
        )
        query = _loaded_files().add_columns(BATCHES.c.landing)
        query = query.where(FILES.c.reason != "", ~loaded_since, ~settled)
        rows = self._rows(query.order_by(FILES.c.dataset, FILES.c.path, FILES.c.batch))
        return [*{row["path"]: (row.pop("landing"), LoadedFile(**row)) for row in rows}.values()]

    def is_gone(self, file: LoadedFile) -> bool:
        """Whether a file that waited was written down as gone after its latest load."""
        query = (
            select(func.count())
            .select_from(DECISIONS)
            .where(DECISIONS.c.kind == "gone", DECISIONS.c.target_path == file.path)
            .where(DECISIONS.c.batch > _latest_batch(file))
        )
        return bool(self._scalar(query))

    def outdated_loads(self) -> set[tuple[int, str]]:
        """Batch and path of the loads whose rejected rows are no longer of interest: held files
        that were tried again since or are gone, files that were replaced or taken out again, and
        registers of which a newer one stands.
        """
        later = FILES.alias("later")
        tried_since = exists().where(later.c.path == FILES.c.path, later.c.batch > FILES.c.batch)
        left = exists().where(
            DECISIONS.c.kind.in_(("replace", "withdraw", "gone")),
            DECISIONS.c.target_path == FILES.c.path,
            or_(
                DECISIONS.c.target_digest == FILES.c.digest,
                (DECISIONS.c.kind == "replace") & (FILES.c.reason != ""),
            ),
            DECISIONS.c.batch > FILES.c.batch,
        )
        newer = (
            exists()
            .where(later.c.dataset == FILES.c.dataset, later.c.batch > FILES.c.batch)
            .where(later.c.reason == "", BATCHES.c.batch == later.c.batch, COMMITTED)
        )
        is_past = FILES.c.dataset.in_(REGISTERS) & newer
        query = select(FILES.c.batch, FILES.c.path).where(
            or_(left, (FILES.c.reason != "") & tried_since, is_past)
        )
        outdated = {(row["batch"], row["path"]) for row in self._rows(query)}
        retries = self._rows(select(RETRIES.c.batch, RETRIES.c.path, RETRIES.c.of_batch))
        return outdated | {
            (row["batch"], row["path"])
            for row in retries
            if (row["of_batch"], row["path"]) in outdated
        }

    def rows_that_left(self) -> list[tuple[int, str, tuple[int, ...]]]:
        """Batch, path and numbers of the rejected rows that left the quarantine since."""
        query = select(RETRIES.c.of_batch, RETRIES.c.path, RETRIES.c.rows).join(BATCHES)
        rows = self._rows(query.where(COMMITTED).order_by(RETRIES.c.batch))
        return [(row["of_batch"], row["path"], row["rows"]) for row in rows]

    def loads_in(self, batches: Collection[int]) -> dict[tuple[int, str], LoadedFile]:
        """The files of these batches, by batch and path."""
        query = _loaded_files().add_columns(FILES.c.batch).where(FILES.c.batch.in_(list(batches)))
        return {(row.pop("batch"), row["path"]): LoadedFile(**row) for row in self._rows(query)}

    def _strays(self) -> list[LoadedFile]:
        query = select(STRAYS.c.path, STRAYS.c.reason, STRAYS.c.remedy).order_by(STRAYS.c.path)
        return [unread_file(**row) for row in self._rows(query)]

    def kept_since(self, dataset: str) -> date | None:
        """The first event day of which no record was taken out for its age; None: of all none."""
        query = select(func.max(ERASURES.c.days_before)).join(BATCHES)
        query = query.where(COMMITTED, ERASURES.c.dataset == dataset)
        first: date | None = self._scalar(query)
        return first

    def readable_from(self, dataset: str) -> int:
        """The first Delta version of a register whose files are still there."""
        version = func.coalesce(ERASURES.c.readable_from, BATCHES.c.delta_version)
        query = select(func.max(version)).select_from(ERASURES).join(BATCHES)
        return self._scalar(query.where(COMMITTED, ERASURES.c.dataset == dataset)) or 0

    def expect_raw_ids(self) -> None:
        """Note that records of all datasets may bear the numbers of their deliveries."""
        with write_at_once(self._engine) as connection:
            connection.execute(delete(RAW_IDS))
            connection.execute(insert(RAW_IDS), [{"dataset": name} for name in WITH_RAW_IDS])

    def datasets_with_raw_ids(self) -> list[str]:
        """The datasets whose records may bear the numbers of their deliveries."""
        return [row["dataset"] for row in self._rows(select(RAW_IDS).order_by(RAW_IDS.c.dataset))]

    def forget_raw_ids(self, dataset: str) -> None:
        """Note that the records of a dataset bear pseudonyms."""
        with write_at_once(self._engine) as connection:
            connection.execute(delete(RAW_IDS).where(RAW_IDS.c.dataset == dataset))

    def paths(self) -> list[str]:
        """The path of every file that was loaded, held or seen."""
        rows = self._rows(select(FILES.c.path).union(select(STRAYS.c.path)))
        return [row["path"] for row in rows]

    def rename(self, mask: Callable[[str], str]) -> None:
        """Put the names that ``mask`` makes in the place of those of files and sources."""
        named = (
            (FILES, ("path", "source", "stamp", "reason", "remedy")),
            (ARRIVALS, ("path", "source")),
            (RETRIES, ("path",)),
            (DECISIONS, ("path", "target_path", "why")),
            (STRAYS, ("path", "reason")),
        )
        with write_at_once(self._engine) as connection:
            for table, names in named:
                for column in (table.c[name] for name in names):
                    for former in connection.scalars(select(column).distinct()).all():
                        masked = mask(former)
                        if masked != former:
                            connection.execute(
                                update(table).where(column == former).values({column: masked})
                            )

    def change_undone_rows(self, change: Callable[[str], str]) -> None:
        """Let ``change`` make another text of each row that counts as delivered and is not in the
        lake; an empty one removes it.
        """
        with write_at_once(self._engine) as connection:
            for row in connection.scalars(select(UNDONE.c.row).distinct()).all():
                mine, changed = UNDONE.c.row == row, change(row)
                if not changed:
                    connection.execute(delete(UNDONE).where(mine))
                elif changed != row:
                    connection.execute(update(UNDONE).where(mine).values(row=changed))

    def newest_day(self) -> date | None:
        """The newest event day of which something was loaded and not taken out again."""
        days = select(ARRIVALS.c.event_day).group_by(ARRIVALS.c.event_day)
        held = days.having(func.sum(ARRIVALS.c.rows) > 0).where(ARRIVALS.c.event_day.is_not(None))
        newest: date | None = self._scalar(held.order_by(ARRIVALS.c.event_day.desc()).limit(1))
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

    def newest_load_at(self) -> datetime | None:
        """When the last file was loaded."""
        query = select(BATCHES.c.received_at).join_from(FILES, BATCHES).where(COMMITTED)
        query = query.order_by(BATCHES.c.batch.desc())
        newest: datetime | None = self._scalar(query.limit(1))
        return newest

    def loads_received(self, *, since: datetime) -> list[tuple[int, datetime, LoadedFile]]:
        """Batch, moment of loading and file of every load from ``since`` on."""
        query = (
            _loaded_files()
            .add_columns(FILES.c.batch, BATCHES.c.received_at)
            .where(BATCHES.c.received_at >= since)
            .order_by(FILES.c.batch, FILES.c.path)
        )
        rows = self._rows(query)
        return [(row.pop("batch"), row.pop("received_at"), LoadedFile(**row)) for row in rows]

    def latest_versions(self) -> dict[str, int]:
        """The Delta version of the last load of every dataset that was loaded."""
        newest = func.max(BATCHES.c.delta_version).label("version")
        query = select(BATCHES.c.dataset, newest).group_by(BATCHES.c.dataset)
        rows = self._rows(query.where(COMMITTED, BATCHES.c.delta_version.is_not(None)))
        return {row["dataset"]: row["version"] for row in rows}

    def version_before(self, dataset: str, at: datetime) -> int | None:
        """The Delta version of the dataset's last load before ``at``, if there was one."""
        query = select(func.max(BATCHES.c.delta_version)).where(BATCHES.c.dataset == dataset)
        query = query.where(COMMITTED, BATCHES.c.received_at < at.astimezone(SHANGHAI))
        version: int | None = self._scalar(query)
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

    def _rows(self, query: Select[Any] | CompoundSelect[Any]) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def _latest_batch(file: LoadedFile) -> ScalarSelect[Any]:
    """The batch of the latest load of this file."""
    of_file = (FILES.c.path == file.path, FILES.c.digest == file.digest)
    return select(func.max(FILES.c.batch)).where(*of_file).scalar_subquery()


def _loaded_files() -> Select[Any]:
    return count_with_retries()


def unread_file(*, path: str, reason: str, remedy: str = "") -> LoadedFile:
    """A file that belongs to no dataset, of which nothing was read."""
    return LoadedFile(
        path=path,
        dataset="unknown",
        source="",
        digest="",
        stamp="",
        through=None,
        rows=0,
        accepted=0,
        quarantined=0,
        duplicates=0,
        held=0,
        reason=reason,
        remedy=remedy,
        status="unreadable",
    )
