"""Puts the files of a delivery into a landing folder, as bytes."""

import gzip
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from openpyxl import Workbook

from tests.deliveries.kind import SentFile

__all__ = ["file_bytes", "put_files"]

UNICODE_MARK = "\ufeff"


def put_files(landing: Path, files: Mapping[str, SentFile]) -> None:
    """Write every file at its place."""
    for path, file in files.items():
        place = landing / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file_bytes(file))


def file_bytes(file: SentFile) -> bytes:
    """The bytes that the partner sends."""
    if file.sheets:
        return _workbook(file)
    text = UNICODE_MARK * file.marks + file.whole_text().replace("\n", file.end)
    if not file.lines:
        return _packed(text.encode(file.encoding), file=file)
    return b"".join(
        line.encode(file.lines.get(number, file.encoding))
        for number, line in enumerate(text.splitlines(keepends=True), start=1)
    )


def _packed(content: bytes, *, file: SentFile) -> bytes:
    if file.packed == "gz":
        return gzip.compress(content, mtime=0)
    if file.packed == "zip":
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr(file.inside, content)
        return archive.getvalue()
    return content


def _workbook(file: SentFile) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, rows in file.sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
