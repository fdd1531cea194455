"""From lines with a field for every heading, and others, to the rows of a table."""

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from data_contracts.errors import DeliveryError
from data_contracts.files.tables.headings import Headings, Wanted
from data_contracts.files.tables.line_kinds import BLANK_LINE, line_kind, line_kinds
from data_contracts.files.tables.raw_table import MISFITS, RawTable
from data_contracts.mappings.layout import Layout
from data_contracts.words.counts import count_things

__all__ = [
    "TOO_FEW_FIELDS",
    "TOO_MANY_FIELDS",
    "OddLine",
    "assemble_table",
    "masked_names",
    "position_names",
]

TOO_FEW_FIELDS = "row.too_few_fields"
TOO_MANY_FIELDS = "row.too_many_fields"

_COUNTED = (TOO_FEW_FIELDS, TOO_MANY_FIELDS)
_SKIPPED_BY_MAPPING = "at the end, where the mapping leaves lines out"
_MOST_COUNTS = 3


@dataclass(frozen=True, kw_only=True)
class OddLine:
    """A line that does not fit under the headings: its number, why, and its fields."""

    number: int
    code: str
    fields: tuple[str, ...]


def masked_names(names: Sequence[str], *, shown_digits: int = 0) -> str:
    """Names out of a file for a message. They could be values, so digits are masked but for runs of
    up to ``shown_digits``, without which sheets by month are one like another.
    """
    hidden = re.compile(rf"\d{{{shown_digits + 1},}}")
    return ", ".join(hidden.sub(lambda run: "#" * len(run[0]), name)[:24] for name in names[:10])


def position_names(width: int) -> list[str]:
    """Names for the fields of a line by their position, before they have their headings."""
    return [str(position) for position in range(width)]


def assemble_table(
    values: pl.DataFrame,
    *,
    numbers: pl.Series,
    odd: Sequence[OddLine],
    headings: Headings,
    layout: Layout,
    wanted: Wanted,
    name: str,
) -> RawTable:
    """Make a table of its lines.

    ``values`` has the lines that fit, one text column a field, ``numbers`` their numbers in the
    file, ``odd`` the others. Lines that are no rows are left out; a line with something in a field
    without a name is odd, too.
    """
    skipped: Counter[str] = Counter()
    kinds = line_kinds(values, headings=headings.names)
    end = _end(numbers, odd=odd, kinds=kinds, skip_last=layout.skip_last)
    left_out = numbers >= end
    skipped += Counter(kind for index, kind in kinds.items() if not left_out[index])
    surplus = _has_surplus(values, named=headings.named)
    index = pl.Series(range(values.height), dtype=pl.UInt32)
    row = ~left_out & ~index.is_in(list(kinds)) if kinds else ~left_out
    odd = [*odd, *_surplus_lines(values, numbers=numbers, which=row & surplus)]
    misfits = []
    for line in odd:
        if line.number >= end:
            skipped[_SKIPPED_BY_MAPPING] += 1
        elif kind := _kind(line, headings=headings):
            skipped[kind] += 1
        else:
            misfits.append(line)
    skipped[_SKIPPED_BY_MAPPING] += int(left_out.sum())
    row &= ~surplus
    named = _named_columns(headings, wanted=wanted, name=name)
    whole = bool(row.all())
    return RawTable(
        values=(values if whole else values.filter(row)).select(
            pl.col(position).alias(heading) for position, heading in named.items()
        ),
        numbers=numbers if whole else numbers.filter(row),
        misfits=_as_misfits(misfits, headings=headings),
        skipped=+skipped,
        preamble=headings.preamble,
        heading_line=headings.line,
        warnings=(*headings.warning(name), *_count_warnings(misfits, headings, name=name)),
    )


def _end(
    numbers: pl.Series, *, odd: Sequence[OddLine], kinds: Mapping[int, str], skip_last: int
) -> int:
    """The number of the first line that is left out at the end; blank lines are not counted."""
    blank = [index for index, kind in kinds.items() if kind == BLANK_LINE]
    filled = set(numbers.to_list()) - set(numbers.gather(blank).to_list()) if skip_last else set()
    filled |= {line.number for line in odd if any(field.strip() for field in line.fields)}
    return min(sorted(filled)[-skip_last:], default=0) if skip_last else sys.maxsize


def _kind(line: OddLine, *, headings: Headings) -> str | None:
    if line.code not in _COUNTED:
        return None
    return line_kind(line.fields, headings=headings.names)


def _has_surplus(values: pl.DataFrame, *, named: int) -> pl.Series:
    """Whether something stands in the fields after the last heading."""
    nameless = values.columns[named:]
    if not nameless:
        return pl.repeat(value=False, n=values.height, eager=True, dtype=pl.Boolean)
    return values.select(
        pl.any_horizontal(pl.col(column).str.strip_chars() != "" for column in nameless)
        .fill_null(value=False)
        .alias("surplus")
    ).to_series()


def _surplus_lines(values: pl.DataFrame, *, numbers: pl.Series, which: pl.Series) -> list[OddLine]:
    if not which.any():
        return []
    return [
        OddLine(number=number, code=TOO_MANY_FIELDS, fields=tuple(field or "" for field in fields))
        for number, fields in zip(
            numbers.filter(which).to_list(), values.filter(which).rows(), strict=True
        )
    ]


def _named_columns(headings: Headings, *, wanted: Wanted, name: str) -> dict[str, str]:
    """The positions that have a heading, with it; one that says nothing may come twice."""
    named: dict[str, str] = {}
    for position, heading in enumerate(headings.names):
        if not heading:
            continue
        unique = heading
        if heading in named.values():
            if wanted.known([heading]):
                raise DeliveryError(
                    f"{name} has the same heading twice.",
                    remedy="Ask the source to deliver the file again.",
                )
            unique = f"{heading} ({position + 1})"
        named[str(position)] = unique
    return named


def _as_misfits(lines: Sequence[OddLine], *, headings: Headings) -> pl.DataFrame:
    rows = [
        (
            line.number,
            [line.code],
            json.dumps(
                {"fields": line.fields, "headings": len(headings.names)}, ensure_ascii=False
            ),
        )
        for line in lines
    ]
    return pl.DataFrame(rows, schema=MISFITS, orient="row")


def _count_warnings(lines: Sequence[OddLine], headings: Headings, *, name: str) -> tuple[str, ...]:
    """How many fields the lines have whose number of fields is wrong."""
    counted = [line for line in lines if line.code in _COUNTED]
    counts = Counter(len(line.fields) for line in counted)
    first = {len(line.fields): line.number for line in reversed(counted)}
    return tuple(
        f"{name}: rejected for {count_things(fields, 'field')} under "
        f"{count_things(headings.named, 'heading')}: "
        f"{count_things(number, 'row')}, the first is row {headings.line + first[fields]}."
        for fields, number in counts.most_common(_MOST_COUNTS)
    )
