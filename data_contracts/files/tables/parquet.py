"""Parquet files as raw tables."""

import io

import polars as pl

from data_contracts.errors import DeliveryError
from data_contracts.files.tables.raw_table import RawTable

__all__ = ["PARQUET_MAGIC", "read_parquet"]

PARQUET_MAGIC = b"PAR1"
_REDELIVER = "Ask the source to deliver the file again."


def read_parquet(content: bytes, *, name: str) -> RawTable:
    """Read a Parquet file; its columns keep their types.

    Raises ``DeliveryError`` if the file is cut or damaged.
    """
    if not content.endswith(PARQUET_MAGIC) or len(content) < 12:
        raise DeliveryError(
            f"{name} is truncated: the end of the Parquet file is missing.", remedy=_REDELIVER
        )
    try:
        values = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        kind = type(error).__name__  # the message itself could quote delivered values
        raise DeliveryError(
            f"{name} is a damaged Parquet file ({kind}).", remedy=_REDELIVER
        ) from None
    numbers = pl.int_range(1, values.height + 1, dtype=pl.Int64, eager=True).alias("_row")
    return RawTable(values=values, numbers=numbers)
