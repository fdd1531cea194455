"""Outreach lists as JSON, CSV and XLSX."""

import csv
import io
from collections.abc import Iterator, Sequence

from serving.outreach.schemas import Format, OutreachList, OutreachRow
from serving.presentation.translations import N_, NP_, Translator, get_translator
from serving.presentation.wording import CHANNELS, HELP_TO_FREEZE, LEVELS, RESULTS
from serving.vocabulary.languages import Language

__all__ = ["MEDIA_TYPES", "csv_line", "csv_lines", "write_outreach"]

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
HEADINGS = (
    NP_("outreach sheet", "Level"),
    NP_("outreach sheet", "Act by"),
    NP_("outreach sheet", "Channel"),
    NP_("outreach sheet", "Name"),
    NP_("outreach sheet", "Numbers"),
    NP_("outreach sheet", "Address"),
    NP_("outreach sheet", "Grid"),
    NP_("outreach sheet", "First of all"),
    NP_("outreach sheet", "Reasons"),
    NP_("outreach sheet", "What to say"),
    NP_("outreach sheet", "Status"),
    NP_("outreach sheet", "Alert"),
    NP_("outreach sheet", "List"),
    NP_("outreach sheet", "List holds until"),
)
WARN_IN_TIME = N_("Warn before the money goes")
WIDTHS = (12, 17, 8, 10, 16, 30, 10, 16, 50, 50, 14, 24, 11, 17)  # characters
# A spreadsheet computes what starts so, whoever wrote it.
FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")


def write_outreach(outreach: OutreachList, *, format: Format, language: Language = "zh") -> bytes:  # noqa: A002
    """Return the list as a file: JSON, CSV with a byte order mark for Excel, or XLSX with numbers
    kept as text.
    """
    if format == "json":
        return outreach.model_dump_json().encode()
    if format == "csv":
        return b"".join(csv_lines(outreach, language=language))
    return _xlsx(list(_table(outreach, get_translator(language))), list_id=outreach.list_id)


def csv_lines(outreach: OutreachList, *, language: Language = "zh") -> Iterator[bytes]:
    """Return the list as CSV line by line, the first with a byte order mark for Excel."""
    for number, line in enumerate(_table(outreach, get_translator(language))):
        yield csv_line(line).encode("utf-8" if number else "utf-8-sig")


def csv_line(cells: Sequence[str]) -> str:
    """Return one line of CSV of which no cell is computed by a spreadsheet."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow([_harmless(cell) for cell in cells])
    return text.getvalue()


def _table(outreach: OutreachList, say: Translator) -> Iterator[list[str]]:
    yield [say(heading) for heading in HEADINGS]
    of_list = [outreach.list_id, f"{outreach.expires_at:%Y-%m-%d %H:%M}"]
    for row in outreach.rows:
        yield [*_cells(row, say), *of_list]


def _cells(row: OutreachRow, say: Translator) -> list[str]:
    return [
        say.label(LEVELS, row.level),
        f"{row.act_by:%Y-%m-%d %H:%M}",
        say.label(CHANNELS, row.channel),
        row.name,
        " ".join(row.numbers),
        row.address,
        row.grid_id,
        say(HELP_TO_FREEZE if row.already_paid else WARN_IN_TIME),
        "\n".join(row.reasons),
        row.what_to_say,
        say.label(RESULTS, row.status),
        row.alert_id,
    ]


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell


def _xlsx(table: Sequence[Sequence[str]], *, list_id: str) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    workbook = Workbook()
    sheet = workbook.active
    for number, line in enumerate(table, start=1):
        for column, text in enumerate(line, start=1):
            cell = sheet.cell(number, column)
            # Text, even where it looks like a formula
            cell.value, cell.data_type = _printable(text), "s"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=number == 1)
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"
    sheet.title = list_id
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight = True, False
    sheet.print_title_rows, sheet.oddFooter.center.text = "1:1", f"{list_id} · &P/&N"
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _printable(text: str) -> str:
    return "".join(char for char in text if char >= " " or char in "\n\t")
