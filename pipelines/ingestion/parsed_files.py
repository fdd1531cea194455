"""One file of a batch as it was read, and how many of its rows became what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from data_contracts.errors import LakeError
from data_contracts.files.read_result import Reading
from data_contracts.words.counts import choose_form, count_things
from data_contracts.words.rejection_words import describe_reason
from pipelines.ingestion.amendments import REVERSAL, REVERSED
from pipelines.ingestion.deduplication import ACCEPTED, DUPLICATE
from pipelines.ingestion.event_rows import ClassifiedRows
from pipelines.ingestion.landing.deliveries import Delivery
from pipelines.ingestion.waiting_files import Hold
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
    it for replacing, ``is_accepted`` that somebody accepted it as it is, ``is_read_again`` that it
    takes its own place, since its duplicates may be none any more.
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
    is_read_again: bool = False

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
    tallies = _Tallies(
        warned=_count_values(warned.explode("reasons"), column="reasons"),
        origins=_count_values(_duplicates(found), column="origin"),
        gone=dict(found.gone.group_by("file_id").len().iter_rows()) if found.gone.height else {},
        known=count_by_file(found.outcomes.filter(pl.col("result") != ACCEPTED)),
    )
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
                _warnings(item, tallies=tallies, left_out=left_out, is_held=hold is not None)
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


def _duplicates(found: ClassifiedRows) -> pl.DataFrame:
    is_known_origin = (pl.col("result") == DUPLICATE) & pl.col("origin").is_not_null()
    return found.outcomes.filter(is_known_origin)


def _count_values(rows: pl.DataFrame, *, column: str) -> dict[str, dict[str, int]]:
    """How often each file (``_file``) has each value of ``column``, in the order of values."""
    counted: dict[str, dict[str, int]] = {}
    grouped = rows.drop_nulls(column).group_by("_file", column).len().sort("_file", column)
    for path, value, number in grouped.iter_rows():
        counted.setdefault(path, {})[value] = number
    return counted


@dataclass(frozen=True, kw_only=True)
class _Tallies:
    """What of a batch is counted once for all its files: rows ``warned`` of by code and rows that
    other ``origins`` had delivered, both by path, rows ``gone`` by file id, and rows that were
    ``known`` by path.
    """

    warned: Mapping[str, Mapping[str, int]]
    origins: Mapping[str, Mapping[str, int]]
    gone: Mapping[str, int]
    known: Mapping[str, int]


def _warnings(
    item: ParsedFile, *, tallies: _Tallies, left_out: Mapping[str, int], is_held: bool
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
    yield from _warnings_of_rows(item, tallies=tallies)
    known = tallies.known.get(path, 0)
    if item.earlier_rows > 2 * known and not is_held:
        yield (
            f"an earlier file of this name brought {count_things(item.earlier_rows, 'row')}, of "
            f"which {known} {choose_form(known, 'is', 'are')} here again; if this file corrects "
            f"it, ingest the folder with --replace {path}"
        )
    if item.is_named and not item.targets:
        yield "nothing was loaded before that this file could replace"
    for reason, number in left_out.items():
        yield f"{count_things(number, 'row')} left out: {reason}"


def _warnings_of_rows(item: ParsedFile, *, tallies: _Tallies) -> Iterator[str]:
    """What is said of rows of the file: warned of, delivered by others as well, or gone for it."""
    path, delivery = item.delivery.path, item.delivery
    for code, number in tallies.warned.get(path, {}).items():
        words = describe_reason(code, dataset=delivery.dataset)
        yield f"{count_things(number, 'row')} with a warning: {words}"
    for origin, number in tallies.origins.get(path, {}).items():
        if origin != delivery.source:
            yield f"{count_things(number, 'row')} that came from {origin} as well, counted once"
    for target in item.targets:
        left = tallies.gone.get(target.digest[:FILE_ID_DIGITS], 0)
        if item.is_read_again:
            yield (
                "read again, since another file with some of its rows was taken out of the lake; "
                f"{count_things(left, 'row')} of it {choose_form(left, 'was', 'were')} there before"
            )
        elif left:
            yield f"{count_things(left, 'row')} of {target.path} left the lake for this file"


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
