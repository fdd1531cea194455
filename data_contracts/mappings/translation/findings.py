"""What is said of how a file's headings were taken: warnings, and errors with what to write."""

import re
from collections.abc import Mapping, Sequence

from data_contracts.contract import Contract, dataset_names, load_contract
from data_contracts.errors import DeliveryError
from data_contracts.mappings.language import DatasetMapping
from data_contracts.mappings.shipped_formats import ShippedFormat
from data_contracts.mappings.translation.ways import Ways, find_ways, in_preamble

__all__ = ["describe_choices", "describe_gaps", "refuse_second_preamble"]

_NUMBERS = {2: "two", 3: "three"}


def describe_choices(
    ways: Ways,
    headings: Sequence[str],
    *,
    preamble: Sequence[str],
    mapping: DatasetMapping,
    recognised: ShippedFormat | None,
    fitting: ShippedFormat | None,
    name: str,
) -> tuple[str, ...]:
    """Return what somebody should know of how the headings were taken, with what to write."""
    found = []
    if recognised is not None:
        found.append(
            f"{name}: the headings are those of {recognised.title.en}, and the file is read so. "
            f"To make sure of it, write `{recognised.dataset}: {{format: {recognised.name}}}` in "
            "the source's mapping."
        )
    elif fitting is not None and mapping.format is None:
        alone = find_ways(
            headings,
            contract=load_contract(fitting.dataset),
            mapping=fitting.mapping,
            preamble=preamble,
        )
        constants = ", ".join(f"{column}: …" for column in alone.missing)
        said = f"format: {fitting.name}" + (f", constants: {{{constants}}}" if constants else "")
        found.append(
            f"{name}: the headings are those of {fitting.title.en}, and the source's mapping takes "
            "accounts from a column that holds none. To read them as this format, write "
            f"`{fitting.dataset}: {{{said}}}` instead of what the mapping says now."
        )
    if ways.guessed:
        debit, credit = ways.guessed
        found.append(
            f"{name}: {debit} is taken for money that leaves and {credit} for money that arrives. "
            f"To make sure of it, write `transfers: "
            f"{{amount: {{debit: {debit}, credit: {credit}}}}}` in the source's mapping."
        )
    return tuple(found)


def describe_gaps(
    ways: Ways,
    headings: Sequence[str],
    *,
    contract: Contract,
    name: str,
    recognised: ShippedFormat | None,
) -> DeliveryError:
    """Return the error of a file in which a column is missing, or claimed twice."""
    dataset = contract.dataset
    for column, claimed in ways.ambiguous.items():
        return DeliveryError(
            f"{name} has {_NUMBERS.get(len(claimed), len(claimed))} columns for {column}: "
            f"{_named(claimed)}.",
            remedy=f"Write `{dataset}: {{headings: {{{claimed[0]}: {column}}}}}` in the source's "
            "mapping with the one that counts.",
        )
    lacks = f"{name} lacks the columns {', '.join(ways.missing)}."
    if recognised is not None:
        constants = ", ".join(f"{column}: …" for column in ways.missing)
        wishes = [recognised.asks_for[one] for one in ways.missing if one in recognised.asks_for]
        hint = f" ({'; '.join(wishes)})" if wishes else ""
        return DeliveryError(
            f"{lacks} It is {recognised.title.en}, and this file does not say them{hint}.",
            remedy=f"Write `{dataset}: {{format: {recognised.name}, "
            f"constants: {{{constants}}}}}` in the source's mapping.",
        )
    looks = _other_dataset(headings, dataset=dataset)
    hint = f" It looks like a file of {looks}." if looks else ""
    return DeliveryError(
        f"{lacks}{hint}",
        remedy=f"Write `{dataset}: {{headings: {{heading in the file: {ways.missing[0]}}}}}` in "
        "the source's mapping (`forestall sources try FILE` makes one to start from), or ask the "
        "source to deliver the file again.",
    )


def _other_dataset(headings: Sequence[str], *, dataset: str) -> str | None:
    """The dataset whose columns these headings are, if it is another one."""
    for other in dataset_names():
        found = find_ways(headings, contract=load_contract(other), mapping=DatasetMapping())
        if other != dataset and found.is_whole:
            return other
    return None


def _named(headings: Sequence[str]) -> str:
    """Headings for a message. In a file without headings they are values, so digits are masked."""
    return ", ".join(re.sub(r"\d", "#", heading)[:24] for heading in headings[:10])


def refuse_second_preamble(
    odd_lines: Mapping[int, str], *, preamble: Sequence[str], mapping: DatasetMapping, name: str
) -> None:
    """Raise ``DeliveryError`` if a line within the table (text by row) says another account or
    number than the lines before the headings: the rows below it are not of the first.
    """
    for column, pattern in mapping.preamble.items():
        first = in_preamble(preamble, pattern)
        for row, line in odd_lines.items() if first else ():
            if in_preamble([line], pattern) not in (None, first):
                raise DeliveryError(
                    f"{name} holds several statements: row {row} says another {column} than the "
                    "lines before the headings.",
                    remedy="Ask the source for one statement a file, or for a ZIP archive of them.",
                )
