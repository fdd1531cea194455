"""One file of a batch as it was read, and how many of its rows became what."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from data_contracts.errors import LakeError
from data_contracts.files.reading import Reading
from data_contracts.quarantine import reason_text
from pipelines.ingestion.amendments import REVERSAL, REVERSED
from pipelines.ingestion.deduplication import ACCEPTED, DUPLICATE
from pipelines.ingestion.event_rows import ClassifiedRows
from pipelines.ingestion.holding import Hold
from pipelines.ingestion.landing.deliveries import Delivery
from pipelines.storage.ledger import FILE_ID_DIGITS, FileStatus, LoadedFile

__all__ = ["ParsedFile", "check_row_counts", "count_by_file", "count_files"]

LEFT_OUT = (REVERSAL, REVERSED)


@dataclass(frozen=True, kw_only=True)
class ParsedFile:
    """A file that was read: its rows, or why there are none (``problem`` and ``remedy``).

    ``rows`` are as ``read_delivery`` makes them, with ``_file`` (path in the landing folder) and
    ``_file_day`` (null for registers). ``through`` is set where rows reported after that day were
    left out; ``reading`` holds what else was found in the file. ``hold`` says why it has to wait
    whatever its rows are. ``targets`` are the loads that it replaces, ``earlier_rows`` the
    rows that files of its path brought before and that stay; ``is_named`` means that somebody named
    it for replacing, ``is_accepted`` that somebody accepted it as it is.
    """

    delivery: Delivery
    digest: str
    stamp: str
    rows: pl.DataFrame | None
    problem: str = ""
    remedy: str = ""
    through: date | None = None
    reading: Reading | None = None
    hold: Hold | None = None
    targets: tuple[LoadedFile, ...] = ()
    earlier_rows: int = 0
    is_named: bool = False
    is_accepted: bool = False

    @property
    def replaced_ids(self) -> frozenset[str]:
        """Ids of the files whose rows this one replaces."""
        return frozenset(target.digest[:FILE_ID_DIGITS] for target in self.targets)


def count_by_file(rows: pl.DataFrame) -> dict[str, int]:
    """How many of these rows each file has, by path."""
    return dict(rows.group_by("_file").len().iter_rows())


def count_files(
    parsed: Sequence[ParsedFile],
    *,
    rejected: pl.DataFrame,
    found: ClassifiedRows,
    warned: pl.DataFrame,
    held: Mapping[str, Hold],
) -> Iterator[LoadedFile]:
    """Count each file's rows by what became of them."""
    quarantined = count_by_file(rejected)
    results = found.outcomes.group_by("_file", "result").len().iter_rows()
    became = {(path, result): number for path, result, number in results}
    for item in parsed:
        path, hold = item.delivery.path, held.get(item.delivery.path)
        left_out = {} if item.reading is None or hold else dict(item.reading.skipped)
        size = 0 if item.rows is None else item.rows.height + sum(left_out.values())
        left_out |= {kind: became[path, kind] for kind in LEFT_OUT if (path, kind) in became}
        counts = {
            "accepted": became.get((path, ACCEPTED), 0),
            "quarantined": 0 if hold else quarantined.get(path, 0),
            "duplicates": became.get((path, DUPLICATE), 0),
            "skipped": sum(left_out.values()),
            "held": size if hold else 0,
        }
        yield LoadedFile(
            path=path,
            dataset=item.delivery.dataset,
            source=item.delivery.source,
            digest=item.digest,
            stamp=item.stamp,
            through=item.through,
            rows=size,
            **counts,
            status=_status(item, size=size, counts=counts),
            reason=hold.reason if hold else item.problem,
            remedy=hold.remedy if hold else item.remedy,
            held_for=hold.kind if hold else "",
            warnings=tuple(
                _warnings(
                    item, found=found, warned=warned, left_out=left_out, is_held=hold is not None
                )
            ),
            notes=tuple(_notes(item)),
        )


def _status(item: ParsedFile, *, size: int, counts: Mapping[str, int]) -> FileStatus:
    if item.problem:
        return "unreadable"
    if counts["held"] or (item.hold is not None and not item.is_accepted):
        return "held"
    if counts["quarantined"]:
        return "partly"
    return "duplicate" if size and counts["duplicates"] == size else "accepted"


def _warnings(
    item: ParsedFile,
    *,
    found: ClassifiedRows,
    warned: pl.DataFrame,
    left_out: Mapping[str, int],
    is_held: bool,
) -> Iterator[str]:
    """What somebody should read of a file: what its reading and its rows warn of, and what was left
    out.
    """
    path, delivery = item.delivery.path, item.delivery
    if delivery.is_unfamiliar:
        yield (
            f"{delivery.source} is a new source; if that is right, declare it with "
            f"`forestall sources declare {delivery.source}`"
        )
    if item.reading is not None:
        yield from item.reading.warnings
    codes = Counter(warned.filter(pl.col("_file") == path)["reasons"].explode().to_list())
    for code, number in sorted(codes.items()):
        words = reason_text(code, dataset=delivery.dataset)
        yield f"{number} rows with a warning: {words}"
    for origin, number in _count_other_origins(item, found=found).items():
        yield f"{number} rows came from {origin} as well and count once"
    for target in item.targets if found.gone.height else ():
        file_id = target.digest[:FILE_ID_DIGITS]
        number = found.gone.filter(pl.col("file_id") == file_id).height
        if number:
            yield f"{number} rows of {target.path} left the lake for this file"
    known = found.outcomes.filter((pl.col("_file") == path) & (pl.col("result") != ACCEPTED)).height
    if item.earlier_rows > 2 * known and not is_held:
        yield (
            f"an earlier file of this name brought {item.earlier_rows} rows, of which {known} are "
            f"here again; if this file corrects it, ingest the folder with --replace {path}"
        )
    if item.is_named and not item.targets:
        yield "nothing was loaded before that this file could replace"
    for reason, number in left_out.items():
        yield f"{number} rows left out: {reason}"


def _count_other_origins(item: ParsedFile, *, found: ClassifiedRows) -> dict[str, int]:
    """How many rows of the file other sources had delivered, by source."""
    is_mine = (pl.col("_file") == item.delivery.path) & (pl.col("result") == DUPLICATE)
    origins = Counter(found.outcomes.filter(is_mine)["origin"].drop_nulls().to_list())
    return {
        origin: number
        for origin, number in sorted(origins.items())
        if origin != item.delivery.source
    }


def _notes(item: ParsedFile) -> Iterator[str]:
    """What is harmless of a file: whose it was taken for, and what its reading notes."""
    if item.delivery.note:
        yield item.delivery.note
    if item.reading is not None:
        yield from item.reading.notes


def check_row_counts(files: Sequence[LoadedFile], *, accepted: int) -> None:
    """Nothing delivered is ever lost: a load whose rows do not add up must not happen."""
    for file in files:
        accounted = file.accepted + file.quarantined + file.duplicates + file.skipped + file.held
        if file.rows != accounted:
            raise LakeError(
                f"rows of {file.path} do not add up",
                remedy="Nothing was loaded; report this as a fault.",
            )
    if accepted != sum(file.accepted for file in files):
        raise LakeError(
            "accepted rows do not add up", remedy="Nothing was loaded; report this as a fault."
        )
