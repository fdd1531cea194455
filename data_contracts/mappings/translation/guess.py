"""A mapping to start from, guessed from a file's headings and the look of its values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from data_contracts.contract import Column, Contract, dataset_names, load_contract
from data_contracts.mappings.language import DatasetMapping
from data_contracts.mappings.shipped_formats import plain_heading, recognise_format
from data_contracts.mappings.translation.choices import as_text, plain_value
from data_contracts.mappings.translation.ways import find_ways
from data_contracts.shipped_yaml import read_shipped

__all__ = ["Guess", "count_known_headings", "guess_dataset", "guess_mapping"]

_WORDS = Path(__file__).with_name("words.yaml")
_SAMPLE_ROWS = 1_000
_MOST_VALUES = 12  # a column with more different values is no list of codes
_LOOKS_LIKE = 0.8  # share of the values that must have the look
_LOOKS: Mapping[str, str] = {
    "phone_number": r"^(?:\+?86|0086)?1[3-9]\d{9}$",
    "account_number": r"^\d{16,19}$",
    "id_number": r"^[1-9]\d{16}[\dXx]$",
    "moment": r"^(?:19|20)\d{2}[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?[ T]?\d{1,2}[:时]?\d{2}",
    "day": r"^(?:19|20)\d{2}[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?$",
    "money": r"^[-+¥￥]?[\d,]+\.\d{2}$",
}


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A guessed section of a mapping: the dataset, and what the section says.

    ``open`` are the columns for which nothing was found, ``unknown`` the values, by column, that
    the contract has no word for.
    """

    dataset: str
    section: Mapping[str, Any]
    open: tuple[str, ...] = ()
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def as_yaml(self) -> str:
        """The mapping as a file, with remarks on what somebody must fill in."""
        body = yaml.safe_dump(
            {self.dataset: dict(self.section)}, allow_unicode=True, sort_keys=False, width=100
        )
        remarks = [
            f"  # {column} was not found: write its heading under headings, or a constant"
            for column in self.open
        ] + [
            f"  # {column} has values that are not known ({', '.join(values)}): write them under "
            "values"
            for column, values in self.unknown.items()
        ]
        return "\n".join(["# Guessed; check every line.", body.rstrip(), *remarks]) + "\n"


def count_known_headings(headings: Sequence[str]) -> int:
    """Return how many columns of one dataset these headings may be, of the dataset with most."""
    return max(len(_columns_known(headings, dataset=dataset)) for dataset in dataset_names())


def guess_dataset(headings: Sequence[str]) -> str:
    """Return the dataset of which most needed columns can be found among the headings."""
    known = {dataset: _share_known(headings, dataset=dataset) for dataset in dataset_names()}
    return max(reversed(dataset_names()), key=lambda dataset: known[dataset])


def guess_mapping(raw: pl.DataFrame, *, dataset: str) -> Guess:
    """Guess a mapping for a delivered table (columns by heading)."""
    contract = load_contract(dataset)
    headings = [one for one in raw.columns if not one.startswith("_")]
    if fitting := recognise_format(headings, dataset=dataset):
        ways = find_ways(headings, contract=contract, mapping=fitting.mapping)
        given = {*fitting.mapping.preamble}
        return Guess(
            dataset=dataset,
            section={"format": fitting.name},
            open=tuple(column for column in ways.missing if column not in given),
        )
    sample = raw.head(_SAMPLE_ROWS)
    amount = find_ways(headings, contract=contract, mapping=DatasetMapping()).amount
    two = () if amount is None else (amount.debit or "", amount.credit or "")
    found = _guess_headings(sample.drop(two, strict=False), contract=contract)
    if "direction" in found:  # it says what the two columns would say
        two = ()
    own = {h: c for c, h in found.items() if plain_heading(h) not in _known_headings(contract)}
    values, unknown = _guess_values(sample, found=found, contract=contract)
    numbered = "record_id" in contract.schema and "record_id" not in found
    section: dict[str, Any] = {
        "headings": own,
        "amount": {"debit": two[0], "credit": two[1]} if two else {},
        "record_numbers": "content" if numbered else "",
        "values": values,
    }
    section = {key: said for key, said in section.items() if said}
    ways = find_ways(headings, contract=contract, mapping=DatasetMapping(**section))
    return Guess(dataset=dataset, section=section, open=ways.missing, unknown=unknown)


@cache
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = read_shipped(_WORDS)
    return words


def _known_headings(contract: Contract) -> frozenset[str]:
    named = (one for column in contract.columns for one in (column.name, *column.headings))
    return frozenset(plain_heading(one) for one in named)


def _share_known(headings: Sequence[str], *, dataset: str) -> float:
    if recognise_format(headings, dataset=dataset):
        return 2.0
    columns = load_contract(dataset).columns
    needed = {column.name for column in columns if not column.optional}
    return len(needed & _columns_known(headings, dataset=dataset)) / len(needed)


def _columns_known(headings: Sequence[str], *, dataset: str) -> set[str]:
    """The columns of a dataset that one of these headings may name."""
    plain = {plain_heading(heading) for heading in headings}
    return {
        column.name
        for column in load_contract(dataset).columns
        if plain & set(_names_of(column, dataset=dataset))
    }


def _names_of(column: Column, *, dataset: str) -> list[str]:
    """What a column may be called, the surest first."""
    guessed = _words()["headings"].get(dataset, {}).get(column.name, [])
    return [plain_heading(one) for one in (*column.headings, column.name, *guessed)]


def _guess_headings(sample: pl.DataFrame, *, contract: Contract) -> dict[str, str]:
    """The heading of each column, by name first, then by the look of the values."""
    free = {plain_heading(one): one for one in sample.columns if _is_heading(one)}
    found: dict[str, str] = {}
    for column in contract.columns:
        names = _names_of(column, dataset=contract.dataset)
        name = next((one for one in names if one in free), None)
        if name is not None:
            found[column.name] = free.pop(name)
    for column in contract.columns:
        look = _LOOKS.get(column.form)
        if column.name in found or column.optional or look is None:
            continue
        alike = [name for name, heading in free.items() if _has_look(sample[heading], look)]
        if alike:
            found[column.name] = free.pop(alike[0])
    return found


def _is_heading(name: str) -> bool:
    """Whether this is a heading, and not a value of a file without headings."""
    return not name.startswith("_") and re.search(r"\d{5}", name) is None


def _has_look(values: pl.Series, look: str) -> bool:
    text = as_text(values).drop_nulls()
    return len(text) > 0 and float(text.str.contains(look).mean() or 0) >= _LOOKS_LIKE  # type: ignore[arg-type]


def _guess_values(
    sample: pl.DataFrame, *, found: Mapping[str, str], contract: Contract
) -> tuple[dict[str, dict[str, str]], dict[str, tuple[str, ...]]]:
    """Values of columns with a list of values that the contract itself does not know."""
    guessed: dict[str, dict[str, str]] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    for column in contract.columns:
        if not column.values or column.name not in found:
            continue
        known = {plain_value(one) for one in (*column.values, *column.values_by_label)}
        words = _words()["values"].get(contract.dataset, {}).get(column.name, {})
        meaning = {plain_value(way): value for value, ways in words.items() for way in ways}
        delivered = as_text(sample[found[column.name]]).drop_nulls().unique().sort().to_list()
        strange = [one for one in delivered if plain_value(one) not in known]
        if len(strange) > _MOST_VALUES:
            continue
        ways = {one: meaning[plain_value(one)] for one in strange if plain_value(one) in meaning}
        if ways:
            guessed[column.name] = ways
        rest = tuple(one for one in strange if one not in ways)
        if rest and column.other_value is None:
            unknown[column.name] = rest
    return guessed, unknown
