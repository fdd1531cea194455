"""Where each record of a separated text begins and ends, and how many fields it has: counted line
by line, whatever the values are.

A text without quotation marks out of place is counted in a few passes over its bytes. Only where a
mark stands where none belongs are the lines with marks looked at one by one: such a line is read if
there is one way to read it, and else refused by itself, so that no mark can swallow what follows.
"""

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["STRAY_QUOTE", "Records", "find_records", "split_fields", "without_guards"]

#: What a record is refused for if its quotation marks cannot be understood.
STRAY_QUOTE = "row.stray_quote"

_QUOTE, _NEWLINE = ord('"'), ord("\n")
_BLOCK = 1 << 18  # bytes: passes over what is in the cache are several times faster
_LONGEST_RECORD = 30  # lines: a mark that is not closed sooner was never meant to open

Positions = NDArray[np.int64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Records:
    """The records of a text, in its order.

    ``starts`` and ``ends`` are byte offsets without the line's end, ``fields`` says how many fields
    each has (0 for an empty line). ``repaired`` holds the fields of records whose marks are out of
    place and that can be read nevertheless, ``refused`` are those that cannot, both by index.
    """

    starts: Positions
    ends: Positions
    fields: Positions
    repaired: dict[int, list[str]] = field(default_factory=dict)
    refused: frozenset[int] = frozenset()


def find_records(text: bytes, *, delimiter: bytes, width: int) -> Records:
    """Find the records of ``text`` (UTF-8, lines ended by LF); ``width`` is how many fields a
    record should have.
    """
    content = _as_bytes(text)
    if b'"' not in text:
        return _records(*_line_ends(content), _at(content, ord(delimiter)))
    inside = _quoted(content, delimiter=ord(delimiter))
    if inside is not None:
        starts, ends = _line_ends(content, inside=inside)
        if not _swallows_lines(text, starts, ends, delimiter=delimiter, width=width):
            return _records(starts, ends, _at(content, ord(delimiter), inside=inside))
    quotes = _at(content, _QUOTE)
    return _records_one_by_one(text, quotes=quotes, delimiter=delimiter, width=width)


def without_guards(text: bytes, *, delimiter: bytes) -> bytes:
    """Take off the ``=`` of ``="138..."``, by which spreadsheets keep digits, where all quotation
    marks are in place then.
    """
    if (
        b'"' not in text
        or b'="' not in text
        or _quoted(_as_bytes(text), delimiter=ord(delimiter)) is not None
    ):
        return text
    apart = re.escape(delimiter)
    plain = re.sub(rb"(^|[\n%b])=\"(?!\"[^\n%b])" % (apart, apart), rb'\1"', text)
    return text if _quoted(_as_bytes(plain), delimiter=ord(delimiter)) is None else plain


def split_fields(line: str, *, delimiter: str) -> list[str] | None:
    """The fields of one record, or None where a quotation mark is out of place.

    Blanks around a quoted field and the ``="..."`` by which spreadsheets keep digits are
    understood.
    """
    blank = "[ ]*" if delimiter == "\t" else "[ \t]*"
    apart = re.escape(delimiter)
    one = re.compile(
        rf'(?:{blank}=?"((?:[^"]|"")*)"{blank}|(?!{blank}=?")([^{apart}]*))({apart}|\Z)', re.DOTALL
    )
    fields, position = [], 0
    while True:
        found = one.match(line, position)
        if found is None:
            return None
        quoted, plain, last = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        position = found.end()
        if not last:
            return fields


def _as_bytes(text: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(text, dtype=np.uint8)


def _at(content: NDArray[np.uint8], byte: int, *, inside: Marks | None = None) -> Positions:
    found = []
    for start in range(0, content.size, _BLOCK):
        marks = content[start : start + _BLOCK] == byte
        if inside is not None:
            marks &= ~inside[start : start + _BLOCK]
        found.append(np.flatnonzero(marks) + start)
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _line_ends(
    content: NDArray[np.uint8], *, inside: Marks | None = None
) -> tuple[Positions, Positions]:
    """Start and end of every line; an empty line at the very end is none."""
    ends = _at(content, _NEWLINE, inside=inside)
    if content.size and (not ends.size or ends[-1] != content.size - 1):
        ends = np.append(ends, content.size)
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    return starts, ends


def _records(starts: Positions, ends: Positions, separators: Positions) -> Records:
    return Records(starts=starts, ends=ends, fields=_field_counts(starts, ends, separators))


def _field_counts(starts: Positions, ends: Positions, separators: Positions) -> Positions:
    if not ends.size:
        return ends
    each, odd = divmod(separators.size, ends.size)
    if not odd and each:  # the usual file: as many in every line
        table = separators.reshape(ends.size, each)
        if (table[:, 0] >= starts).all() and (table[:, -1] < ends).all():
            return np.full(ends.size, each + 1)
    until = np.searchsorted(separators, ends)
    counts = np.diff(until, prepend=0) + 1
    counts[starts == ends] = 0
    return counts


def _quoted(content: NDArray[np.uint8], *, delimiter: int) -> Marks | None:
    """Which bytes are inside of quotation marks, if every mark opens a field, closes one, or stands
    twice inside of one.
    """
    inside = np.empty(content.size, dtype=np.bool_)
    open_before = False
    for start in range(0, content.size, _BLOCK):
        end = min(start + _BLOCK, content.size)
        marks = content[start:end] == _QUOTE
        within = inside[start:end]
        np.bitwise_xor.accumulate(marks, out=within)
        within ^= open_before
        border = np.ones(end - start + 2, dtype=np.bool_)  # with one byte before and one after
        low, high = max(start - 1, 0), min(end + 1, content.size)
        around = content[low:high]
        border[low - start + 1 : high - start + 1] = (
            (around == _QUOTE) | (around == delimiter) | (around == _NEWLINE)
        )
        opens = marks & within
        if (opens & ~border[:-2]).any() or ((marks ^ opens) & ~border[2:]).any():
            return None
        open_before = bool(within[-1])
    return None if open_before else inside


def _swallows_lines(
    text: bytes, starts: Positions, ends: Positions, *, delimiter: bytes, width: int
) -> bool:
    """Whether a record of several lines looks like several records between two stray marks."""
    if text.count(b"\n") - text.endswith(b"\n") == ends.size - 1:
        return False
    return any(
        b"\n" in record and _is_many_records(record, delimiter=delimiter, width=width)
        for record in (text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True))
    )


def _is_many_records(record: bytes, *, delimiter: bytes, width: int) -> bool:
    lines = record.split(b"\n")
    return sum(line.count(delimiter) >= width - 1 for line in lines) * 2 > len(lines)


def _records_one_by_one(text: bytes, *, quotes: Positions, delimiter: bytes, width: int) -> Records:
    """Read the lines with quotation marks one at a time; each stands for itself unless it clearly
    goes on.
    """
    content = _as_bytes(text)
    starts, ends = _line_ends(content)
    counts = _field_counts(starts, ends, _at(content, ord(delimiter)))
    joined = np.zeros(ends.size, dtype=bool)  # lines that belong to the record before
    repaired: dict[int, list[str]] = {}
    refused: set[int] = set()
    for line in np.unique(np.searchsorted(ends, quotes)).tolist():
        if joined[line]:
            continue
        last, fields = _read_record(
            text, line, starts=starts, ends=ends, delimiter=delimiter, width=width
        )
        if fields is None:
            refused.add(line)
        else:
            repaired[line] = fields
            counts[line] = len(fields)
            joined[line + 1 : last + 1] = True
            ends[line] = ends[last]
    kept = np.flatnonzero(~joined)
    place = {line: index for index, line in enumerate(kept.tolist())} if joined.any() else None
    return Records(
        starts=starts[kept],
        ends=ends[kept],
        fields=counts[kept],
        repaired={place[line] if place else line: fields for line, fields in repaired.items()},
        refused=frozenset(place[line] if place else line for line in refused),
    )


def _read_record(
    text: bytes, line: int, *, starts: Positions, ends: Positions, delimiter: bytes, width: int
) -> tuple[int, list[str] | None]:
    """The last line and the fields of the record that begins with this line."""
    apart = delimiter.decode()
    own = text[starts[line] : ends[line]]
    if own.count(b'"') % 2 == 0:
        return line, split_fields(own.decode(), delimiter=apart)
    for last in range(line + 1, min(line + _LONGEST_RECORD, ends.size)):
        record = text[starts[line] : ends[last]]
        if record.count(b'"') % 2:
            continue
        fields = split_fields(record.decode(), delimiter=apart)
        if fields is None or abs(len(fields) - width) > 1:
            break
        if _is_many_records(record, delimiter=delimiter, width=width):
            break
        return last, fields
    return line, None
