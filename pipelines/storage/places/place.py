"""What the lake asks of the place where its tables lie."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import polars as pl
from deltalake import DeltaTable

__all__ = ["ROW_GROUP", "Place", "WrittenFile"]

ROW_GROUP = 100_000


@dataclass(frozen=True)
class WrittenFile:
    """A data file that outlives a power cut: its path inside its table, bytes, and milliseconds
    since 1970 of its last change. The end of its name is its SHA-256.
    """

    path: str
    size: int
    modified_ms: int


class Place(Protocol):
    """A place of Delta tables, each by its name."""

    def has_table(self, name: str) -> bool:
        """Whether the table exists."""

    def table_uri(self, name: str) -> str:
        """Where the table lies, in Delta's words."""

    def open_table(self, name: str, *, version: int | None = None) -> DeltaTable:
        """The table as it is, or as it was at a version."""

    def scan_table(self, name: str, *, version: int | None = None) -> pl.LazyFrame:
        """The rows of the table as it is, or as it was at a version."""

    def scan_files(self, name: str, files: Sequence[str]) -> pl.LazyFrame:
        """The rows of some data files of the table, by their paths inside it."""

    def write_frame(
        self, frame: pl.DataFrame, *, table: str, partition: Mapping[str, str]
    ) -> WrittenFile:
        """Write a new data file of the table, whole or not at all; no commit names it yet."""

    def file_digest(self, name: str, file: str) -> str:
        """SHA-256 of a data file as it lies there."""

    def file_mark(self, name: str, file: str) -> str | None:
        """What changes whenever a data file is touched, cheap to get; None where the place itself
        holds each file against its check sum. Raises ``FileNotFoundError`` where it is gone.
        """

    def list_files(self, name: str) -> list[str]:
        """All data files of the table that lie there, by their paths inside it, whether or not a
        version names them.
        """

    def remove_files(self, name: str, files: Sequence[str]) -> None:
        """Remove data files of the table for good; one that is gone already is none to remove."""

    def table_options(self) -> dict[str, str] | None:
        """What Delta has to know to make a table there."""

    def commit(self, act: Callable[[], object], *, is_made: Callable[[], bool]) -> None:
        """Make a commit by ``act``. Where its answer is lost, ``is_made`` is asked before it is
        tried again.
        """

    def keep_commit(self, name: str, version: int) -> None:
        """See that the commit just made, and a table made by it, outlive a power cut."""

    def answering(self) -> AbstractContextManager[None]:
        """What goes wrong with the place inside the block is a ``LakeError`` that says so."""
