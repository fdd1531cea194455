"""The scores of a replay in a file of their own: who stood how high at which tick."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import SettingsError
from pipelines.storage.lake_schemas import MOMENT
from pipelines.storage.places.private_files import make_private

__all__ = ["ScoreFile"]

Reveal = Callable[[pl.DataFrame], pl.DataFrame]


class _Writer(Protocol):
    def write(self, rows: pl.DataFrame) -> None: ...

    def close(self) -> None: ...


class ScoreFile:
    """A Parquet or CSV file, by its ending, of ``person``, ``at``, ``score``, ``baseline_score``.

    A row is a person at a tick whose score (a probability) is at least ``floor``. Rows are written
    as they are added, in order of tick and from the highest score down, and none is kept.
    ``reveal`` puts ``id_number`` in the place of ``person``. The file and its folder are made with
    the first rows, or at the end of what went well without any. Raises :class:`SettingsError` for
    another ending.
    """

    def __init__(self, path: Path, *, floor: float, reveal: Reveal | None = None) -> None:
        writers: dict[str, Callable[[Path], _Writer]] = {".parquet": _Parquet, ".csv": _Csv}
        if path.suffix not in writers:
            raise SettingsError(
                f"scores are written as Parquet or CSV, not as '{path.suffix}'",
                remedy="Give a file name that ends in .parquet or .csv.",
            )
        self.path, self.rows = path, 0
        self._floor, self._reveal = floor, reveal
        self._open = writers[path.suffix]
        self._writer: _Writer | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Write those of ``rows``, the scored people of one or more ticks, that reach the floor."""
        kept = (
            rows.lazy()
            .select(
                "person",
                "at",
                pl.col("score").cast(pl.Float64),
                pl.col("baseline_score").cast(pl.Float64),
            )
            .filter(pl.col("score") >= self._floor)
            .sort("at", "score", "person", descending=[False, True, False])
            .collect()
        )
        self.rows += len(kept)
        if self._writer is None:
            make_private(self.path)
            self._writer = self._open(self.path)
        self._writer.write(self._reveal(kept) if self._reveal else kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is None and error is None:
            self.add(_EMPTY)  # a file without rows has its columns
        if self._writer is not None:
            self._writer.close()


_EMPTY = pl.DataFrame(
    schema={
        "person": pl.String(),
        "at": MOMENT,
        "score": pl.Float64(),
        "baseline_score": pl.Float64(),
    }
)


class _Parquet:
    """Each call writes a row group."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: pq.ParquetWriter | None = None

    def write(self, rows: pl.DataFrame) -> None:
        table: pa.Table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._open is None:
            self._open = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        if len(rows):
            self._open.write_table(table)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()


class _Csv:
    """Each call writes its lines; the first also the heading."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, rows: pl.DataFrame) -> None:
        rows.write_csv(
            self._file,
            include_header=self._file.tell() == 0,
            datetime_format="%Y-%m-%dT%H:%M:%S%:z",
        )

    def close(self) -> None:
        self._file.close()
