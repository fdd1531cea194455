"""The landing folder: which files were delivered, by whom, for which day. It opens none of them."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path

from data_contracts.errors import DeliveryError
from pipelines.clock import SHANGHAI
from pipelines.ingestion.landing.sources import (
    PUBLIC,
    KnownSources,
    fold_name,
    read_file_name,
    strip_marks,
)
from pipelines.storage.lake_schemas import EVENTS, REGISTERS
from pipelines.storage.places.durable_files import file_digest

__all__ = [
    "Delivery",
    "NameMask",
    "describe_path",
    "list_deliveries",
    "name_stem",
    "printable_path",
    "require_landing",
]

NameMask = Callable[[str], str]

FILE_SUFFIXES = (".parquet", ".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".zip", ".gz")
UNFINISHED_SUFFIXES = (".part", ".tmp", ".crc", ".crdownload", ".filepart")
SIDECAR_SUFFIX = ".replaces"  # names the files that the file beside it replaces
TRUTH_FILE = "truth"  # only in simulated districts, for evaluation
DAY_FOLDER = re.compile(r"(20\d\d)[-_./年]?(\d{1,2})[-_./月]?(\d{1,2})日?")
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "calls": ("call", "通话", "话单", "通话记录", "通话清单", "短信"),
    "transfers": ("transfer", "转账", "交易", "流水", "资金", "交易流水", "资金流水", "资金交易"),
    "residents": ("resident", "居民", "人口", "居民登记", "常住人口"),
    "subscribers": ("subscriber", "机主", "号码", "用户", "开户", "机主登记", "入网登记"),
    "accounts": ("account", "账户", "帐户", "银行账户", "银行卡", "账号", "账户登记"),
    "number_tags": ("number_tag", "numbertags", "tags", "号码标签", "号码标记", "标签", "标记"),
    "cases": ("case", "案件", "警情", "报案", "案件登记", "受害人"),
}
DATASET_OF: Mapping[str, str] = {
    name: dataset for dataset, others in OTHER_NAMES.items() for name in (dataset, *others)
}
LIST_WORD = re.compile(r"(信息|数据|名单|明细|清单|台账|登记|表|册)+$")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivered file. ``path`` is relative to the landing folder, with identifiers masked,
    ``path_as_delivered`` is the whole one where they differ; ``day`` is its folder's, none for
    registers.

    ``delivered_at`` is the earliest moment the file can have been there: the time in its name, else
    its day's start; ``is_whole_day`` tells a name without a time. ``is_new_source`` marks a source
    that nobody knows, ``is_unfamiliar`` also one that is known in public and never delivered here,
    beside others that did; ``corrects`` a name that calls itself a correction, or a
    list of replaced files beside it. ``problem`` says
    why the file cannot belong to any dataset and ``remedy`` what to do; otherwise both are empty.
    """

    file: Path
    path: str
    dataset: str
    source: str
    day: date | None
    delivered_at: datetime | None
    is_whole_day: bool = True
    is_new_source: bool = False
    is_unfamiliar: bool = False
    corrects: bool = False
    note: str = ""
    problem: str = ""
    remedy: str = ""
    path_as_delivered: str = ""

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

    def with_masked_name(self, said: str) -> str:
        """What was said of the file, with its name as everybody may read it."""
        return said.replace(self.file.name, self.path.rpartition("/")[2])

    def sidecar(self) -> Path | None:
        """The list of the files that this one replaces; None where there is none."""
        place = _sidecar(self.file)
        return place if _is_own_file(place) else None


def require_landing(landing: Path) -> None:
    """Raise ``DeliveryError`` if there is no such folder."""
    if not landing.is_dir():
        raise DeliveryError(
            f"there is no landing folder {landing}",
            remedy="Name the folder that holds the delivery.",
        )


def list_deliveries(
    landing: Path,
    *,
    through: date | None = None,
    known: KnownSources = PUBLIC,
    mask: NameMask = str,
) -> list[Delivery]:
    """The files of a landing folder: registers first, then events by day and name, up to the day
    ``through``.

    Of a day, corrections come after what they correct, and sources that nobody knows last, so that
    they are held against the others. ``mask`` takes identifiers out of names. Raises
    ``DeliveryError`` if the folder does not exist.
    """
    require_landing(landing)
    read = (
        _refused_entry(file, landing=landing) or _read_path(file, landing=landing, known=known)
        for file in _delivered_files(landing)
    )
    found = [_masked(item, mask, known) for item in read]
    wanted = (item for item in found if item.day is None or through is None or item.day <= through)
    return sorted(
        wanted,
        key=lambda item: (
            _load_order(item.dataset),
            item.day or date.min,
            item.corrects,
            item.is_new_source,
            item.path,
        ),
    )


def describe_path(path: str, *, known: KnownSources = PUBLIC) -> Delivery:
    """What the path of a file in the landing folder says, whether or not it still lies there."""
    return _read_path(Path(path), landing=Path(), known=known)


def _masked(item: Delivery, mask: NameMask, known: KnownSources) -> Delivery:
    """The file under a name without identifiers, and of a source of such a name."""
    path, source = mask(item.path), mask(item.source)
    if path == item.path:
        return item
    is_known = source != item.source and source in known.names
    return replace(
        item,
        path=path,
        path_as_delivered=item.path,
        source=source,
        is_new_source=item.is_new_source and not is_known,
        is_unfamiliar=item.is_unfamiliar and source not in known.familiar,
        note=mask(item.note),
        problem=mask(item.problem),
    )


def _delivered_files(landing: Path) -> Iterator[Path]:
    for file in landing.rglob("*"):
        hidden = any(part.startswith((".", "_", "~$")) for part in file.relative_to(landing).parts)
        # Of folders, those that are named as a file is; what is inside speaks for itself
        is_entry = file.is_symlink() or not file.is_dir() or file.suffix.lower() in FILE_SUFFIXES
        if (
            not hidden
            and is_entry
            and file.suffix.lower() not in (*UNFINISHED_SUFFIXES, SIDECAR_SUFFIX)
            and file.stem != TRUTH_FILE
        ):
            yield file


def _refused_entry(file: Path, *, landing: Path) -> Delivery | None:
    """What is not opened for what it is, or for how it is named; None for the others."""
    delivered = "/".join(file.relative_to(landing).parts)
    path = printable_path(delivered)
    if file.is_symlink():  # who delivers must not choose what of this machine is read
        problem, remedy = "it is a link to another place", "Deliver the file itself in this place."
    elif not file.is_file():
        problem = "it is no file, but a folder, a pipe or a device"
        remedy = "Deliver the rows in a file."
    elif path != delivered:
        problem = "its name is not written in UTF-8, or holds signs that cannot be printed"
        remedy = "Name it in UTF-8, without line ends and control characters."
    else:
        return None
    return _unknown_delivery(file, path=path, problem=problem, remedy=remedy)


def printable_path(path: str) -> str:
    """A path as it can be printed and kept: what is not UTF-8 is read as GB 18030 if it can be, and
    what else cannot be printed stands as its code.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        path = os.fsencode(path).decode("gb18030", errors="backslashreplace")
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in path)


def _read_path(file: Path, *, landing: Path, known: KnownSources) -> Delivery:
    parts = file.relative_to(landing).parts
    path = "/".join(parts)
    if file.suffix.lower() not in FILE_SUFFIXES:
        endings = ", ".join(FILE_SUFFIXES)
        return _unknown_delivery(
            file,
            path=path,
            problem=f"files that end in {file.suffix or 'nothing'} are not read, only {endings}",
            remedy="Deliver the rows in one of these forms, or remove the file.",
        )
    stem = name_stem(file.name)
    if len(parts) == 1:
        return _register_file(file, path=path, stem=stem)
    dataset = DATASET_OF.get(fold_name(parts[0]))
    if dataset in EVENTS and len(parts) == 3:
        return _event_file(
            file, path=path, dataset=dataset, folder=parts[1], stem=stem, known=known
        )
    return _unknown_delivery(
        file,
        path=path,
        problem="no dataset is delivered in this folder",
        remedy="Events lie in calls/<day>/ or transfers/<day>/, registers in the landing folder "
        "itself; move the file.",
    )


def _register_file(file: Path, *, path: str, stem: str) -> Delivery:
    name = strip_marks(stem, known=DATASET_OF)
    dataset = DATASET_OF.get(name) or DATASET_OF.get(LIST_WORD.sub("", name))
    if dataset not in REGISTERS:
        return _unknown_delivery(
            file,
            path=path,
            problem="no register has this name",
            remedy=f"Name it after one of {', '.join(REGISTERS)}; events lie in calls/<day>/ or "
            "transfers/<day>/.",
        )
    return Delivery(
        file=file,
        path=path,
        dataset=dataset,
        source=dataset,
        day=None,
        delivered_at=None,
        note="" if stem == dataset else f"read as the register {dataset}",
    )


def _event_file(
    file: Path, *, path: str, dataset: str, folder: str, stem: str, known: KnownSources
) -> Delivery:
    day = _read_day(folder)
    if day is None:
        return _unknown_delivery(
            file,
            path=path,
            problem="its folder is not named after a day such as 2026-08-01",
            remedy="Move the file into the folder of the day that it was delivered for.",
        )
    name = read_file_name(stem, known=known)
    is_noted = not name.is_new and not name.is_plain
    return Delivery(
        file=file,
        path=path,
        dataset=dataset,
        source=name.source,
        day=day,
        delivered_at=datetime.combine(day, name.minute or time(), tzinfo=SHANGHAI),
        is_whole_day=name.minute is None,
        is_new_source=name.is_new,
        is_unfamiliar=name.is_new or (bool(known.familiar) and name.source not in known.familiar),
        corrects=name.corrects or _is_own_file(_sidecar(file)),
        note=f"read as a file of the source {name.source}" if is_noted else "",
    )


def _sidecar(file: Path) -> Path:
    return file.with_name(file.name + SIDECAR_SUFFIX)


def _is_own_file(path: Path) -> bool:
    """Whether it lies here itself, and is no link to something elsewhere."""
    return path.is_file() and not path.is_symlink()


def _read_day(folder: str) -> date | None:
    """The day that a folder is named after, as 2026-08-01, 20260801, 2026.8.1 or 2026年8月1日."""
    parts = DAY_FOLDER.fullmatch(fold_name(folder))
    if parts is None:
        return None
    try:
        return date(*map(int, parts.groups()))
    except ValueError:
        return None


def name_stem(path: str) -> str:
    """The name of a file without any of the endings that are read."""
    name = stem = path.rpartition("/")[2]
    while (end := stem.rpartition(".")[2].lower()) and f".{end}" in FILE_SUFFIXES and "." in stem:
        stem = stem.rpartition(".")[0]
    return stem or name


def _unknown_delivery(file: Path, *, path: str, problem: str, remedy: str) -> Delivery:
    return Delivery(
        file=file,
        path=path,
        dataset="unknown",
        source="",
        day=None,
        delivered_at=None,
        problem=problem,
        remedy=remedy,
    )


def _load_order(dataset: str) -> int:
    known = (*REGISTERS, *EVENTS)
    return known.index(dataset) if dataset in known else len(known)
