"""A folder on a disk, or on a shared file system."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import polars as pl
from deltalake import DeltaTable

from pipelines.storage.places.durable_files import file_digest, file_mark, flush_to_disk
from pipelines.storage.places.place import ROW_GROUP, WrittenFile

__all__ = ["LocalPlace"]


@dataclass(frozen=True)
class LocalPlace:
    """Delta tables below ``folder``; what is written is flushed to the disk."""

    folder: Path

    def has_table(self, name: str) -> bool:
        """Whether the table exists."""
        return DeltaTable.is_deltatable(self.table_uri(name))

    def table_uri(self, name: str) -> str:
        """Where the table lies, in Delta's words."""
        return str(self.folder / name)

    def open_table(self, name: str, *, version: int | None = None) -> DeltaTable:
        """The table as it is, or as it was at a version."""
        return DeltaTable(self.folder / name, version=version)

    def scan_table(self, name: str, *, version: int | None = None) -> pl.LazyFrame:
        """The rows of the table as it is, or as it was at a version."""
        return pl.scan_delta(self.table_uri(name), version=version)

    def scan_files(self, name: str, files: Sequence[str]) -> pl.LazyFrame:
        """The rows of some data files of the table, by their paths inside it."""
        paths = [self.folder / name / unquote(file) for file in files]
        return pl.scan_parquet(paths, hive_partitioning=False)

    def write_frame(
        self, frame: pl.DataFrame, *, table: str, partition: Mapping[str, str]
    ) -> WrittenFile:
        """Write a new data file of the table, whole or not at all; no commit names it yet."""
        folder = self.folder / table
        inside = folder.joinpath(*(f"{key}={value}" for key, value in partition.items()))
        inside.mkdir(parents=True, exist_ok=True)
        part = inside / f".{uuid4().hex}.part"
        frame.write_parquet(part, row_group_size=ROW_GROUP)
        flush_to_disk(part)
        path = part.rename(
            inside / f"part-{uuid4().hex[:8]}-{file_digest(part)}.parquet"
        )  # the name is the check sum
        flush_to_disk(inside)
        return WrittenFile(
            path.relative_to(folder).as_posix(),
            path.stat().st_size,
            int(path.stat().st_mtime * 1000),
        )

    def file_digest(self, name: str, file: str) -> str:
        """SHA-256 of a data file as it lies there."""
        return file_digest(self.folder / name / unquote(file))

    def file_mark(self, name: str, file: str) -> str | None:
        """Its size, inode and both its times."""
        return file_mark(self.folder / name / unquote(file))

    def list_files(self, name: str) -> list[str]:
        """All data files of the table that lie there, by their paths inside it."""
        folder = self.folder / name
        files = (path.relative_to(folder) for path in folder.rglob("part-*.parquet"))
        return sorted(path.as_posix() for path in files if path.parts[0] != "_delta_log")

    def remove_files(self, name: str, files: Sequence[str]) -> None:
        """Remove data files of the table for good, and folders that hold none any more."""
        for file in files:
            path = self.folder / name / unquote(file)
            path.unlink(missing_ok=True)
            if path.parent != self.folder / name and not any(path.parent.iterdir()):
                path.parent.rmdir()
        flush_to_disk(self.folder / name)

    def table_options(self) -> dict[str, str] | None:
        """What Delta has to know to make a table there."""
        return None

    def commit(
        self,
        act: Callable[[], object],
        *,
        is_made: Callable[[], bool],  # noqa: ARG002 -- no answer of a disk is lost
    ) -> None:
        """Make a commit by ``act``."""
        act()

    def keep_commit(self, name: str, version: int) -> None:
        """See that the commit just made, and a table made by it, outlive a power cut."""
        log = self.folder / name / "_delta_log"
        flush_to_disk(log / f"{version:020d}.json")
        flush_to_disk(log)
        if version == 0:
            flush_to_disk(self.folder / name)
            flush_to_disk(self.folder)

    def answering(self) -> AbstractContextManager[None]:
        """Nothing: an error of the disk speaks for itself."""
        return nullcontext()
