"""What is wrong with a mapping, in sentences that name the line, the key, the nearest right one and
what to write.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import polars as pl
from pydantic import BaseModel, ValidationError

from data_contracts.contract import Column, Contract, dataset_names, load_contract
from data_contracts.mappings.clock_words import DURATION_WORDS, is_clock_pattern
from data_contracts.mappings.document import Document, KeyPath
from data_contracts.mappings.language import CONTENT, Amount, DatasetMapping, Part

__all__ = ["Problem", "check_section", "misplaced_names", "nearest", "sentences", "shape_problems"]

#: Where something is wrong, and what.
Problem = tuple[KeyPath, str]
Locate = Callable[..., KeyPath]

_CLOSE = 0.6
_SCALARS = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "decimal_parsing": "must be a number",
    "decimal_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be one word or text",
    "string_too_long": "must be one character",
    "string_too_short": "must not be empty",
    "greater_than": "must be greater than zero",
    "greater_than_equal": "is too small",
    "literal_error": "must be debit or credit",
    "missing": "is missing",
}
_TABLES = ("mapping_type", "dict_type", "model_type", "model_attributes_type", "is_instance_of")


def sentences(problems: Iterable[Problem], *, document: Document) -> str:
    """Return the problems in the order of their lines."""
    located = [
        (document.line_of(path) or 0, *problem) for problem in problems for path in [problem[0]]
    ]
    words = dict.fromkeys(
        (f"line {line}: " if line else "") + message
        for line, _, message in sorted(located, key=lambda one: one[0])
    )
    return "; ".join(words)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `, did you mean X?` for the known word that ``word`` resembles, else nothing."""
    alike = get_close_matches(word.lower(), [one.lower() for one in known], n=1, cutoff=_CLOSE)
    exact = next((one for one in known if alike and one.lower() == alike[0]), None)
    return f", did you mean {exact}?" if exact else ""


def shape_problems(
    error: ValidationError, *, model: type[BaseModel], document: Document
) -> Iterator[Problem]:
    """Say in our words what pydantic found."""
    for item in error.errors(include_url=False, include_input=False):
        path = tuple(map(str, item["loc"]))
        written = _written(document, path)
        key = ".".join(written) or "the file"
        if item["type"] == "extra_forbidden":
            yield path, _unknown_key(path, model=model)
        elif item["type"] == "value_error":
            yield written, f"{key}: {item['ctx']['error']}"
        elif item["type"] in _TABLES:
            yield written, f"{key} must be a table, `name: value`"
        else:
            yield written, f"{key} {_SCALARS.get(item['type'], 'cannot be used as it is')}"


def misplaced_names(document: Document) -> Iterator[Problem]:
    """Tables at the top that are by dataset, without the dataset."""
    if not isinstance(document.data, Mapping):
        yield (), "a mapping is a table, `key: value`"
        return
    for key in ("headings", "values", "delay_s"):
        table = document.data.get(key)
        if not isinstance(table, Mapping):
            continue
        for name in table:
            if name not in dataset_names():
                close = nearest(name, dataset_names())
                dataset = _dataset_of(key, name, table[name])
                remedy = close or f". Write it as `{dataset}: {{{key}: {{{name}: …}}}}`"
                yield (key, name), f"{key}.{name}: {name} is no dataset{remedy}"


def check_section(
    said: DatasetMapping, *, contract: Contract, formats: Mapping[str, str], at: Locate
) -> Iterator[Problem]:
    """Check what is said of one dataset against its contract.

    ``formats`` has the dataset of each shipped format. ``at`` makes the path of a key in the file
    of the key's name and what stands below it.
    """
    yield from _check_format(said, contract=contract, formats=formats, at=at)
    yield from _check_columns(said, contract=contract, at=at)
    yield from _check_values(said, contract=contract, at=at)
    yield from _check_patterns(said, at=at)
    if said.amount and "amount" not in contract.schema:
        yield at("amount"), f"amount: {contract.dataset} have no amount"
    if said.rates and "currency" not in contract.schema:
        yield at("rates"), f"rates: {contract.dataset} have no currency"
    for name in ("keep", "drop", "reversals"):
        for heading, words in getattr(said, name).items():
            if not words:
                yield at(name, heading), f"{name}.{heading} names no value"


def _written(document: Document, path: KeyPath) -> KeyPath:
    lengths = range(len(path), 0, -1)
    return next((path[:end] for end in lengths if path[:end] in document.lines), ())


def _unknown_key(path: KeyPath, *, model: type[BaseModel]) -> str:
    key, section = path[-1], set(DatasetMapping.model_fields)
    top = [*model.model_fields]
    if len(path) == 1:
        if key in section:
            return f"{key} belongs inside a dataset: write `transfers: {{{key}: …}}`"
        return f"{key} is no key of a mapping{nearest(key, [*top, *section])}"
    models: dict[str, type[BaseModel]] = {"amount": Amount, "split": Part}
    known = models.get(path[1], DatasetMapping).model_fields
    hint = nearest(key, known) or f"; there are {', '.join(known)}"
    return f"{'.'.join(path)}: {key} is no key here{hint}"


def _dataset_of(key: str, name: str, value: object) -> str:
    """The dataset whose contract has the column that a table without a dataset speaks of."""
    column = name if key == "values" else value
    datasets = reversed(dataset_names())  # events before registers
    return next((d for d in datasets if column in load_contract(d).schema.names()), "transfers")


def _check_format(
    said: DatasetMapping, *, contract: Contract, formats: Mapping[str, str], at: Locate
) -> Iterator[Problem]:
    if said.format is None:
        return
    of_dataset = formats.get(said.format)
    if of_dataset is None:
        known = [name for name, dataset in formats.items() if dataset == contract.dataset]
        hint = nearest(said.format, known) or f"; there are {', '.join(known) or 'none here'}"
        yield at("format"), f"format: there is no format {said.format}{hint}"
    elif of_dataset != contract.dataset:
        yield at("format"), f"format: {said.format} is a format of {of_dataset}"


def _check_columns(said: DatasetMapping, *, contract: Contract, at: Locate) -> Iterator[Problem]:
    for heading, column in said.headings.items():
        if column not in contract.schema:
            yield at("headings", heading), _no_column(heading, column, contract=contract)
    for name in ("join", "split", "preamble", "constants", "values", "moments", "durations"):
        for column in getattr(said, name):
            if column not in contract.schema:
                yield (
                    at(name, column),
                    f"{name}: {column} is no column of {contract.dataset}"
                    f"{_columns_hint(column, contract=contract)}",
                )
    for column in said.record_key:
        if column not in contract.schema:
            hint = _columns_hint(column, contract=contract)
            yield at("record_key"), f"record_key: {column} is no column{hint}"
    if said.record_numbers and "record_id" not in contract.schema:
        yield at("record_numbers"), f"record_numbers: {contract.dataset} have no record numbers"
    if CONTENT in said.record_numbers and len(said.record_numbers) > 1:
        yield at("record_numbers"), "record_numbers: write `content`, or headings"


def _no_column(heading: str, column: str, *, contract: Contract) -> str:
    if heading in contract.schema:
        return f"headings: the heading comes first: write `{column}: {heading}`"
    hint = _columns_hint(column, contract=contract)
    return f"headings.{heading}: {column} is no column of {contract.dataset}{hint}"


def _columns_hint(word: str, *, contract: Contract) -> str:
    names = contract.schema.names()
    by_title = {c.title_zh: c.name for c in contract.columns} | {
        heading: c.name for c in contract.columns for heading in c.headings
    }
    if word in by_title:
        return f", did you mean {by_title[word]}?"
    return nearest(word, names) or f"; there are {', '.join(names)}"


def _check_values(said: DatasetMapping, *, contract: Contract, at: Locate) -> Iterator[Problem]:
    for name, table in said.values.items():
        if name not in contract.schema:
            continue
        column = contract.column(name)
        for way, value in table.items():
            if not _is_value(value, column):
                yield at("values", name, way), _no_value(way, value, column=column)
    for name, value in said.constants.items():
        if name in contract.schema and not _is_value(value, contract.column(name)):
            yield at("constants", name), _no_value(name, value, column=contract.column(name))


def _is_value(value: str, column: Column) -> bool:
    if not column.values or column.open_values or value == "":
        return True
    return value in column.values or value in column.values_by_label


def _no_value(way: str, value: str, *, column: Column) -> str:
    if way in column.values:
        return f"{column.name}: what the file says comes first: write `{value}: {way}`"
    hint = nearest(value, column.values) or f"; there are {', '.join(column.values)}"
    return f"{column.name}: {value} is no value of {column.name}{hint}"


def _check_patterns(said: DatasetMapping, *, at: Locate) -> Iterator[Problem]:
    for column, pattern in said.preamble.items():
        if words := _wrong_pattern(pattern):
            yield at("preamble", column), f"preamble.{column}: {words}"
    for column, part in said.split.items():
        if part.pattern is not None and (words := _wrong_pattern(part.pattern)):
            yield at("split", column, "pattern"), f"split.{column}.pattern: {words}"
    yield from _check_clocks(said, at=at)


def _check_clocks(said: DatasetMapping, *, at: Locate) -> Iterator[Problem]:
    for column, patterns in said.moments.items():
        for pattern in patterns:
            if not is_clock_pattern(pattern):
                yield (
                    at("moments", column),
                    f"moments.{column}: {pattern} is no way to write a date; write it with yyyy, "
                    "yy, M, d, H, h, m, s and a (上午/下午), such as yy-MM-dd HH:mm, or excel",
                )
    for column, ways in said.durations.items():
        for way in ways:
            if way not in DURATION_WORDS:
                hint = nearest(way, DURATION_WORDS) or f"; there are {', '.join(DURATION_WORDS)}"
                yield at("durations", column), f"durations.{column}: {way} is not known{hint}"


def _wrong_pattern(pattern: str) -> str | None:
    """What is wrong with a regular expression: it must have one group, and no look-around."""
    try:
        groups: Sequence[Any] = (
            pl.Series([""]).str.extract_groups(pattern).struct.fields if pattern else ()
        )
    except pl.exceptions.PolarsError:
        return "this is no regular expression (look-around is not known)"
    if len(groups) != 1:
        return f"it has {len(groups)} groups and must have one, the part in ( ) that is taken"
    return None
