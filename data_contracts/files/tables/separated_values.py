"""Separated text (CSV and its like) as a table: a row is what has a field for every heading."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from data_contracts.errors import DeliveryError
from data_contracts.files.tables.headings import Headings, Line, Wanted, choose_headings
from data_contracts.files.tables.line_kinds import line_kind
from data_contracts.files.tables.raw_table import RawTable
from data_contracts.files.tables.records import (
    STRAY_QUOTE,
    Records,
    find_records,
    split_fields,
    without_guards,
)
from data_contracts.files.tables.table_rows import (
    TOO_FEW_FIELDS,
    TOO_MANY_FIELDS,
    OddLine,
    assemble_table,
    position_names,
)
from data_contracts.mappings.layout import Layout

__all__ = ["read_separated"]

_DELIMITERS = (",", "\t", ";", "|")
_FIRST_LINES = 50
_FIELDS_OF_PIECE = 2  # the second one where lines end with a separator
_LINES_OF_HEADING = 5
_MOST_UNLIKE = 3  # lines among the rows that are no rows
_FEW = 0.1  # rows of another length than all others, as where something was lost
_NUL_BYTES = "row.nul_bytes"
_TORN = "row.torn"
_CUT_OFF = "row.cut_off"
_ENOUGH_ROWS = 3  # that write a value alike
#: What a piece of a field can look like when a line end stands inside of it.
_PIECE = re.compile(r"[0-9A-Za-z.+\-*]{1,40}|[0-9 .:+\-]{1,40}|[\u4e00-\u9fff]{1,12}")
_REDELIVER = "Ask the source to deliver the file again."


@dataclass(frozen=True, kw_only=True)
class _Body:
    """The text after the headings with its records, and how many fields a record may have."""

    text: bytes
    records: Records
    delimiter: str
    fewest: int
    most: int

    def line(self, index: int) -> str:
        """The text of a record."""
        start, end = self.records.starts[index], self.records.ends[index]
        return self.text[start:end].decode()

    def end_with_separator(self, indices: NDArray[np.int64]) -> bool:
        """Whether all of these records end with a separator."""
        content = np.frombuffer(self.text, dtype=np.uint8)
        lasts = content[self.records.ends[indices] - 1]
        return bool((lasts == ord(self.delimiter)).all())

    def fields(self, index: int) -> tuple[str, ...]:
        """The fields of a record; what cannot be split into fields is one."""
        found = self.records.repaired.get(index)
        if found is None:
            line = self.line(index)
            found = split_fields(line, delimiter=self.delimiter) or [line]
        return tuple(found)


def read_separated(text: str, *, name: str, layout: Layout, wanted: Wanted) -> RawTable:
    """Read separated text, decoded and with LF at the line ends; ``name`` is how errors call it.

    Raises ``DeliveryError`` where there are no headings or the text cannot be split.
    """
    headings, delimiter, rest = _split_head(text, layout=layout, wanted=wanted, name=name)
    body = _find_body(rest.encode(), delimiter=delimiter, headings=headings)
    odd = _odd_records(body)
    odd |= _torn_records(body, odd=odd, headings=headings)
    _refuse_cut_end(body, odd=odd, headings=headings, name=name)
    empty = body.records.fields == 0
    fits = ~empty
    fits[list(odd)] = False
    values = _parse(_fitting_text(body, fits=fits), body=body, name=name)
    if values.height != int(fits.sum()):
        raise _malformed(name, "count")
    numbers = pl.Series("_row", np.flatnonzero(fits) + 1, dtype=pl.Int64)
    if body.most > len(headings.names) and delimiter == ",":
        broken = _broken_thousands(values)
        if not broken.all():  # the others show that rows do end with a separator
            broken = broken & ~broken
        odd |= dict.fromkeys((numbers.filter(broken) - 1).to_list(), TOO_MANY_FIELDS)
        values, numbers = values.filter(~broken), numbers.filter(~broken)
    if _breaks_off(body, values, numbers=numbers):
        odd[body.records.ends.size - 1] = _CUT_OFF
        values, numbers = values.head(-1), numbers.head(-1)
    odd |= dict.fromkeys(np.flatnonzero(empty).tolist(), TOO_FEW_FIELDS)
    table = assemble_table(
        values,
        numbers=numbers,
        odd=[
            OddLine(number=index + 1, code=code, fields=body.fields(index))
            for index, code in sorted(odd.items())
        ],
        headings=headings,
        layout=layout,
        wanted=wanted,
        name=name,
    )
    return replace(table, layout=Layout(delimiter=delimiter))


def _split_head(
    text: str, *, layout: Layout, wanted: Wanted, name: str
) -> tuple[Headings, str, str]:
    """The headings, the delimiter they show, and the text after them."""
    delimiters = (layout.delimiter,) if layout.delimiter else _DELIMITERS
    heads: dict[str, tuple[Headings, int]] = {}
    for delimiter in delimiters:
        lines = list(_first_lines(text, delimiter=delimiter))
        found = choose_headings([line for line, _ in lines], layout=layout, wanted=wanted)
        if found is not None:
            end = next(end for line, end in lines if line.number == found.line)
            heads[delimiter] = found, end
            if not wanted.missing(found.names, preamble=found.preamble):
                break
    if not heads:
        raise DeliveryError(f"{name} has no headings.", remedy=_REDELIVER)
    chosen = max(heads, key=lambda delimiter: wanted.known(heads[delimiter][0].names))
    headings, end = heads[chosen]
    if "\x00" in "".join(headings.names):
        raise DeliveryError(
            f"{name} is not text in UTF-8 or GB18030.",
            remedy="Deliver CSV in one of these encodings.",
        )
    return headings, chosen, text[end:]


def _first_lines(text: str, *, delimiter: str) -> Iterator[tuple[Line, int]]:
    """The first lines, each with where the next one starts. A heading may itself hold line ends."""
    start, number = 0, 1
    for _ in range(_FIRST_LINES):
        if start >= len(text):
            return
        fields, end, lines = _first_record(text, start, delimiter=delimiter)
        yield Line(number=number, fields=fields, text=text[start:end].strip()), end
        start, number = end, number + lines


def _first_record(text: str, start: int, *, delimiter: str) -> tuple[list[str], int, int]:
    end = start - 1
    for lines in range(1, _LINES_OF_HEADING + 1):
        end = text.find("\n", end + 1)
        end = len(text) if end < 0 else end
        record = text[start:end]
        fields = split_fields(record, delimiter=delimiter) if record.count('"') % 2 == 0 else None
        if fields is not None:
            return fields, end + 1, lines
        if end == len(text):
            break
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    return text[start:end].split(delimiter), end + 1, 1


def _find_body(text: bytes, *, delimiter: str, headings: Headings) -> _Body:
    text = without_guards(text, delimiter=delimiter.encode())
    width = len(headings.names)
    records = find_records(text, delimiter=delimiter.encode(), width=width)
    body = _Body(text=text, records=records, delimiter=delimiter, fewest=headings.named, most=width)
    if headings.named == width and _ends_every_row(body, headings=headings):
        return _Body(
            text=text, records=records, delimiter=delimiter, fewest=width + 1, most=width + 1
        )
    return body


def _ends_every_row(body: _Body, *, headings: Headings) -> bool:
    """Whether rows end with a separator though the headings do not: most have one field more, and
    of the others hardly one has as many as there are headings.
    """
    fields = body.records.fields
    longer = np.flatnonzero(fields == body.most + 1)
    if longer.size * 2 <= (fields > 0).sum():
        return False
    as_headings = np.flatnonzero(fields == body.most).tolist()
    if as_headings and as_headings[-1] == fields.size - 1 and not body.text.endswith(b"\n"):
        as_headings.pop()  # the last line may be cut
    if len(as_headings) <= _MOST_UNLIKE and all(
        line_kind(body.fields(index), headings=headings.names) for index in as_headings
    ):
        return True
    # Where thousands without quotation marks make a field more, some end with another field.
    few = len(as_headings) <= longer.size * _FEW
    one = len(as_headings) == 1 and longer.size >= _ENOUGH_ROWS
    if not few and (not one or body.end_with_separator(np.array(as_headings))):
        return False
    return body.end_with_separator(longer)


def _odd_records(body: _Body) -> dict[int, str]:
    """The records that do not fit under the headings, by index, each with its reason."""
    fields = body.records.fields
    few = np.flatnonzero((fields < body.fewest) & (fields > 0)).tolist()
    odd = dict.fromkeys(few, TOO_FEW_FIELDS)
    odd |= dict.fromkeys(np.flatnonzero(fields > body.most).tolist(), TOO_MANY_FIELDS)
    odd |= dict.fromkeys(body.records.refused, STRAY_QUOTE)
    if b"\x00" in body.text:
        nul = np.flatnonzero(np.frombuffer(body.text, dtype=np.uint8) == 0)
        spoilt = np.unique(np.searchsorted(body.records.ends, nul)).tolist()
        odd |= dict.fromkeys(spoilt, _NUL_BYTES)
    return dict(sorted(odd.items()))


def _torn_records(body: _Body, *, odd: dict[int, str], headings: Headings) -> dict[int, str]:
    """The records beside a line that is a piece of one field: a line end inside of the last field
    of a row, or of the first, leaves a row that has all its fields and not all of a value.
    """
    torn: set[int] = set()
    for index, code in odd.items():
        fields = body.fields(index) if code == TOO_FEW_FIELDS else ()
        said = [field.strip() for field in fields if field.strip()]
        if len(fields) > _FIELDS_OF_PIECE or len(said) != 1 or not _PIECE.fullmatch(said[0]):
            continue
        if line_kind(fields, headings=headings.names) is None:
            torn |= {index - 1, index + 1}
    beside = (one for one in torn if 0 <= one < body.records.fields.size and one not in odd)
    return dict.fromkeys((one for one in beside if body.records.fields[one]), _TORN)


def _refuse_cut_end(body: _Body, *, odd: dict[int, str], headings: Headings, name: str) -> None:
    """Refuse a file whose last line neither ends nor has all its fields: a value may be cut unseen,
    too.
    """
    last = body.records.ends.size - 1
    if (
        odd.get(last) in {TOO_FEW_FIELDS, STRAY_QUOTE}
        and not body.text.endswith(b"\n")
        and line_kind(body.fields(last), headings=headings.names) is None
    ):
        raise DeliveryError(f"{name} is truncated: its last line breaks off.", remedy=_REDELIVER)


def _breaks_off(body: _Body, values: pl.DataFrame, *, numbers: pl.Series) -> bool:
    """Whether the last line does not end, and has fewer decimals or seconds in its last field than
    all other rows, which have equally many.
    """
    if body.text.endswith(b"\n") or numbers.tail(1).to_list() != [body.records.ends.size]:
        return False
    last = values.to_series(values.width - 1).str.strip_chars()
    marks = last.str.count_matches(r"[.:]")
    after = last.str.extract(r"[.:](\d*)$").str.len_bytes()
    others = pl.DataFrame({"marks": marks, "after": after}).head(-1)
    if others.height < _ENOUGH_ROWS or others.n_unique() > 1 or not others["after"][0]:
        return False
    found, usual = (marks[-1], after[-1] or 0), others.row(0)
    return found[0] is not None and found < usual


def _fitting_text(body: _Body, *, fits: NDArray[np.bool_]) -> bytes:
    """The text of the records that fit, those with marks out of place written anew."""
    records = body.records
    if fits.all() and not records.repaired:
        return body.text
    anew = [index for index in records.repaired if fits[index]]
    breaks = np.unique(np.concatenate([np.flatnonzero(~fits), np.array(anew, dtype=np.int64)]))
    pieces, position = [], 0
    for index in breaks.tolist():
        pieces.append(body.text[position : records.starts[index]])
        if fits[index]:
            pieces.append(_written(records.repaired[index], delimiter=body.delimiter))
        position = min(int(records.ends[index]) + 1, len(body.text))
    pieces.append(body.text[position:])
    return b"".join(pieces)


def _written(fields: list[str], *, delimiter: str) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(
        fields
    )
    return line.getvalue().encode()


def _parse(text: bytes, *, body: _Body, name: str) -> pl.DataFrame:
    try:
        values = pl.read_csv(
            io.BytesIO(text),
            has_header=False,
            separator=body.delimiter,
            quote_char='"' if b'"' in text else None,
            schema=dict.fromkeys(position_names(body.most), pl.String),
            missing_columns="insert",
            raise_if_empty=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # The message itself could quote delivered values.
        raise _malformed(name, type(error).__name__) from None
    return _without_apostrophes(values) if b"'" in text else values


def _broken_thousands(values: pl.DataFrame) -> pl.Series:
    """Rows in which two fields look like one number with a comma in it. Where every row may end
    with a separator, such a row has the right number of fields by chance.
    """
    head, tail = r"^\s*[+-]?[¥￥]?[1-9]\d{0,2}$", r"^\d{3}(\.\d*)?\s*$"
    pairs = zip(values.columns, values.columns[1:], strict=False)
    return values.select(
        pl.any_horizontal(
            pl.col(one).str.contains(head) & pl.col(other).str.contains(tail)
            for one, other in pairs
        )
        .fill_null(value=False)
        .alias("broken")
    ).to_series()


def _without_apostrophes(values: pl.DataFrame) -> pl.DataFrame:
    """Take off the apostrophe by which people keep spreadsheets from reading a number."""
    return values.with_columns(pl.all().str.replace(r"^\s*'([^']*)'?\s*$", "$1"))


def _malformed(name: str, kind: str) -> DeliveryError:
    return DeliveryError(
        f"{name} is not well-formed CSV ({kind}); often a quotation mark is not closed.",
        remedy=_REDELIVER,
    )
