"""How one source's files differ from the contracts: one YAML a source, a section a dataset.

``data_contracts.mappings.language`` says what a section can hold. The tables ``headings``,
``values`` and ``delay_s`` may also stand at the top with the datasets inside them, ``encoding``,
``delimiter`` and ``format`` for all datasets.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from data_contracts.contract import Contract, dataset_names, load_contract
from data_contracts.errors import SettingsError
from data_contracts.mappings.document import (
    DocumentError,
    KeyPath,
    read_document,
)
from data_contracts.mappings.language import DatasetMapping, Text, Texts, Values
from data_contracts.mappings.layout import Encoding, Layout
from data_contracts.mappings.problems import (
    Problem,
    check_section,
    misplaced_names,
    nearest,
    sentences,
    shape_problems,
)
from data_contracts.mappings.shipped_formats import load_formats

__all__ = [
    "SourceMapping",
    "declared_sources",
    "find_mapping_file",
    "load_mapping",
    "parse_mapping",
    "read_mapping_file",
    "read_mapping_text",
]

_BUILT_IN = Path(__file__).parent / "sources"
_DEFAULT = "default"
_REMEDY = (
    "Correct the file; docs/mappings.md shows every key, and `forestall sources try FILE --mapping "
    "MAPPING` what comes out."
)


class SourceMapping(BaseModel):
    """What a source's files say in their own way; empty where they follow the contract or its
    Chinese form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: Encoding | None = Field(default=None, description="of text files: utf-8 or gb18030")
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    format: Texts = Field(default=(), description="shipped formats, each for its dataset")
    delay_s: Mapping[str, NonNegativeInt] = Field(
        default_factory=dict, description="{dataset: seconds from a record to its delivery}"
    )
    headings: Mapping[str, Mapping[Text, str]] = Field(
        default_factory=dict, description="{dataset: {heading in the file: column}}"
    )
    values: Mapping[str, Mapping[str, Values]] = Field(
        default_factory=dict,
        description="{dataset: {column: {value in the file: value of the contract}}}",
    )
    calls: DatasetMapping | None = None
    transfers: DatasetMapping | None = None
    residents: DatasetMapping | None = None
    subscribers: DatasetMapping | None = None
    accounts: DatasetMapping | None = None
    number_tags: DatasetMapping | None = None
    cases: DatasetMapping | None = None

    def of(self, dataset: str) -> DatasetMapping:
        """Return all that is said of a dataset, with the shipped format it starts from."""
        return self._by_dataset[dataset]

    @property
    def formats_named(self) -> tuple[str, ...]:
        """The shipped formats that it names."""
        sections = (getattr(self, dataset) for dataset in dataset_names())
        inside = (one.format for one in sections if one is not None and one.format)
        return (*self.format, *inside)

    def layout_of(self, dataset: str) -> Layout:
        """Where the table is in this source's files of a dataset."""
        return self.of(dataset).layout

    def delay(self, dataset: str) -> timedelta:
        """Time from the moment a record could exist to the moment this source has delivered it."""
        return timedelta(seconds=self.of(dataset).delay_s or 0)

    def columns_by_heading(self, contract: Contract) -> dict[str, str]:
        """Every heading that is understood, with a contract column that it helps to fill; the
        source's own win.
        """
        understood = dict(_headings_of_formats(contract.dataset))
        understood |= {
            heading: column.name for column in contract.columns for heading in column.headings
        }
        understood |= {column.name: column.name for column in contract.columns}
        return understood | self.of(contract.dataset).column_of

    def columns_without_heading(self, dataset: str) -> frozenset[str]:
        """The columns that are filled without a heading of their own."""
        said = self.of(dataset)
        numbered = {"record_id"} if said.record_numbers else set()
        directed = {"direction"} if said.amount else set()
        return frozenset({*said.constants, *said.preamble} | numbered | directed)

    @cached_property
    def _by_dataset(self) -> dict[str, DatasetMapping]:
        return {dataset: self._gathered(dataset) for dataset in dataset_names()}

    def _gathered(self, dataset: str) -> DatasetMapping:
        said: dict[str, Any] = {
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "headings": self.headings.get(dataset),
            "values": self.values.get(dataset),
            "delay_s": self.delay_s.get(dataset),
        }
        gathered = DatasetMapping(
            **{key: value for key, value in said.items() if value is not None}
        )
        section = getattr(self, dataset)
        if section is not None:
            gathered = section.laid_over(gathered)
        formats = load_formats()
        candidates = (gathered.format or "", *self.format)
        named = [name for name in candidates if name in formats]
        chosen = next((name for name in named if formats[name].dataset == dataset), None)
        return gathered if chosen is None else gathered.laid_over(formats[chosen].mapping)


@cache
def _headings_of_formats(dataset: str) -> Mapping[str, str]:
    """The headings of the shipped formats of a dataset, by which a table is found in a file."""
    return {
        heading: column
        for one in load_formats().values()
        if one.dataset == dataset
        for heading, column in one.mapping.column_of.items()
    }


def load_mapping(source: str, *, folder: Path | None = None) -> SourceMapping:
    """Return the mapping of a source: ``<source>.yaml`` of ``folder``, else the built-in one, else
    the default.

    Raises ``SettingsError`` if the file cannot be understood.
    """
    name, text = read_mapping_text(source, folder)
    return parse_mapping(text, name=name) if text else SourceMapping()


def read_mapping_text(source: str, folder: Path | None) -> tuple[str, str]:
    """Return the name of the file with the mapping of a source and what stands in it, not looked at
    yet; both are empty where there is none. Raises ``SettingsError`` if it cannot be read.
    """
    path = find_mapping_file(source, folder=folder) or find_mapping_file(_DEFAULT, folder=folder)
    return (path.name, _read_text(path)) if path else ("", "")


def find_mapping_file(source: str, *, folder: Path | None = None) -> Path | None:
    """Return where the mapping of a source is, in ``folder`` or built in; None if it has none."""
    places = [place / f"{source}.yaml" for place in (folder, _BUILT_IN) if place is not None]
    return next((place for place in places if place.is_file()), None)


def declared_sources(folder: Path | None = None) -> frozenset[str]:
    """Return the sources that have a mapping of their own, in ``folder`` or built in."""
    places = [place for place in (folder, _BUILT_IN) if place is not None and place.is_dir()]
    return frozenset(path.stem for place in places for path in place.glob("*.yaml")) - {_DEFAULT}


def read_mapping_file(path: Path) -> SourceMapping:
    """Return the mapping in a file; raises ``SettingsError`` naming file, line and key."""
    return parse_mapping(_read_text(path), name=path.name)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SettingsError(
            f"The source mapping {path.name} cannot be used: it is not UTF-8.",
            remedy="Save the file as UTF-8.",
        ) from None
    except OSError as error:
        raise SettingsError(
            f"The source mapping {path.name} cannot be opened: {error.strerror}.",
            remedy="Name a file that exists and may be read.",
        ) from None


def parse_mapping(text: str, *, name: str) -> SourceMapping:
    """Return the mapping that YAML says; ``name`` is how errors call it."""
    try:
        document = read_document(text)
    except DocumentError as error:
        raise _unusable(name, str(error)) from None
    if problems := list(misplaced_names(document)):
        raise _unusable(name, sentences(problems, document=document))
    try:
        mapping = SourceMapping.model_validate(
            {key: value for key, value in document.data.items() if value is not None}
        )
    except ValidationError as error:
        found = shape_problems(error, model=SourceMapping, document=document)
        raise _unusable(name, sentences(found, document=document)) from None
    if problems := list(_meaning_problems(mapping)):
        raise _unusable(name, sentences(problems, document=document))
    return mapping


def _unusable(name: str, words: str) -> SettingsError:
    stop = "" if words.endswith("?") else "."
    named = f"The source mapping {name}".rstrip()
    return SettingsError(f"{named} cannot be used: {words}{stop}", remedy=_REMEDY)


def _meaning_problems(mapping: SourceMapping) -> Iterator[Problem]:
    formats = {name: one.dataset for name, one in load_formats().items()}
    for name in mapping.format:
        if name not in formats:
            hint = nearest(name, formats) or f"; there are {', '.join(formats)}"
            yield ("format",), f"format: there is no format {name}{hint}"
    for dataset in dataset_names():
        contract = load_contract(dataset)
        section = getattr(mapping, dataset)
        if section is not None:
            at = partial(_inside, dataset)
            yield from check_section(section, contract=contract, formats=formats, at=at)
        at_top = DatasetMapping(
            headings=mapping.headings.get(dataset, {}), values=mapping.values.get(dataset, {})
        )
        at = partial(_at_top, dataset)
        yield from check_section(at_top, contract=contract, formats=formats, at=at)


def _inside(dataset: str, *path: str) -> KeyPath:
    return (dataset, *path)


def _at_top(dataset: str, key: str, *path: str) -> KeyPath:
    return (key, dataset, *path)
