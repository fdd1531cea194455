"""Parquet files as raw tables."""

from pathlib import Path

import polars as pl

from data_contracts.errors import DeliveryError
from data_contracts.files.raw_table import RawTable

__all__ = ["PARQUET_MAGIC", "read_parquet"]

PARQUET_MAGIC = b"PAR1"
_REDELIVER = "Ask the source to deliver the file again."


def read_parquet(path: Path) -> RawTable:
    """Read a Parquet file; its columns keep their types.

    Raises ``DeliveryError`` if the file is cut or damaged.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 4, 0))
        tail = file.read(4)
    if tail != PARQUET_MAGIC or size < 12:
        raise DeliveryError(
            f"{path.name} is truncated: the end of the Parquet file is missing.", remedy=_REDELIVER
        )
    try:
        values = pl.read_parquet(path, hive_partitioning=False, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        kind = type(error).__name__  # the message itself could quote delivered values
        raise DeliveryError(
            f"{path.name} is a damaged Parquet file ({kind}).", remedy=_REDELIVER
        ) from None
    numbers = pl.int_range(1, values.height + 1, dtype=pl.Int64, eager=True).alias("_row")
    return RawTable(values=values, numbers=numbers)
