"""What a delivered file is, by its first bytes and not by its name alone, and the tables in it."""

from pathlib import PurePath
from typing import Protocol

from data_contracts.errors import DeliveryError
from data_contracts.files.archives import Member, is_workbook, unpack_gzip, unpack_zip
from data_contracts.files.encodings import decode_text
from data_contracts.files.tables.headings import Wanted
from data_contracts.files.tables.parquet import PARQUET_MAGIC, read_parquet
from data_contracts.files.tables.raw_table import RawTable
from data_contracts.files.tables.separated_values import read_separated
from data_contracts.files.tables.spreadsheets import read_workbook
from data_contracts.files.tables.table_rows import masked_names
from data_contracts.mappings.layout import Layout
from data_contracts.words.counts import choose_form, count_things

__all__ = ["DeliveredFile", "read_tables"]

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_EMPTY_ZIP = b"PK\x05\x06"
_KINDS = {_ZIP: "a ZIP archive", _EMPTY_ZIP: "a ZIP archive", _GZIP: "a gzip file"}
_ENDINGS = {
    "a ZIP archive": (".zip",),
    "a gzip file": (".gz", ".gzip"),
    "an Excel workbook": (".xlsx", ".xlsm"),
}
_MEMBER_ENDINGS = (".csv", ".txt", ".tsv", ".parquet", ".xlsx", ".xlsm")
_SAVE_AS = "Open it in a spreadsheet and save it as .xlsx or CSV."
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": ("an old Excel file (.xls), or one with a password", _SAVE_AS),
    b"%PDF": ("a PDF", "Ask the source for the table as .xlsx or CSV."),
    b"Rar!": ("a RAR archive", "Deliver it as ZIP, as gzip, or unpacked."),
    b"7z\xbc\xaf": ("a 7z archive", "Deliver it as ZIP, as gzip, or unpacked."),
    b"BZh": ("a bzip2 file", "Deliver it as ZIP, as gzip, or unpacked."),
    b"\xfd7zXZ": ("an xz file", "Deliver it as ZIP, as gzip, or unpacked."),
}
_PAGES = (b"<!doctype html", b"<html", b"<table", b"<?xml")
_LOST_CHARACTER = "\ufffd"  # what programs write for bytes that they do not understand
_REDELIVER = "Ask the source to deliver the file again."


class DeliveredFile(Protocol):
    """A delivered file: a path, or one that somebody else has opened."""

    @property
    def name(self) -> str:
        """Its name, without the folders."""

    @property
    def suffix(self) -> str:
        """The ending of its name."""

    def read_bytes(self) -> bytes:
        """All that is in it."""


def read_tables(path: DeliveredFile, *, layout: Layout, wanted: Wanted) -> tuple[RawTable, ...]:
    """Read the tables of a delivered file: one, but for archives of several files and workbooks of
    which the layout names several sheets.

    Raises ``DeliveryError`` where there is none.
    """
    content = path.read_bytes()
    if not content:
        raise DeliveryError(f"{path.name} is empty (0 bytes).", remedy=_REDELIVER)
    packed = content.startswith((_ZIP, _EMPTY_ZIP, _GZIP))
    if not packed:
        return _read_plain(content, name=path.name, layout=layout, wanted=wanted)
    kind = _packed_kind(content)
    tables = _read_packed(content, name=path.name, layout=layout, wanted=wanted)
    if path.suffix.lower() in _ENDINGS[kind]:
        return tables
    return (tables[0].with_warning(f"{path.name} is {kind}, whatever its name says."), *tables[1:])


def _packed_kind(content: bytes) -> str:
    if is_workbook(content):
        return "an Excel workbook"
    return next(kind for magic, kind in _KINDS.items() if content.startswith(magic))


def _read_packed(
    content: bytes, *, name: str, layout: Layout, wanted: Wanted
) -> tuple[RawTable, ...]:
    if content.startswith(_GZIP):
        inner = unpack_gzip(content, name=name)
        own = PurePath(name).stem
        members: tuple[Member, ...] = (Member(name=own, content=inner),)
    elif is_workbook(content):
        unpack_zip(content, name=name)  # sees to it that it is not too large
        sheets = read_workbook(content, name=name, layout=layout, wanted=wanted)
        return tuple(sheet.numbered_by_line() for sheet in sheets)
    else:
        members = unpack_zip(content, name=name)
    known = [one for one in members if PurePath(one.name).suffix.lower() in _MEMBER_ENDINGS]
    chosen = known or list(members[:1])
    if not known and len(members) > 1:
        raise DeliveryError(
            f"{name} holds no file that ends in {', '.join(_MEMBER_ENDINGS)}.",
            remedy="Pack files of these kinds, or deliver them unpacked.",
        )
    return _read_members(chosen, of=len(members), name=name, layout=layout, wanted=wanted)


def _read_members(
    members: list[Member], *, of: int, name: str, layout: Layout, wanted: Wanted
) -> tuple[RawTable, ...]:
    tables: list[RawTable] = []
    notes = [] if of == len(members) else [count_things(of - len(members), "other file")]
    for member in members:
        label = f"{name} ({masked_names([member.name])})"
        read = _read_member(member, name=label, layout=layout, wanted=wanted)
        is_note = PurePath(member.name).suffix.lower() == ".txt" and not any(
            wanted.known(table.values.columns) for table in read
        )
        if is_note and len(members) > 1:
            notes.append(masked_names([member.name]))
        else:
            tables.extend(read)
    if not tables:
        raise DeliveryError(f"{name} holds no table.", remedy=_REDELIVER)
    if notes:
        tables[0] = tables[0].with_warning(f"{name}: not read of it: {', '.join(notes)}.")
    return tuple(tables)


def _read_member(
    member: Member, *, name: str, layout: Layout, wanted: Wanted
) -> tuple[RawTable, ...]:
    if is_workbook(member.content):
        unpack_zip(member.content, name=name)
        sheets = read_workbook(member.content, name=name, layout=layout, wanted=wanted)
        return tuple(sheet.numbered_by_line() for sheet in sheets)
    if member.content.startswith((_ZIP, _GZIP)):
        raise DeliveryError(
            f"{name} is an archive in an archive.", remedy="Deliver the files packed once."
        )
    return _read_plain(member.content, name=name, layout=layout, wanted=wanted, own=member.name)


def _read_plain(
    content: bytes, *, name: str, layout: Layout, wanted: Wanted, own: str = ""
) -> tuple[RawTable, ...]:
    """A file that is not packed. In Parquet under another name, or under its, nobody knows what
    else is wrong.
    """
    is_parquet = content.startswith(PARQUET_MAGIC)
    if is_parquet != (PurePath(own or name).suffix.lower() == ".parquet"):
        is_what = "Parquet" if is_parquet else "not Parquet"
        raise DeliveryError(f"{name} is mislabelled: its content is {is_what}.", remedy=_REDELIVER)
    if is_parquet:
        return (read_parquet(content, name=name),)
    for magic, (what, remedy) in _FOREIGN.items():
        if content.startswith(magic):
            raise DeliveryError(f"{name} is {what}.", remedy=remedy)
    if content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(_PAGES):
        raise DeliveryError(f"{name} is a web page or XML, not a table.", remedy=_SAVE_AS)
    text = decode_text(content, name=name, encoding=layout.encoding)
    table = read_separated(text, name=name, layout=layout, wanted=wanted).numbered_by_line()
    lost = text.find(_LOST_CHARACTER)
    if lost < 0:
        return (table,)
    number = text.count(_LOST_CHARACTER)
    words = (
        f"{name}: {count_things(number, 'character')} {choose_form(number, 'was', 'were')} lost "
        "before it was delivered; the "
        f"first is in line {text.count(chr(10), 0, lost) + 1}."
    )
    return (table.with_warning(words),)
