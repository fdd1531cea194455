"""Reading rejected rows once more, from what was kept of them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from data_contracts.contract import Contract
from data_contracts.errors import DeliveryError
from data_contracts.files.file_reader import PREAMBLE, understand_table
from data_contracts.files.read_result import Reading
from data_contracts.files.tables.raw_table import RawTable
from data_contracts.mappings.language import DatasetMapping

__all__ = ["KeptRow", "KeptRowsReading", "read_kept_rows"]

_MISFIT = {"fields", "headings"}  # what is kept of a row that fits under no headings

_Row = tuple[int, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class KeptRow:
    """A row of a file by its ``number``: its values as JSON, as delivered by the headings of the
    file, or normalised by the columns of the contract. Of old rows nobody knows which
    (``is_delivered`` is None).
    """

    number: int
    row_json: str
    is_delivered: bool | None


@dataclass(frozen=True, kw_only=True)
class KeptRowsReading:
    """``reading`` is as that of a file. ``unread`` are the numbers of the rows that are in no table
    or in one that cannot be read, ``problems`` say why, without any delivered value.
    """

    reading: Reading
    unread: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(kw_only=True)
class _Found:
    readings: list[Reading] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_kept_rows(
    kept: Sequence[KeptRow],
    *,
    contract: Contract,
    mapping: DatasetMapping,
    signs_repeat: bool,
    name: str,
) -> KeptRowsReading:
    """Read rows of one file as ``read_delivery`` would read them today.

    Rows as delivered go through ``mapping``; normalised ones have been through one, and are read as
    a file in the contract's own form. ``signs_repeat`` says what only the whole file could tell:
    that its minus signs say no more than the direction.
    """
    found = _Found()
    delivered, normalised, misfits = _sorted_rows(kept, contract=contract)
    found.unread += misfits
    for rows, ways in ((delivered, mapping), (normalised, DatasetMapping())):
        for table in _tables(rows, signs_repeat=signs_repeat):
            try:
                reading, _ = understand_table(table, contract=contract, mapping=ways, name=name)
            except DeliveryError as error:
                found.unread += table.numbers.to_list()
                found.problems.append(f"{error} {error.remedy}".strip())
            else:
                found.readings.append(reading)
    return KeptRowsReading(
        reading=_joined(found.readings, contract=contract),
        unread=tuple(sorted(found.unread)),
        problems=tuple(dict.fromkeys(found.problems)),
    )


def _sorted_rows(
    kept: Sequence[KeptRow], *, contract: Contract
) -> tuple[list[_Row], list[_Row], list[int]]:
    """The rows as delivered, the normalised ones, and the numbers of those without headings."""
    delivered: list[_Row] = []
    normalised: list[_Row] = []
    misfits = []
    for row in kept:
        values = json.loads(row.row_json)
        if values.keys() == _MISFIT and isinstance(values["fields"], list):
            misfits.append(row.number)
        elif row.is_delivered or (
            row.is_delivered is None and values.keys() != set(contract.schema.names())
        ):
            delivered.append((row.number, values))
        else:
            normalised.append((row.number, values))
    return delivered, normalised, misfits


def _tables(rows: Sequence[_Row], *, signs_repeat: bool) -> Iterator[RawTable]:
    """A table of all rows with the same headings, and the same lines before them."""
    groups: dict[tuple[str, ...], list[_Row]] = {}
    for number, values in rows:
        groups.setdefault((str(values.pop(PREAMBLE, "")), *values), []).append((number, values))
    for (preamble, *headings), members in groups.items():
        texts = [[_as_text(value) for value in values.values()] for _, values in members]
        yield RawTable(
            values=pl.DataFrame(texts, schema=dict.fromkeys(headings, pl.String), orient="row"),
            numbers=pl.Series("_row", [number for number, _ in members], dtype=pl.Int64),
            preamble=tuple(preamble.split("\n")) if preamble else (),
            signs_repeat=signs_repeat,
        )


def _as_text(value: object) -> str | None:
    """A value as it would stand in a file of separated values."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return ";".join(str(item) for item in value if item is not None)
    return json.dumps(value, ensure_ascii=False)


def _joined(readings: Sequence[Reading], *, contract: Contract) -> Reading:
    """All rows in the order of the file, under the numbers that they have there."""
    codes = pl.List(pl.String())
    schema: Mapping[str, Any] = {
        "_row": pl.Int64(),
        **contract.schema,
        "_problems": codes,
        "_warnings": codes,
        "_raw": pl.String(),
    }
    rows = [reading.rows.select(list(schema)) for reading in readings]
    skipped: Counter[str] = Counter()
    for reading in readings:
        skipped.update(reading.skipped)
    return Reading(
        rows=pl.concat([pl.DataFrame(schema=schema), *rows]).sort("_row"), skipped=skipped
    )
