"""What a delivery must look like: the Open Data Contract Standard (v3) files of this folder as
frozen objects.

The YAML is the only source. Polars schemas, Great Expectations suites, the understanding of Chinese
headings and values, the plain words of every rejection and the field documentation are all derived
from what is loaded here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl
import yaml
from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
)
from pydantic import ValidationError

from data_contracts.errors import SettingsError
from data_contracts.scam_types import SCAM_TYPES_FILE, load_scam_types

__all__ = [
    "PRIVACY_CLASSES",
    "TIME_ZONE",
    "Column",
    "Contract",
    "Rule",
    "dataset_names",
    "load_all_contracts",
    "load_contract",
]

TIME_ZONE = "Asia/Shanghai"

#: From harmless to what may exist in the vault only.
PRIVACY_CLASSES = ("public", "internal", "sensitive", "identifier")

_FOLDER = Path(__file__).parent
# libyaml reads the same in a tenth of the time, where it is.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DELIVERED = ("residents", "subscribers", "accounts", "number_tags", "cases", "calls", "transfers")
_PUBLISHED = ("watchlist",)
_TYPES: Mapping[str, pl.DataType] = {
    "String": pl.String(),
    "Boolean": pl.Boolean(),
    "Int32": pl.Int32(),
    "Float64": pl.Float64(),
    "Decimal(18, 2)": pl.Decimal(18, 2),
    "Date": pl.Date(),
    f"Datetime(us, {TIME_ZONE})": pl.Datetime("us", TIME_ZONE),
    "List(String)": pl.List(pl.String()),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold for every row, as a Great Expectations expectation.

    ``code`` is stable and public (``duration_s.negative``): it is stored with every rejected row.
    ``arguments`` are the expectation's own, without the column. A rule that ``warns`` rejects no
    row.
    """

    column: str
    name: str
    expectation: str
    arguments: Mapping[str, Any]
    meaning: str
    meaning_zh: str
    warns: bool = False

    @property
    def code(self) -> str:
        """The reason given to a row that breaks the rule."""
        return f"{self.column}.{self.name}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract; ``form`` names its normalisation, ``values`` maps allowed values to
    Chinese labels, ``spellings`` other ways to write a value to it.

    An ``optional`` column may be absent from a file. ``default`` is what then holds, and where a
    cell is empty, in the rows that say what ``default_where`` says (column to value). A value that
    is not known becomes ``other_value``, where there is one, and the row has a warning. Rows are
    left out whose value is not one of ``loaded_values``, if there are any.
    """

    name: str
    title_zh: str
    meaning: str
    meaning_zh: str
    type: pl.DataType
    form: str
    unit: str | None
    required: bool
    privacy: str
    values: Mapping[str, str]
    open_values: bool
    headings: tuple[str, ...]
    rules: tuple[Rule, ...]
    optional: bool = False
    default: str | None = None
    default_where: Mapping[str, str] = field(default_factory=dict)
    other_value: str | None = None
    spellings: Mapping[str, str] = field(default_factory=dict)
    loaded_values: tuple[str, ...] = ()

    @property
    def values_by_label(self) -> dict[str, str]:
        """Every way to write a value that is not the value itself, with the value."""
        labels = {label: value for value, label in self.values.items() if label != value}
        return {way: value for way, value in {**labels, **self.spellings}.items() if way}


@dataclass(frozen=True, slots=True)
class Contract:
    """A dataset's contract: its columns in order, its key, the column that dates its events (None
    for registers).
    """

    dataset: str
    version: str
    title_zh: str
    meaning: str
    purpose: str
    usage: str
    limitations: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    event_column: str | None

    @property
    def schema(self) -> pl.Schema:
        """Column names and Polars types, in the contract's order."""
        return pl.Schema({column.name: column.type for column in self.columns})

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of every column."""
        return tuple(rule for column in self.columns for rule in column.rules)

    def column(self, name: str) -> Column:
        """Return the column of this name; ``KeyError`` if the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def dataset_names() -> tuple[str, ...]:
    """Return the names of the delivered datasets, registers before events."""
    return _DELIVERED


def load_all_contracts() -> tuple[Contract, ...]:
    """Return every contract: the delivered datasets and what is published."""
    return tuple(load_contract(name) for name in (*_DELIVERED, *_PUBLISHED))


@cache
def load_contract(dataset: str) -> Contract:
    """Load the contract of a dataset; ``SettingsError`` if there is none or its YAML does not hold
    together.
    """
    if dataset not in (*_DELIVERED, *_PUBLISHED):
        known = ", ".join((*_DELIVERED, *_PUBLISHED))
        raise SettingsError(f"There is no contract for {dataset!r}.", remedy=f"Use one of {known}.")
    return parse_contract(
        (_FOLDER / f"{dataset}.yaml").read_text(encoding="utf-8"), name=f"{dataset}.yaml"
    )


def parse_contract(text: str, *, name: str) -> Contract:
    """Build a contract from ODCS YAML; ``name`` is how errors call the file."""
    try:
        content = yaml.load(text, Loader=_LOADER)  # noqa: S506 -- either of the two is safe
        document = OpenDataContractStandard.model_validate(content)
        (table,) = document.schema_ or []
        return _contract(document, table)
    except yaml.YAMLError as error:
        raise SettingsError(f"{name} is not YAML: {error}", remedy="Correct the file.") from error
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(
            f"{name} is not a data contract: {places}", remedy="Correct the places named."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{name} is not complete: {error}", remedy="Compare it with another contract."
        ) from error


def _contract(document: OpenDataContractStandard, table: SchemaObject) -> Contract:
    properties = table.properties or []
    keyed = sorted((p for p in properties if p.primaryKey), key=lambda p: p.primaryKeyPosition or 0)
    described = document.description
    if described is None:
        raise ValueError("there is no description")
    return Contract(
        dataset=_text(table.name, "schema name"),
        version=_text(document.version, "version"),
        title_zh=_text(table.businessName, "businessName"),
        meaning=_text(table.description, "description of the schema"),
        purpose=_text(described.purpose, "purpose"),
        usage=_text(described.usage, "usage"),
        limitations=_text(described.limitations, "limitations"),
        columns=tuple(_column(p) for p in properties),
        key=tuple(_text(p.name, "name") for p in keyed),
        event_column=_custom(table.customProperties).get("eventTime"),
    )


def _column(source: SchemaProperty) -> Column:
    name = _text(source.name, "column name")
    custom = _custom(source.customProperties)
    privacy = _text(source.classification, f"classification of {name}")
    if privacy not in PRIVACY_CLASSES:
        raise ValueError(f"classification of {name} must be one of {', '.join(PRIVACY_CLASSES)}")
    physical = _text(source.physicalType, f"physicalType of {name}")
    if physical not in _TYPES:
        raise ValueError(f"physicalType of {name} must be one of {', '.join(_TYPES)}")
    return Column(
        name=name,
        title_zh=_text(source.businessName, f"businessName of {name}"),
        meaning=_text(source.description, f"description of {name}"),
        meaning_zh=_text(custom.get("descriptionZh"), f"descriptionZh of {name}"),
        type=_TYPES[physical],
        form=custom.get("form", "text"),
        unit=custom.get("unit"),
        required=bool(source.required),
        privacy=privacy,
        values=MappingProxyType(_known_values(source, custom)),
        open_values=bool(custom.get("openEnum", False)),
        headings=tuple(entry.synonym for entry in source.synonyms or [] if entry.synonym),
        rules=(
            *_implied_rules(source, name, custom),
            *(_stated_rule(name, quality) for quality in source.quality or []),
        ),
        optional=bool(custom.get("optional", False)),
        default=custom.get("default"),
        default_where=MappingProxyType(custom.get("defaultWhere", {})),
        other_value=custom.get("otherValue"),
        spellings=MappingProxyType(_spellings(custom)),
        loaded_values=tuple(custom.get("loadedValues", ())),
    )


def _spellings(custom: Mapping[str, Any]) -> dict[str, str]:
    return {str(way): value for value, ways in custom.get("spellings", {}).items() for way in ways}


def _known_values(source: SchemaProperty, custom: Mapping[str, Any]) -> dict[str, str]:
    """Each known value with its Chinese label, from the contract or from the scam types."""
    if custom.get("valuesFrom") == SCAM_TYPES_FILE:
        declared = load_scam_types().scam_types
        return {code: one.contract.label for code, one in declared.items() if one.contract}
    return {str(entry.value): entry.label or "" for entry in source.enum or []}


def _implied_rules(source: SchemaProperty, name: str, custom: Mapping[str, Any]) -> list[Rule]:
    """Rules that follow from ``required``, ``enum`` and ``pattern``, which ODCS says without a
    quality entry.
    """
    rules = []
    if source.required:
        rules.append(
            Rule(
                name,
                "missing",
                "expect_column_values_to_not_be_null",
                {},
                "The value is missing.",
                "缺少必填的值。",
            )
        )
    if source.enum and not custom.get("openEnum", False):
        allowed = [str(entry.value) for entry in source.enum]
        words = f"The value is not one of {', '.join(allowed)}."
        words_zh = f"取值不在 {'、'.join(allowed)} 之内。"
        arguments = {"value_set": allowed}
        rules.append(
            Rule(
                name,
                "unknown_value",
                "expect_column_values_to_be_in_set",
                arguments,
                words,
                words_zh,
            )
        )
    pattern = (source.logicalTypeOptions or {}).get("pattern")
    if pattern:
        words, words_zh = "The value does not have the form of the contract.", "格式与约定不符。"
        rules.append(
            Rule(
                name,
                "malformed",
                "expect_column_values_to_match_regex",
                {"regex": pattern},
                words,
                words_zh,
            )
        )
    return rules


def _stated_rule(column: str, quality: DataQuality) -> Rule:
    name = _text(quality.name, f"name of a quality rule of {column}")
    body = quality.implementation
    if quality.engine != "greatExpectations" or not isinstance(body, dict):
        raise ValueError(
            f"quality rule {name} of {column} must be implemented in greatExpectations"
        )
    return Rule(
        column=column,
        name=name,
        expectation=_text(body.get("type"), f"type of quality rule {name} of {column}"),
        arguments=MappingProxyType(dict(body.get("kwargs", {}))),
        meaning=_text(quality.description, f"description of quality rule {name} of {column}"),
        meaning_zh=_text(
            _custom(quality.customProperties).get("descriptionZh"),
            f"descriptionZh of quality rule {name} of {column}",
        ),
        warns=quality.severity == "warning",
    )


def _custom(entries: list[CustomProperty] | None) -> dict[str, Any]:
    return {entry.property: entry.value for entry in entries or [] if entry.property is not None}


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{what} is missing")
    return value
