"""Workbooks of spreadsheets as tables: cells as the text that stands for what they hold."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from data_contracts.errors import DeliveryError
from data_contracts.files.tables.headings import Headings, Line, Wanted, choose_headings
from data_contracts.files.tables.raw_table import RawTable
from data_contracts.files.tables.table_rows import (
    TOO_FEW_FIELDS,
    TOO_MANY_FIELDS,
    OddLine,
    assemble_table,
    masked_names,
    position_names,
)
from data_contracts.mappings.layout import Layout
from data_contracts.words.counts import choose_form, count_things

__all__ = ["read_workbook"]

_FIRST_LINES = 50
#: A number in a cell is a float: of a longer one the last digits are lost.
_DIGITS_KEPT = 15
_LOST_DIGITS = "row.lost_digits"
_SHOWN_DIGITS = 8  # in the name of a sheet: a day has as many, an account or a mobile number more
_LOST = "\x00"  # marks a cell whose digits are lost; no text of a cell holds it


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    """A sheet's rows as text, numbered as the spreadsheet does, and where the headings are."""

    name: str
    lines: Sequence[Line]
    headings: Headings | None
    is_whole: bool


def read_workbook(
    content: bytes, *, name: str, layout: Layout, wanted: Wanted
) -> tuple[RawTable, ...]:
    """Read the sheets of a workbook (xlsx) that the layout names, else the one with the headings.

    Raises ``DeliveryError`` if the workbook cannot be opened, or if it is not clear which sheet is
    meant.
    """
    sheets = [
        _with_headings(title, lines, layout=layout, wanted=wanted)
        for title, lines in _open_sheets(content, name=name)
    ]
    chosen = _chosen_sheets(sheets, name=name, layout=layout)
    others = [sheet.name for sheet in sheets if sheet not in chosen and sheet.lines]
    tables = []
    for sheet in chosen:
        if sheet.headings is None:
            raise DeliveryError(
                f"{name} has no headings in its sheet {_sheet_names([sheet.name])}.",
                remedy="Say in the source's mapping which sheets are read (sheets).",
            )
        tables.append(
            _table(sheet.lines, headings=sheet.headings, layout=layout, wanted=wanted, name=name)
        )
    if others:
        count = f"{count_things(len(others), 'sheet')} {choose_form(len(others), 'is', 'are')}"
        left = f"{name}: {count} not read: {_sheet_names(others)}."
        tables[0] = tables[0].with_warning(left)
    return tuple(tables)


def _open_sheets(content: bytes, *, name: str) -> Iterator[tuple[str, list[Line]]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # programs write wrong ones
            rows = enumerate(sheet.iter_rows(), start=1)
            lines = [_line(number, [_cell_text(cell) for cell in row]) for number, row in rows]
            while lines and lines[-1].is_blank:
                lines.pop()
            yield sheet.title, lines
    except DeliveryError:
        raise
    except Exception as error:  # noqa: BLE001 -- a broken workbook fails in many ways
        kind = type(error).__name__  # the message itself could quote delivered values
        raise DeliveryError(
            f"{name} is a damaged Excel file ({kind}).",
            remedy="Open it in a spreadsheet and save it as .xlsx or CSV, or ask for it again.",
        ) from None


def _sheet_names(names: Sequence[str]) -> str:
    return masked_names(names, shown_digits=_SHOWN_DIGITS)


def _line(number: int, fields: list[str]) -> Line:
    while fields and not fields[-1]:
        fields.pop()
    return Line(number=number, fields=fields, text=" ".join(field for field in fields if field))


def _cell_text(cell: Any) -> str:
    """What a cell holds, as text in a usual spelling."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal):
        return str(value).upper() if isinstance(value, bool) else _number_text(value)
    if isinstance(value, datetime):
        return _moment_text(value, number_format=str(cell.number_format))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value).replace("_x000D_", "").replace(_LOST, "")


def _number_text(value: float | Decimal) -> str:
    """Digits and a point, with as many digits as a spreadsheet keeps."""
    exact = Decimal(format(Decimal(value), f".{_DIGITS_KEPT}g"))
    if abs(exact) >= 10**_DIGITS_KEPT:
        return f"{_LOST}{value:.{_DIGITS_KEPT - 1}E}"
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment_text(value: datetime, *, number_format: str) -> str:
    # A serial of a day is a float: nobody writes microseconds into a cell.
    moment = value + timedelta(microseconds=500)
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    if moment.time() == time() and "h" not in number_format.lower():
        return moment.date().isoformat()
    return moment.isoformat(sep=" ")


def _with_headings(title: str, lines: list[Line], *, layout: Layout, wanted: Wanted) -> _Sheet:
    headings = choose_headings(lines[:_FIRST_LINES], layout=layout, wanted=wanted)
    return _Sheet(
        name=title,
        lines=lines,
        headings=headings,
        is_whole=headings is not None
        and not wanted.missing(headings.names, preamble=headings.preamble),
    )


def _chosen_sheets(sheets: Sequence[_Sheet], *, name: str, layout: Layout) -> list[_Sheet]:
    if layout.sheets:
        by_name = {sheet.name.strip(): sheet for sheet in sheets}
        absent = [title for title in layout.sheets if title.strip() not in by_name]
        if absent:
            raise DeliveryError(
                f"{name} has no sheet {_sheet_names(absent)}; it has "
                f"{_sheet_names([sheet.name for sheet in sheets])}.",
                remedy="Correct the names under sheets in the source's mapping.",
            )
        return [by_name[title.strip()] for title in layout.sheets]
    filled = [sheet for sheet in sheets if sheet.lines]
    if not filled:
        raise DeliveryError(
            f"{name} has no filled sheet.", remedy="Ask the source to deliver the file again."
        )
    whole = [sheet for sheet in filled if sheet.is_whole]
    if len(whole) > 1:
        raise DeliveryError(
            f"{name} has {len(whole)} sheets with the headings: "
            f"{_sheet_names([sheet.name for sheet in whole])}.",
            remedy="Say in the source's mapping which of them are read (sheets).",
        )
    return whole or filled[:1]


def _table(
    lines: Sequence[Line], *, headings: Headings, layout: Layout, wanted: Wanted, name: str
) -> RawTable:
    width = len(headings.names)
    known = [bool(title) and wanted.known([title]) > 0 for title in headings.names]
    rows, numbers, odd = [], [], []
    for line in lines:
        if line.number <= headings.line:
            continue
        number = line.number - headings.line
        code = _odd_code(line, width=width, known=known)
        fields = [field.removeprefix(_LOST) for field in line.fields]
        if code:
            odd.append(OddLine(number=number, code=code, fields=tuple(fields)))
        else:
            rows.append([field or None for field in fields] + [None] * (width - len(fields)))
            numbers.append(number)
    return assemble_table(
        pl.DataFrame(rows, schema=dict.fromkeys(position_names(width), pl.String), orient="row"),
        numbers=pl.Series("_row", numbers, dtype=pl.Int64),
        odd=odd,
        headings=headings,
        layout=layout,
        wanted=wanted,
        name=name,
    )


def _odd_code(line: Line, *, width: int, known: Sequence[bool]) -> str | None:
    if not line.fields:
        return TOO_FEW_FIELDS
    if len(line.fields) > width:
        return TOO_MANY_FIELDS
    lost = any(
        field.startswith(_LOST) and is_known
        for field, is_known in zip(line.fields, known, strict=False)
    )
    return _LOST_DIGITS if lost else None
