"""Frames in files of their own, never changed: written beside their place, flushed, then moved.

They lie uncompressed in Arrow's form and in one piece, so that a reader maps a file into memory and
touches only the pages that it needs.
"""

from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.ipc

from data_contracts.errors import LakeError
from pipelines.storage.durable_files import flush_to_disk

__all__ = ["read_frame", "write_frame"]

ENDING = ".arrow"


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
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowException) as error:
        raise LakeError(
            f"{path} of the event store cannot be read", remedy="Run `forestall store rebuild`."
        ) from error
    frame = pl.from_arrow(table, rechunk=False)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table is no column
    return frame
