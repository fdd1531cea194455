"""Workbooks: what a cell holds comes out as the text that stands for it, or its row is refused."""

import io
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest

from data_contracts.errors import DeliveryError
from data_contracts.files.tables.spreadsheets import read_workbook
from data_contracts.mappings.layout import Layout
from tests.data_contracts.files.tables.test_separated_values import HEAD, WANTED, misfits, rows

HEADINGS = HEAD.split(",")


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, lines in sheets.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read(content, **layout):
    return read_workbook(content, name="ccb.xlsx", layout=Layout(**layout), wanted=WANTED)


def read_one(*lines, **layout):
    (table,) = read(workbook(Sheet1=lines), **layout)
    return table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0138", "0138"),
        (100, "100"),
        (100.5, "100.5"),
        (0.1 + 0.2, "0.3"),
        (1e-5, "0.00001"),
        (123456789012345, "123456789012345"),
        (datetime(2026, 6, 15, 8, 0, 1), "2026-06-15 08:00:01"),  # noqa: DTZ001 # cells have no zone
        (date(2026, 6, 15), "2026-06-15"),
        (datetime(2026, 6, 15), "2026-06-15 00:00:00"),  # noqa: DTZ001
        (time(8, 5), "08:05:00"),
        (timedelta(hours=1, minutes=2, seconds=3), "01:02:03"),
        (True, "TRUE"),
        (None, ""),
    ],
)
def test_a_cell_is_the_text_that_stands_for_it(value, text):
    table = read_one(HEADINGS, ["1", "A", "B", "5.00", value])
    assert rows(table) == {1: ("1", "A", "B", "5.00", text)}


def test_rows_are_counted_as_in_a_text_file():
    table = read_one(
        ["statement"], [], HEADINGS, ["1", "A", "B", 5], [], ["2", "A", "B", 6, "icbc", "x"],
        ["合计", None, None, 11], HEADINGS, [],
    )  # fmt: skip

    assert rows(table) == {1: ("1", "A", "B", "5", "")}
    assert misfits(table) == {3: (["row.too_many_fields"], ["2", "A", "B", "6", "icbc", "x"])}
    assert table.skipped == {"blank line": 1, "total line": 1, "repeated headings": 1}
    assert table.preamble == ("statement",)


def test_a_number_that_a_spreadsheet_cannot_keep_is_refused():
    headings = [*HEADINGS, "note"]
    table = read_one(
        headings,
        ["1", 6222020200010000000, "B", 5],
        ["2", 6.22202020001e18, "B", 5],
        ["3", "6222020200010000000", "B", 5, "icbc", 1234567890123456],
    )

    assert list(rows(table)) == [3]
    assert {number: codes for number, (codes, _) in misfits(table).items()} == {
        1: ["row.lost_digits"],
        2: ["row.lost_digits"],
    }


def test_the_sheet_with_the_headings_is_read():
    lines = [HEADINGS, ["1", "A", "B", 5, "icbc"]]
    (table,) = read(workbook(说明=[["how to read this"]], 明细6222=lines, empty=[]))

    assert list(rows(table)) == [1]
    assert table.warnings == ("ccb.xlsx: 1 sheet is not read: 说明.",)


def test_sheets_of_months_are_told_apart_and_an_account_is_masked():
    one = [HEADINGS, ["1", "A", "B", 5, "icbc"]]
    both = workbook(**{"6月": one, "7月": one, "62220001234": one})
    with pytest.raises(DeliveryError, match="headings: 6月, 7月, ###########"):
        read(both)


def test_of_two_sheets_with_the_headings_the_layout_says_which():
    lines = [HEADINGS, ["1", "A", "B", 5, "icbc"]]
    both = workbook(June=lines, July=lines, notes=[["x"]])

    with pytest.raises(DeliveryError, match="2 sheets with the headings: June, July"):
        read(both)
    assert len(read(both, sheets=("June",))) == 1
    assert [list(rows(table)) for table in read(both, sheets=("June", "July"))] == [[1], [1]]
    with pytest.raises(DeliveryError, match="no sheet May; it has June, July, notes"):
        read(both, sheets=("May",))


def test_a_workbook_that_is_none():
    with pytest.raises(DeliveryError, match="no filled sheet"):
        read(workbook(Sheet1=[]))
    with pytest.raises(DeliveryError, match="damaged Excel file"):
        read(workbook(Sheet1=[HEADINGS])[:-200])
