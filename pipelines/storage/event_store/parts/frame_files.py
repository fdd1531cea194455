"""Frames in files of their own, never changed: written beside their place, flushed, then moved.

They lie uncompressed in Arrow's form and in one piece, so that a reader maps a file into memory and
touches only the pages that it needs. What was touched counts as memory of the process until it is
let go of: a night goes through the files of a month.
"""

import hashlib
import io
import mmap
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import WeakSet

import polars as pl
import pyarrow as pa
import pyarrow.ipc

from data_contracts.errors import LakeError
from pipelines.storage.places.durable_files import flush_to_disk

__all__ = ["digest_in_name", "file_named", "read_frame", "release_pages", "write_frame"]

ENDING = ".arrow"
DIGEST_DIGITS = 64
MAPPED: "WeakSet[MappedFile]" = WeakSet()


class MappedFile(mmap.mmap):
    """A file mapped into memory that can be told to let go of its pages."""


class DigestedFile(io.FileIO):
    """A new file whose digest is known once it is written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "wb")
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        """Write all of ``content``, however much the system takes at once."""
        self.digest.update(content)
        rest = memoryview(content)
        while rest:
            rest = rest[super().write(rest) or 0 :]
        return len(content)


def file_named(digest: str) -> str:
    """The name of a file of this SHA-256."""
    return f"{digest}{ENDING}"


def digest_in_name(name: str) -> str | None:
    """The SHA-256 that a file has by its name; None where it was written before names said so."""
    digest = name.removesuffix(ENDING)
    return digest if len(digest) == DIGEST_DIGITS else None


def write_frame(frame: pl.DataFrame, *, folder: Path) -> str:
    """Write ``frame`` into a file of ``folder``; return its name, which says its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{uuid4().hex}.part"
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    with DigestedFile(part) as file:
        with (
            pa.PythonFile(file, "w") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table, max_chunksize=max(1, len(frame)))
        name = file_named(file.digest.hexdigest())
    flush_to_disk(part)
    part.rename(folder / name)
    return name


def read_frame(path: Path) -> pl.DataFrame:
    """The frame in a file, mapped into memory. Raises ``LakeError`` where the file is missing or
    cut off.
    """
    try:
        with path.open("rb") as file:
            mapped = MappedFile(file.fileno(), 0, access=mmap.ACCESS_READ)
        table = pa.ipc.open_file(pa.py_buffer(mapped)).read_all()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise LakeError(
            f"{path} of the event store cannot be read", remedy="Run `forestall store rebuild`."
        ) from error
    MAPPED.add(mapped)
    frame = pl.from_arrow(table, rechunk=False)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table is no column
    return frame


def release_pages() -> None:
    """Let go of the pages of all mapped files: they are read again when they are touched again."""
    for mapped in tuple(MAPPED):
        mapped.madvise(mmap.MADV_DONTNEED)
