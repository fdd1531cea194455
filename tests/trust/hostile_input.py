"""Deliveries that were spoilt, cut, flipped, nested and blown up: each is read or refused in words,
and whoever asked lives on.
"""

import gzip
import io
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import polars as pl

from data_contracts.errors import DeliveryError
from pipelines.ingestion.parsing.parser_process import Parser
from pipelines.settings import IngestLimits
from tests.deliveries.fuzz import fuzz_deliveries
from tests.pipelines.landing import calls, lines, put

__all__ = ["HostileInput", "try_hostile_input"]

MIB = 1 << 20
PATIENCE_S = 30  # whoever takes longer is given up, which counts as refused
SUFFIXES = (".csv", ".csv.gz", ".zip", ".xlsx", ".parquet")
SEED = 20_261


@dataclass(kw_only=True)
class HostileInput:
    """How many of each were tried, how many were read and refused, and what went wrong."""

    spoilt: int = 0
    broken: int = 0
    bomb_mib: int = 0
    read: int = 0
    refused: int = 0
    made: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


def try_hostile_input(folder: Path, *, spoilt: int, broken: int, bomb_mib: int) -> HostileInput:
    """Load ``spoilt`` deliveries, read ``broken`` containers, and each of what was made by hand,
    bombs of ``bomb_mib`` MiB among them.
    """
    begun, found = time.monotonic(), HostileInput(spoilt=spoilt, broken=broken, bomb_mib=bomb_mib)
    found.faults += [
        f"spoilt delivery {fault.number} ({fault.changes}): {fault.text}"
        for fault in fuzz_deliveries(range(spoilt), seed=SEED)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    good = put(folder, "good.parquet", calls(3))
    with Parser(limits=IngestLimits(parser_seconds=PATIENCE_S)) as parser:
        for number in range(broken):
            place = _broken_file(folder, number)
            _read(parser, place, found, name=f"broken container {number}{place.suffix}")
            place.unlink()
        for name, make in MADE.items():
            place = make(folder, bomb_mib * MIB)
            _read(parser, place, found, name=name)
            found.made[name] += 1
            place.unlink()
        rows = parser.read(good, dataset="calls", source="cmcc").rows
        if rows.height != 3:
            found.faults.append("a good file is not read any more afterwards")
    found.seconds = time.monotonic() - begun
    return found


def _read(parser: Parser, place: Path, found: HostileInput, *, name: str) -> None:
    try:
        parser.read(place, dataset="calls", source="cmcc")
    except DeliveryError as error:
        found.refused += 1
        if not error.remedy:
            found.faults.append(f"{name}: refused without a remedy")
    except BaseException as error:  # noqa: BLE001 -- that nothing else is raised is what is tried
        found.faults.append(f"{name}: {error!r}")
    else:
        found.read += 1


def _broken_file(folder: Path, number: int) -> Path:
    """A good delivery in some container, in which some bytes are changed, cut out or slipped in."""
    random = Random(f"{SEED}-{number}")
    suffix = SUFFIXES[number % len(SUFFIXES)]
    place = folder / f"broken-{number}{suffix}"
    content = bytearray(_CONTENTS[suffix]())
    for _ in range(random.choice((1, 1, 3, 20))):
        at = random.randrange(len(content))
        change = random.randrange(4)
        if change == 0:
            content[at] ^= 1 << random.randrange(8)
        elif change == 1:
            del content[at : at + random.randrange(1, 200)]
        elif change == 2:
            content[at:at] = random.randbytes(random.randrange(1, 50))
        else:
            content[at : at + 4] = random.choice(
                (b"\xff\xff\xff\xff", bytes(4), b"\x00\x00\x00\x80")
            )
        if not content:
            break
    place.write_bytes(content)
    return place


def _csv() -> bytes:
    return lines(calls(20)).encode()


def _zip(content: bytes, *, name: str = "calls.csv") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _frame() -> pl.DataFrame:
    return pl.read_csv(_csv(), infer_schema=False)


def _workbook() -> bytes:
    from openpyxl import Workbook

    book, file = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(_frame().columns)
    for row in _frame().iter_rows():
        sheet.append(row)
    book.save(file)
    return file.getvalue()


def _parquet() -> bytes:
    file = io.BytesIO()
    _frame().write_parquet(file)
    return file.getvalue()


_CONTENTS: dict[str, Callable[[], bytes]] = {
    ".csv": _csv,
    ".csv.gz": lambda: gzip.compress(_csv()),
    ".zip": lambda: _zip(_csv()),
    ".xlsx": _workbook,
    ".parquet": _parquet,
}


def _blocks(size: int) -> Iterator[bytes]:
    for _ in range(size // MIB):
        yield b"0" * MIB


def _zip_bomb(folder: Path, size: int) -> Path:
    place = folder / "bomb.zip"
    with (
        zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("calls.csv", "w", force_zip64=True) as file,
    ):
        for block in _blocks(size):
            file.write(block)
    return place


def _gzip_bomb(folder: Path, size: int) -> Path:
    place = folder / "bomb.csv.gz"
    with gzip.open(place, "wb", compresslevel=6) as file:
        for block in _blocks(size):
            file.write(block)
    return place


def _workbook_bomb(folder: Path, size: int) -> Path:
    """A workbook whose sheet unpacks to ``size``: one cell, and all in it."""
    place = folder / "bomb.xlsx"
    good = zipfile.ZipFile(io.BytesIO(_workbook()))
    with good, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in good.namelist():
            if not name.startswith("xl/worksheets/"):
                archive.writestr(name, good.read(name))
                continue
            head, _, tail = good.read(name).partition(b"</sheetData>")
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(head + b'<row r="30"><c r="A30" t="inlineStr"><is><t>')
                for block in _blocks(size):
                    file.write(block)
                file.write(b"</t></is></c></row></sheetData>" + tail)
    return place


def _entity_bomb(folder: Path, _size: int) -> Path:
    """A workbook whose sheet names entities that name entities."""
    place = folder / "entities.xlsx"
    good = zipfile.ZipFile(io.BytesIO(_workbook()))
    entities = '<!ENTITY a0 "0000000000">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11)
    )
    with good, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in good.namelist():
            content = good.read(name)
            if name.startswith("xl/worksheets/"):
                start = content.index(b"<worksheet")
                content = (
                    content[:start] + f"<!DOCTYPE w [{entities}]>".encode() + content[start:]
                ).replace(b"</sheetData>", b'<row r="30"><c r="A30" t="inlineStr"><is><t>&a10;</t>'
                          b"</is></c></row></sheetData>")  # fmt: skip
            archive.writestr(name, content)
    return place


def _nested_archives(folder: Path, _size: int) -> Path:
    content, name = _csv(), "calls.csv"
    for depth in range(60):
        content, name = _zip(content, name=name), f"inner-{depth}.zip"
    place = folder / "nested.zip"
    place.write_bytes(content)
    return place


def _many_members(folder: Path, _size: int) -> Path:
    place = folder / "many.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20_000):
            archive.writestr(f"{number}.csv", b"")
    return place


def _outside_member(folder: Path, _size: int) -> Path:
    place = folder / "outside.zip"
    place.write_bytes(_zip(_csv(), name="../../../../tmp/forestall-outside.csv"))
    return place


def _endless_line(folder: Path, size: int) -> Path:
    """One line without an end; the disk keeps no block of it."""
    place = folder / "endless.csv"
    with place.open("wb") as file:
        file.write(_csv().splitlines()[0] + b"\n")
        file.truncate(size)
    return place


def _endless_field(folder: Path, _size: int) -> Path:
    place = folder / "field.csv"
    place.write_bytes(_csv() + b'"' + b"a," * (8 * MIB))
    return place


def _many_columns(folder: Path, _size: int) -> Path:
    place = folder / "columns.csv"
    place.write_bytes(b",".join(b"c%d" % n for n in range(200_000)) + b"\n" + b"1," * 200_000)
    return place


def _deep_brackets(folder: Path, _size: int) -> Path:
    place = folder / "deep.csv"
    place.write_bytes(_csv().splitlines()[0] + b"\n" + b"[" * MIB + b"]" * MIB)
    return place


def _empty(folder: Path, _size: int) -> Path:
    place = folder / "empty.parquet"
    place.write_bytes(b"")
    return place


MADE: dict[str, Callable[[Path, int], Path]] = {
    "a zip that unpacks to as much": _zip_bomb,
    "a gzip that unpacks to as much": _gzip_bomb,
    "a workbook that unpacks to as much": _workbook_bomb,
    "a workbook of entities that name entities": _entity_bomb,
    "archives in archives, 60 deep": _nested_archives,
    "an archive of 20,000 members": _many_members,
    "an archive whose member lies outside": _outside_member,
    "a single line as long": _endless_line,
    "a quoted field without an end, 16 MiB": _endless_field,
    "200,000 columns": _many_columns,
    "brackets, a million deep": _deep_brackets,
    "an empty file": _empty,
}
