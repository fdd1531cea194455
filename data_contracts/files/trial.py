"""Reading one file to see what a mapping makes of it: nothing is kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from data_contracts.contract import load_contract
from data_contracts.errors import DeliveryError
from data_contracts.files.containers import DeliveredFile, read_tables
from data_contracts.files.file_reader import join_readings, understand_table
from data_contracts.files.read_result import Reading
from data_contracts.files.tables.headings import ContractHeadings, Wanted
from data_contracts.files.tables.raw_table import RawTable
from data_contracts.mappings.layout import Layout
from data_contracts.mappings.mapping import SourceMapping
from data_contracts.mappings.translation.guess import (
    count_known_headings,
    guess_dataset,
    guess_mapping,
)

__all__ = ["TrialReading", "read_trial"]


@dataclass(frozen=True, kw_only=True)
class TrialReading:
    """What is in a file, and what was understood of it.

    ``layout`` is as it was found, ``filled_by`` says what fills each column of the contract,
    ``guess`` is a mapping to start from, as YAML. ``reading`` is None where the file cannot be read
    with the mapping there is: then ``problem`` and ``remedy`` say why.
    """

    dataset: str
    layout: Layout
    headings: tuple[str, ...]
    rows: int
    guess: str
    filled_by: Mapping[str, str] = field(default_factory=dict)
    format: str | None = None
    ignored: tuple[str, ...] = ()
    reading: Reading | None = None
    problem: str = ""
    remedy: str = ""


class _AnyHeadings:
    """Headings of whatever dataset: the line that names most of what is known has them."""

    def missing(self, headings: Sequence[str], *, preamble: Sequence[str]) -> Collection[str]:
        """No line is known to be whole."""
        del headings, preamble
        return ("dataset",)

    def known(self, headings: Sequence[str]) -> int:
        """How many of these headings could be columns of one dataset."""
        return count_known_headings(headings)


def read_trial(path: DeliveredFile, *, dataset: str | None, mapping: SourceMapping) -> TrialReading:
    """Read one file as ``read_delivery`` would; without a ``dataset`` it is guessed.

    Raises ``DeliveryError`` where there is no table in the file.
    """
    if dataset is None:
        wanted: Wanted = _AnyHeadings()
        first = read_tables(path, layout=mapping.layout_of("calls"), wanted=wanted)[0]
        dataset = guess_dataset(first.values.columns)
    said, contract = mapping.of(dataset), load_contract(dataset)
    tables = read_tables(
        path, layout=said.layout, wanted=ContractHeadings(contract=contract, mapping=said)
    )
    seen = TrialReading(
        dataset=dataset,
        layout=_found_layout(path, raw=tables[0]),
        headings=tuple(tables[0].values.columns),
        rows=sum(_count_rows(table) for table in tables),
        guess=guess_mapping(tables[0].values, dataset=dataset).as_yaml(),
    )
    try:
        understood = [
            understand_table(table, contract=contract, mapping=said, name=path.name)
            for table in tables
        ]
    except DeliveryError as error:
        return replace(seen, problem=str(error), remedy=error.remedy)
    translation = understood[0][1]
    return replace(
        seen,
        reading=join_readings([reading for reading, _ in understood]),
        filled_by=translation.filled_by,
        format=translation.format,
        ignored=translation.ignored,
    )


def _count_rows(table: RawTable) -> int:
    return table.values.height + table.misfits.height + sum(table.skipped.values())


def _found_layout(path: DeliveredFile, *, raw: RawTable) -> Layout:
    """The layout as it was found; of Parquet there is none."""
    content = path.read_bytes()
    if content.startswith(b"PAR1"):
        return raw.layout
    found: dict[str, object] = {"heading_row": raw.heading_line}
    if not content.startswith((b"PK", b"\x1f\x8b")):
        found["encoding"] = _encoding_of(content)
    return raw.layout.model_copy(update=found)


def _encoding_of(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"
