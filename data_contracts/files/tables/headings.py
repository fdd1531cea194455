"""Finding the line of the headings in a delivered table, with or without lines before it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from data_contracts.contract import Contract
from data_contracts.mappings.language import DatasetMapping
from data_contracts.mappings.layout import Layout
from data_contracts.mappings.shipped_formats import plain_heading, recognise_format
from data_contracts.mappings.translation.ways import Ways, find_ways
from data_contracts.words.counts import choose_form, count_things

__all__ = ["ContractHeadings", "Headings", "Line", "Wanted", "choose_headings"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line with the number it has in the file, from 1."""

    number: int
    fields: Sequence[str]
    text: str

    @property
    def is_blank(self) -> bool:
        """Whether it says nothing."""
        return not any(field.strip() for field in self.fields)


class Wanted(Protocol):
    """What headings a table should have."""

    def missing(self, headings: Sequence[str], *, preamble: Sequence[str]) -> Collection[str]:
        """The columns that are needed and that these headings do not fill, with the lines before
        them.
        """

    def known(self, headings: Sequence[str]) -> int:
        """How many of these headings are understood."""


@dataclass(frozen=True, kw_only=True)
class ContractHeadings:
    """The headings that fill the columns of a contract, by the mapping of the file's source or by a
    format that is known.
    """

    contract: Contract
    mapping: DatasetMapping

    def missing(self, headings: Sequence[str], *, preamble: Sequence[str]) -> Collection[str]:
        """See ``Wanted``."""
        return self._ways(headings, preamble=preamble).missing

    def known(self, headings: Sequence[str]) -> int:
        """See ``Wanted``."""
        return len(self._ways(headings, preamble=()).used)

    def _ways(self, headings: Sequence[str], *, preamble: Sequence[str]) -> Ways:
        said = [heading.strip() for heading in headings if heading.strip()]
        ways = find_ways(said, contract=self.contract, mapping=self.mapping, preamble=preamble)
        if not ways.missing:
            return ways
        known = recognise_format(said, dataset=self.contract.dataset)
        if known is None:
            return ways
        over = self.mapping.laid_over(known.mapping)
        return find_ways(said, contract=self.contract, mapping=over, preamble=preamble)


@dataclass(frozen=True, kw_only=True)
class Headings:
    """The headings of a table, trimmed, and where they stand: ``line`` from 1, ``preamble`` what
    stands before.
    """

    names: tuple[str, ...]
    line: int
    preamble: tuple[str, ...]
    is_said: bool

    @property
    def named(self) -> int:
        """How many fields there are up to the last that has a name."""
        return max((i for i, name in enumerate(self.names, start=1) if name), default=0)

    def warning(self, name: str) -> tuple[str, ...]:
        """What somebody should know of lines before the headings."""
        if self.is_said or not self.preamble:
            return ()
        return (
            f"{name}: the headings are taken from line {self.line}; the "
            f"{count_things(len(self.preamble), 'line')} before them that "
            f"{choose_form(len(self.preamble), 'holds', 'hold')} something "
            f"{choose_form(len(self.preamble), 'is', 'are')} left out.",
        )


def choose_headings(lines: Sequence[Line], *, layout: Layout, wanted: Wanted) -> Headings | None:
    """Choose the headings among the first lines of a table; None where no line can hold them.

    Without a word of the layout it is the first line with all that is needed, else the one that
    names most columns: what it lacks is for the reader to say.
    """
    said = [line for line in lines if not line.is_blank]
    is_said = layout.heading_row is not None or bool(layout.headings_contain)
    chosen = _said_line(said, layout=layout) if is_said else _found_line(said, wanted=wanted)
    if chosen is None:
        return None
    return Headings(
        names=tuple(field.strip().strip("\ufeff") for field in chosen.fields),
        line=chosen.number,
        preamble=tuple(line.text for line in said if line.number < chosen.number),
        is_said=is_said,
    )


def _said_line(lines: Sequence[Line], *, layout: Layout) -> Line | None:
    signs = {plain_heading(heading) for heading in layout.headings_contain}
    return _first(
        lines,
        lambda line: (
            (layout.heading_row in (None, line.number))
            and signs <= {plain_heading(field) for field in line.fields}
        ),
    )


def _found_line(lines: Sequence[Line], *, wanted: Wanted) -> Line | None:
    whole = next(
        (
            line
            for index, line in enumerate(lines)
            if not wanted.missing(line.fields, preamble=[one.text for one in lines[:index]])
        ),
        None,
    )
    return whole or max(
        lines, key=lambda line: (wanted.known(line.fields), -line.number), default=None
    )


def _first(lines: Sequence[Line], fits: Callable[[Line], bool]) -> Line | None:
    return next((line for line in lines if fits(line)), None)
