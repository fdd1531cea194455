"""The landing folder: which files were delivered, by whom, for which day. It opens none of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from data_contracts.errors import DeliveryError
from pipelines.clock import SHANGHAI
from pipelines.storage.durable_files import file_digest
from pipelines.storage.schemas import EVENTS, REGISTERS

__all__ = ["Delivery", "list_deliveries"]

FILE_SUFFIXES = (".parquet", ".csv")
UNFINISHED_SUFFIXES = (".part", ".tmp", ".crc")
TRUTH_FILE = "truth"  # only in simulated districts, for evaluation
FILE_NAME_PATTERN = re.compile(
    r"(?P<source>[^-\s(（]+)(-(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d))?$"
)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivered file. ``path`` is relative to the landing folder; ``day`` is its folder's, none
    for registers.

    ``delivered_at`` is the earliest moment the file can have been there: the time in its name, else
    its day's start. ``problem`` says why the file cannot belong to any dataset; otherwise it is
    empty.
    """

    file: Path
    path: str
    dataset: str
    source: str
    day: date | None
    delivered_at: datetime | None
    problem: str = ""

    def stamp(self) -> str:
        """What changes whenever the file is touched, cheap to get: path, size, inode and both its
        times.
        """
        status = self.file.stat()
        marks = (status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
        return f"{self.path} {' '.join(map(str, marks))}"

    def digest(self) -> str:
        """SHA-256 of the file's bytes, in hex."""
        return file_digest(self.file)


def list_deliveries(landing: Path, *, through: date | None = None) -> list[Delivery]:
    """The files of a landing folder: registers first, then events by day and name, up to the day
    ``through``.

    Raises ``DeliveryError`` if the folder does not exist.
    """
    if not landing.is_dir():
        raise DeliveryError(
            f"there is no landing folder {landing}",
            remedy="Name the folder that holds the delivery.",
        )
    found = [_read_name(file, landing=landing) for file in _delivered_files(landing)]
    wanted = (item for item in found if item.day is None or through is None or item.day <= through)
    return sorted(
        wanted, key=lambda item: (_load_order(item.dataset), item.day or date.min, item.path)
    )


def _delivered_files(landing: Path) -> Iterator[Path]:
    for file in landing.rglob("*"):
        hidden = any(part.startswith((".", "_")) for part in file.relative_to(landing).parts)
        if (
            not hidden
            and file.is_file()
            and file.suffix not in UNFINISHED_SUFFIXES
            and file.stem != TRUTH_FILE
        ):
            yield file


def _read_name(file: Path, *, landing: Path) -> Delivery:
    parts = file.relative_to(landing).parts
    path = "/".join(parts)
    if file.suffix.lower() not in FILE_SUFFIXES:
        return _unknown_delivery(
            file, path=path, problem=f"a file must end in {' or '.join(FILE_SUFFIXES)}"
        )
    if len(parts) == 1 and file.stem in REGISTERS:
        return Delivery(
            file=file, path=path, dataset=file.stem, source=file.stem, day=None, delivered_at=None
        )
    if len(parts) == 3 and parts[0] in EVENTS:
        return _event_file(file, path=path, dataset=parts[0], folder=parts[1])
    return _unknown_delivery(file, path=path, problem="no dataset is delivered under this name")


def _event_file(file: Path, *, path: str, dataset: str, folder: str) -> Delivery:
    try:
        day = date.fromisoformat(folder)
    except ValueError:
        return _unknown_delivery(
            file, path=path, problem="its folder is not named after a day such as 2026-08-01"
        )
    name = FILE_NAME_PATTERN.match(file.stem)
    # A name of another form (a copy, a part) is still read: its first word is the source, its day
    # the delivery.
    source = name["source"] if name else re.split(r"[-\s(（]", file.stem, maxsplit=1)[0]
    minute = time(int(name["hour"]), int(name["minute"])) if name and name["hour"] else time()
    delivered_at = datetime.combine(day, minute, tzinfo=SHANGHAI)
    return Delivery(
        file=file, path=path, dataset=dataset, source=source, day=day, delivered_at=delivered_at
    )


def _unknown_delivery(file: Path, *, path: str, problem: str) -> Delivery:
    return Delivery(
        file=file,
        path=path,
        dataset="unknown",
        source="",
        day=None,
        delivered_at=None,
        problem=problem,
    )


def _load_order(dataset: str) -> int:
    known = (*REGISTERS, *EVENTS)
    return known.index(dataset) if dataset in known else len(known)
