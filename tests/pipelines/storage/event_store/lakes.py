"""Small lakes made of the tables that features are tested on."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from features.kernel.source_tables import SourceTables
from pipelines.settings import Storage
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import DAY, EVENTS, TABLES
from pipelines.storage.places.chosen import choose_place

BEGAN = {"calls": "started_at", "transfers": "occurred_at"}
REGISTERS = ("residents", "subscribers", "accounts", "number_tags", "cases")


def lake_rows(tables: SourceTables, dataset: str) -> pl.DataFrame:
    """The rows of a dataset in the lake's form; what the tables do not say is null."""
    frame = getattr(tables, dataset).collect()
    if dataset in EVENTS:
        frame = frame.with_row_index("place").with_columns(
            record_id=pl.format("r{}", "place"), **{DAY: pl.col(BEGAN[dataset]).dt.date()}
        )
    schema = TABLES[dataset]
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in schema.items()
    )


class SmallLake:
    """A lake in ``folder``, or where ``storage`` says, into which loads go one after the other."""

    def __init__(self, folder: Path, storage: Storage | None = None) -> None:
        place = choose_place(storage or Storage(), lake_folder=folder)
        self.lake = Lake(folder, place=place)
        self.batch = 0

    def replace_registers(self, tables: SourceTables, names: Sequence[str] = REGISTERS) -> None:
        for name in names:
            self.batch += 1
            self.lake.replace(name, lake_rows(tables, name), batch=self.batch)

    def append(self, dataset: str, rows: pl.DataFrame) -> None:
        if len(rows):
            self.batch += 1
            self.lake.append(dataset, rows, batch=self.batch)
