"""Raw identifiers that are told at sight wherever they turn up, and the search for them in all that
the product writes.
"""

import gzip
import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import polars as pl
from stdnum.cn import ric

from pipelines.storage.places.durable_files import file_digest
from tests.pipelines.landing import SHANGHAI

MSISDN, PEER = "19912345670", "19912345671"
ACCOUNT, PAYEE = "6202999912345670", "6202999912345671"
FIRST = "110101195503079"
ID_NUMBER = f"{FIRST}97{ric.calc_check_digit(FIRST + '97X')}"
NAME, ADDRESS = "金丝雀甲乙", "金丝雀胡同九十九号"
RECORDS = (f"JL{MSISDN}", f"{ACCOUNT}-17", f"{NAME}的通话")
CASE = f"AJ-{ID_NUMBER}"
INNER = "19912345672"
FILE_PHONES = ("19912345673", "199-1234-5674", "6202 9999 1234 5675")
#: Every one of them, and of what was written with gaps the parts that tell it.
CANARIES = (
    *(MSISDN, PEER, ACCOUNT, PAYEE, ID_NUMBER, NAME, ADDRESS, *RECORDS, CASE, INNER, *FILE_PHONES),
)
LONG_NUMBER = re.compile(rb"(?<![0-9])[0-9]{11,19}[Xx]?(?![0-9])")


def deliver_canaries(landing: Path, *, like: Path, day: date) -> None:
    """A delivery to ``landing``, with the registers of ``like`` and canaries in everything: rows
    that are taken, rejected and reversed, a held file, one that cannot be read and a stray.
    """
    registers = {
        "residents": {"id_number": ID_NUMBER, "name": NAME, "address": ADDRESS},
        "subscribers": {"id_number": ID_NUMBER, "msisdn": MSISDN},
        "accounts": {"id_number": ID_NUMBER, "account_id": ACCOUNT},
        "cases": {
            "id_number": ID_NUMBER,
            "case_id": CASE,
            "suspect_numbers": PEER,
            "suspect_accounts": PAYEE,
        },
    }
    landing.mkdir()
    for name, canary in registers.items():
        (delivered,) = like.glob(f"{name}.*")
        rows = pl.read_parquet(delivered)
        own = rows.tail(1).with_columns(
            pl.lit(value).cast(rows.schema[column]).alias(column)
            for column, value in canary.items()
        )
        pl.concat([rows, own]).write_parquet(landing / f"{name}.parquet")
    start = datetime(day.year, day.month, day.day, 8, tzinfo=SHANGHAI)
    calls = _lines(
        "record_id,msisdn,peer_number,direction,service,started_at,duration_s",
        [
            f"{RECORDS[number % 3]},{MSISDN},{PEER},in,voice,{start + timedelta(minutes=number)},"
            f"{-1 if number == 7 else 60}"
            for number in range(40)
        ],
    )
    heads = "record_id,account_id,peer_account,direction,amount,occurred_at,channel,peer_bank"
    payments = _lines(
        heads,
        [
            f"{RECORDS[1]}{number},{ACCOUNT},{PAYEE},debit,{amount},"
            f"{start + timedelta(minutes=number)},mobile,icbc"
            for number, amount in enumerate([100, 200, 300, -100, "much"])
        ],
    )
    for path, content in {
        f"calls/{day}/cmcc-{FILE_PHONES[0]}.csv": calls.encode(),
        f"calls/{day}/ctcc {FILE_PHONES[1]}.csv": b"\x00\x01 no table",
        f"transfers/{day}/icbc-{FILE_PHONES[2]}.csv.gz": gzip.compress(payments.encode()),
        f"transfers/{day}/abc.csv": payments.replace("debit", NAME).encode(),
        f"notes {FILE_PHONES[0]}.docx": ID_NUMBER.encode(),
        f"{ID_NUMBER}.csv": payments.encode(),
    }.items():
        place = landing / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    with ZipFile(landing / f"calls/{day}/cbn.zip", "w") as packed:
        packed.writestr(f"{INNER}.csv", calls.replace("in,", "out,"))
        packed.writestr(f"{INNER}.txt", ADDRESS)


def raw_numbers(landing: Path) -> frozenset[bytes]:
    """Every number of eleven digits or more of the registers and the last days of a delivered
    folder: identity documents, phone numbers, accounts, numbers of records.
    """
    registers = [file for file in landing.iterdir() if file.is_file() and file.stem != "truth"]
    days = [sorted(folder.iterdir())[-2:] for folder in landing.iterdir() if folder.is_dir()]
    found: set[bytes] = set()
    for file in (*registers, *(file for some in days for day in some for file in day.iterdir())):
        found.update(LONG_NUMBER.findall(b"\n".join(contents(file))))
    return frozenset(found)


def find_raw(
    folders: Collection[Path], *, numbers: frozenset[bytes], but_for: Collection[Path]
) -> list[tuple[str, str]]:
    """The files, by name and contents, that hold a canary or one of the raw ``numbers``; of equal
    files, as a backup has them, the first.
    """
    found, seen = [], set()
    for file in sorted(path for folder in folders for path in _files(folder)):
        if any(file.is_relative_to(place) for place in but_for):
            continue
        digest = file_digest(file)
        inside = () if digest in seen else contents(file)
        seen.add(digest)
        for data in (str(file).encode(), *inside):
            raws = {raw for raw in CANARIES if raw.encode() in data}
            raws |= {one.decode() for one in numbers.intersection(LONG_NUMBER.findall(data))}
            found += [(file.name, raw) for raw in sorted(raws)]
    return found


def contents(file: Path) -> Iterator[bytes]:
    """What a file holds: its bytes, and what stands compressed or in pages in them."""
    data = file.read_bytes()
    yield data
    if data.startswith(b"PAR1"):
        yield _texts(pl.read_parquet(file, glob=False))
    elif data.startswith(b"ARROW1"):
        yield _texts(pl.read_ipc(file))
    elif data.startswith(b"\x1f\x8b"):
        yield gzip.decompress(data)
    elif data.startswith(b"PK\x03\x04"):
        with ZipFile(file) as packed:
            for member in packed.infolist():
                yield member.filename.encode() + packed.read(member)
    elif data.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            yield "\n".join(database.iterdump()).encode()


def _texts(frame: pl.DataFrame) -> bytes:
    kept = frame.select(~pl.selectors.binary() & ~pl.selectors.numeric() & ~pl.selectors.temporal())
    return kept.write_json().encode()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in (folder, *folder.rglob("*")) if path.is_file())


def _lines(headings: str, lines: list[str]) -> str:
    return "\n".join([headings, *(line.replace("+08:00", "") for line in lines)]) + "\n"
