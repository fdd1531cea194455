"""What a delivered file is, by its first bytes and not by its name alone, and the table in it."""

from pathlib import Path

from data_contracts.errors import DeliveryError
from data_contracts.files.encodings import decode_text
from data_contracts.files.headings import Wanted
from data_contracts.files.parquet import PARQUET_MAGIC, read_parquet
from data_contracts.files.raw_table import RawTable
from data_contracts.files.separated_values import read_separated
from data_contracts.mappings.layout import Layout

__all__ = ["read_table"]

_FOREIGN_MAGICS = {
    b"PK\x03\x04": "a ZIP or Excel file",
    b"\x1f\x8b": "a gzip file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
}
_REDELIVER = "Ask the source to deliver the file again."


def read_table(path: Path, *, layout: Layout, wanted: Wanted) -> RawTable:
    """Read the table of a delivered file; raises ``DeliveryError`` where there is none."""
    if _is_parquet(path):
        return read_parquet(path)
    text = decode_text(path.read_bytes(), name=path.name, encoding=layout.encoding)
    return read_separated(text, name=path.name, layout=layout, wanted=wanted)


def _is_parquet(path: Path) -> bool:
    """Tell Parquet from CSV by content; in a file that is not what its name says, nobody knows what
    else is wrong.
    """
    if path.stat().st_size == 0:
        raise DeliveryError(f"{path.name} is empty (0 bytes).", remedy=_REDELIVER)
    with path.open("rb") as file:
        head = file.read(4)
    for magic, what in _FOREIGN_MAGICS.items():
        if head.startswith(magic):
            raise DeliveryError(
                f"{path.name} is {what} under a wrong name.", remedy="Deliver Parquet or CSV."
            )
    named_parquet = path.suffix.lower() == ".parquet"
    if (head == PARQUET_MAGIC) != named_parquet:
        is_what = "Parquet" if head == PARQUET_MAGIC else "not Parquet"
        raise DeliveryError(
            f"{path.name} is mislabelled: its content is {is_what}.", remedy=_REDELIVER
        )
    return named_parquet
