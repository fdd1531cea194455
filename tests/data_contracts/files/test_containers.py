"""Files are what their first bytes say; archives are unpacked, within limits."""

import gzip
import io
import zipfile

import pytest

from data_contracts.contract import load_contract
from data_contracts.errors import DeliveryError
from data_contracts.files import archives
from data_contracts.files.file_reader import read_delivery
from data_contracts.mappings.mapping import SourceMapping
from tests.data_contracts.deliveries import CALL_ROWS, CALLS, READ_CALLS, call_table
from tests.data_contracts.files.tables.test_spreadsheets import workbook

COLUMNS = load_contract("calls").schema.names()
TEXT = "".join(line + "\n" for line in (CALLS, *CALL_ROWS))


def read(folder, name, content):
    (folder / name).write_bytes(content)
    return read_delivery(folder / name, contract=load_contract("calls"), mapping=SourceMapping())


def packed(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "."), text)
    return content.getvalue()


def parquet():
    content = io.BytesIO()
    call_table().write_parquet(content)
    return content.getvalue()


BOOK = workbook(Sheet1=[line.split(",") for line in (CALLS, *CALL_ROWS)])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cmcc.csv.gz", gzip.compress(TEXT.encode("gb18030"))),
        ("cmcc.zip", packed(cmcc__csv=TEXT)),
        ("cmcc.ZIP", packed(cmcc__CSV=TEXT)),
        ("cmcc.zip", packed(cmcc__parquet=parquet())),
        ("cmcc.zip", packed(cmcc__xlsx=BOOK)),
        ("cmcc.parquet.gz", gzip.compress(parquet())),
        ("cmcc.xlsx", BOOK),
        ("cmcc.txt", TEXT.replace(",", "\t").encode()),
        ("cmcc.tsv", TEXT.replace(",", "\t").encode("utf-16")),
        ("cmcc.xls", TEXT.replace(",", "\t").encode("gb18030")),
        ("cmcc.CSV", TEXT.encode()),
    ],
)
def test_every_container(tmp_path, name, content):
    reading = read(tmp_path, name, content)
    assert reading.rows.select(COLUMNS).rows() == READ_CALLS
    assert reading.warnings == ()


def test_a_name_that_says_something_else_is_warned_of(tmp_path):
    assert read(tmp_path, "cmcc.csv", packed(cmcc__csv=TEXT)).warnings == (
        "cmcc.csv is a ZIP archive, whatever its name says.",
    )
    assert read(tmp_path, "cmcc.xls", BOOK).warnings == (
        "cmcc.xls is an Excel workbook, whatever its name says.",
    )


def test_characters_that_were_lost_before_are_warned_of(tmp_path):
    text = TEXT.replace("C2", "C\ufffd\ufffd")
    assert read(tmp_path, "cmcc.csv", text.encode()).warnings == (
        "cmcc.csv: 2 characters were lost before it was delivered; the first is in line 3.",
    )


def test_several_files_of_an_archive_are_one_delivery(tmp_path):
    other = "\n".join((CALLS, CALL_ROWS[0].replace("C1", "C9"), "C8,1,2", ""))
    content = packed(a__csv=TEXT + "\n", b__csv=other, readme__txt="calls\nof\n", logo__png="x")

    reading = read(tmp_path, "cmcc.zip", content)

    assert reading.rows["record_id"].to_list() == ["C1", "C2", "C3", "C9", None]
    assert reading.rows["_row"].to_list() == [2, 3, 4, 6, 7]
    assert reading.skipped == {"blank line": 1}
    assert reading.warnings[0] == "cmcc.zip: not read of it: 1 other file, readme.txt."


def test_what_systems_leave_in_archives_counts_for_nothing(tmp_path):
    content = io.BytesIO(packed(cmcc__csv=TEXT))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("__MACOSX/._cmcc.csv", "x")
        archive.writestr("folder/.DS_Store", "x")
    assert read(tmp_path, "cmcc.zip", content.getvalue()).rows.height == 3


def encrypted():
    content = bytearray(packed(cmcc__csv=TEXT))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cmcc.zip", encrypted(), "ZIP archive with a password"),
        ("cmcc.zip", packed(), "empty ZIP archive"),
        ("cmcc.zip", packed(cmcc__csv=TEXT)[:-30], "damaged ZIP"),
        ("cmcc.zip", packed(a__png="x", b__pdf="x"), "holds no file that ends in"),
        ("cmcc.zip", packed(a__txt="hello\n"), "lacks the columns"),
        ("cmcc.zip", packed(cmcc__csv=packed(cmcc__csv=TEXT)), "archive in an archive"),
        ("cmcc.gz", gzip.compress(TEXT.encode())[:-20], "damaged gzip"),
        ("cmcc.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "old Excel file"),
        ("cmcc.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "with a password"),
        ("cmcc.csv", b"%PDF-1.4 ...", "is a PDF"),
        ("cmcc.csv", b"Rar!\x1a\x07", "is a RAR archive"),
        ("cmcc.xls", b"\xef\xbb\xbf<HTML><table>", "web page"),
        ("cmcc.zip", packed(cmcc__csv=parquet()), "mislabelled: its content is Parquet"),
    ],
)
def test_what_cannot_be_opened_says_why(tmp_path, name, content, message):
    with pytest.raises(DeliveryError, match=message) as raised:
        read(tmp_path, name, content)
    assert raised.value.remedy
    assert str(raised.value).startswith(name)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: packed(cmcc__csv=content)])
def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(archives, "MOST_UNPACKED_BYTES", 100)
    with pytest.raises(DeliveryError, match="unpacked is over"):
        read(tmp_path, "cmcc.csv.gz", pack(TEXT.encode()))
