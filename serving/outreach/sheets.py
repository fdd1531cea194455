"""Outreach lists as JSON, CSV and XLSX."""

import csv
import io
from collections.abc import Sequence

from serving.outreach.schemas import Format, OutreachRow
from serving.wording import CHANNELS, LEVELS, RESULTS, Language, Words, words

__all__ = ["MEDIA_TYPES", "write_outreach"]

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
HEADINGS = (
    Words("级别", "Level"),
    Words("最迟处置时间", "Act by"),
    Words("方式", "Channel"),
    Words("姓名", "Name"),
    Words("电话", "Numbers"),
    Words("住址", "Address"),
    Words("网格", "Grid"),
    Words("预警原因", "Reasons"),
    Words("怎么说", "What to say"),
    Words("状态", "Status"),
    Words("预警编号", "Alert"),
)
WIDTHS = (12, 17, 8, 10, 16, 30, 10, 50, 50, 14, 24)  # characters
FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")  # a spreadsheet computes what starts so, whoever wrote it


def write_outreach(rows: Sequence[OutreachRow], *, format: Format, language: Language = "zh") -> bytes:  # noqa: A002
    """Return the rows as a file: CSV with a byte order mark for Excel, XLSX with numbers kept as text."""
    if format == "json":
        return b"[" + b",".join(row.model_dump_json().encode() for row in rows) + b"]"
    table = [[heading.in_(language) for heading in HEADINGS], *(_cells(row, language) for row in rows)]
    return _csv(table) if format == "csv" else _xlsx(table)


def _cells(row: OutreachRow, language: Language) -> list[str]:
    return [
        words(LEVELS, row.level, language),
        f"{row.act_by:%Y-%m-%d %H:%M}",
        words(CHANNELS, row.channel, language),
        row.name,
        " ".join(row.numbers),
        row.address,
        row.grid_id,
        "\n".join(row.reasons),
        row.what_to_say,
        words(RESULTS, row.status, language),
        row.alert_id,
    ]


def _csv(table: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_harmless(cell) for cell in line] for line in table)
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell


def _xlsx(table: Sequence[Sequence[str]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    workbook = Workbook()
    sheet = workbook.active
    for number, line in enumerate(table, start=1):
        for column, text in enumerate(line, start=1):
            cell = sheet.cell(number, column)
            cell.value, cell.data_type = _printable(text), "s"  # text, even where it looks like a formula
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=number == 1)
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _printable(text: str) -> str:
    return "".join(char for char in text if char >= " " or char in "\n\t")
