"""Frames in files of their own, never changed: written beside their place, flushed, then moved.

They lie uncompressed in Arrow's form and in one piece, so that a reader maps a file into memory and
touches only the pages that it needs. What was touched counts as memory of the process until it is
let go of: a night goes through the files of a month.
"""

import mmap
from pathlib import Path
from uuid import uuid4
from weakref import WeakSet

import polars as pl
import pyarrow as pa
import pyarrow.ipc

from data_contracts.errors import LakeError
from pipelines.storage.places.durable_files import flush_to_disk

__all__ = ["read_frame", "release_pages", "write_frame"]

ENDING = ".arrow"
MAPPED: "WeakSet[MappedFile]" = WeakSet()


class MappedFile(mmap.mmap):
    """A file mapped into memory that can be told to let go of its pages."""


def write_frame(frame: pl.DataFrame, *, folder: Path) -> str:
    """Write ``frame`` into a new file of ``folder``; return its name."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{uuid4().hex}{ENDING}"
    part = folder / f".{name}.part"
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, len(frame)))
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
