"""An object store that speaks S3."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from pipelines.settings import Storage
from pipelines.storage.places.answers import plain_answers
from pipelines.storage.places.durable_files import file_digest
from pipelines.storage.places.objects import ObjectGoneError, Objects
from pipelines.storage.places.options import delta_options, polars_options
from pipelines.storage.places.place import ROW_GROUP, WrittenFile

__all__ = ["ObjectStorePlace"]


@dataclass(frozen=True)
class ObjectStorePlace:
    """Delta tables below ``below`` in the object store that ``storage`` names. A data file is
    written into the folder ``scratch`` of this machine first, since its name is its digest.
    """

    storage: Storage
    below: str
    scratch: Path

    @cached_property
    def objects(self) -> Objects:
        """The objects of all tables."""
        return Objects(self.storage, self.below)

    def has_table(self, name: str) -> bool:
        """Whether the table exists."""
        with self.answering():
            return DeltaTable.is_deltatable(self.table_uri(name), self.table_options())

    def table_uri(self, name: str) -> str:
        """Where the table lies, in Delta's words."""
        inside = "/".join(part for part in (self.storage.prefix, self.below, name) if part)
        return f"s3://{self.storage.bucket}/{inside}"

    def open_table(self, name: str, *, version: int | None = None) -> DeltaTable:
        """The table as it is, or as it was at a version."""
        with self.answering():
            return DeltaTable(
                self.table_uri(name), version=version, storage_options=self.table_options()
            )

    def scan_table(self, name: str, *, version: int | None = None) -> pl.LazyFrame:
        """The rows of the table as it is, or as it was at a version."""
        return pl.scan_delta(
            self.open_table(name, version=version), storage_options=polars_options(self.storage)
        )

    def scan_files(self, name: str, files: Sequence[str]) -> pl.LazyFrame:
        """The rows of some data files of the table, by their paths inside it."""
        paths = [f"{self.table_uri(name)}/{unquote(file)}" for file in files]
        options = polars_options(self.storage)
        return pl.scan_parquet(paths, hive_partitioning=False, storage_options=options)

    def write_frame(
        self, frame: pl.DataFrame, *, table: str, partition: Mapping[str, str]
    ) -> WrittenFile:
        """Write a new data file of the table, whole or not at all; no commit names it yet."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        part = self.scratch / f".{uuid4().hex}.part"
        try:
            frame.write_parquet(part, row_group_size=ROW_GROUP)
            inside = "".join(f"{key}={value}/" for key, value in partition.items())
            path = f"{inside}part-{uuid4().hex[:8]}-{file_digest(part)}.parquet"
            self.objects.upload(part, f"{table}/{path}")
            written = part.stat()
            return WrittenFile(path, written.st_size, int(written.st_mtime * 1000))
        finally:
            part.unlink(missing_ok=True)

    def file_digest(self, name: str, file: str) -> str:
        """SHA-256 of a data file as it lies there; an empty text where it is gone."""
        try:
            return self.objects.digest(f"{name}/{unquote(file)}")
        except ObjectGoneError:
            return ""

    def file_mark(self, name: str, file: str) -> str | None:  # noqa: ARG002 -- of a disk alone
        """None: an object store holds each object against its check sum."""
        return None

    def list_files(self, name: str) -> list[str]:
        """All data files of the table that lie there, by their paths inside it."""
        names = (one.name.partition(f"{name}/")[2] for one in self.objects.list_below(f"{name}/"))
        return [one for one in names if one.rpartition("/")[2].startswith("part-")]

    def remove_files(self, name: str, files: Sequence[str]) -> None:
        """Remove data files of the table; a bucket with versions keeps them until its own rule."""
        self.objects.remove(f"{name}/{unquote(file)}" for file in files)

    def table_options(self) -> dict[str, str] | None:
        """What Delta has to know to make a table there."""
        return delta_options(self.storage)

    def commit(self, act: Callable[[], object], *, is_made: Callable[[], bool]) -> None:
        """Make a commit by ``act``. Where its answer is lost, ``is_made`` is asked before it is
        tried again.
        """
        self.objects.keep_trying(act, is_made=is_made, conflict=CommitFailedError)

    def keep_commit(self, name: str, version: int) -> None:
        """Nothing: what was answered for is kept."""

    def answering(self) -> AbstractContextManager[None]:
        """What goes wrong with the place inside the block is a ``LakeError`` that says so."""
        return plain_answers()
