"""Loads a landing folder into the lake: every delivered row ends up accepted, quarantined, as a
duplicate, or held.

Files are read one by one in a parsing process and loaded together in batches; see
``pipelines.storage.ledger`` for why a killed load neither loses nor doubles anything.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

import polars as pl

from data_contracts.errors import DeliveryError
from pipelines.clock import SHANGHAI
from pipelines.ingestion.batch_validation import BatchValidator, ParsedFile, ValidatedBatch
from pipelines.ingestion.landing import Delivery, list_deliveries
from pipelines.ingestion.parser import Parser
from pipelines.ingestion.pseudonymisation import RowPseudonymiser, load_pseudonymiser
from pipelines.ingestion.quarantine import remove_unfinished_batches, store_rejected_rows
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.storage.ledger import FileStatus, Ledger, LoadedFile
from pipelines.storage.schemas import EVENTS
from pipelines.storage.vault import Vault

__all__ = ["FileReport", "IngestReport", "ingest"]


# An empty file would wipe these registers; that no case was reported or no number tagged can be
# true.
NEVER_EMPTY = ("residents", "subscribers", "accounts")

FileProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What became of a delivered file: rows = accepted + quarantined + duplicates + skipped + held.

    ``status`` is ``accepted``, ``partly`` (some rows are in quarantine), ``held`` (the whole file
    waits for somebody), ``unreadable`` or ``duplicate`` (loaded before). ``reason`` says why a file
    is not accepted; ``warnings`` are what somebody should read though it is.
    """

    path: str
    dataset: str
    source: str
    rows: int
    accepted: int
    quarantined: int
    duplicates: int
    skipped: int
    held: int
    status: FileStatus
    reason: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What one run of ``ingest`` did, file by file, and the lake's version after it."""

    files: tuple[FileReport, ...]
    version: str


def ingest(
    landing: Path,
    *,
    settings: Settings,
    received_at: datetime,
    through: date | None = None,
    retry_held: bool = False,
    progress: FileProgress | None = None,
    parser: Parser | None = None,
) -> IngestReport:
    """Load what is new in ``landing`` and report on every file, in the order of loading.

    ``through`` is the last day to be taken: later day folders are left alone, later reports of the
    case file too. ``received_at`` is the moment of this run: no event can lie after it, or after
    the last day delivered if that is later, as in simulated districts. ``retry_held`` tries held
    files again though they have not changed. ``progress`` is told files done and files in all.
    ``parser`` reads the files and goes on running afterwards, for who loads often; without one the
    run starts its own. Delivered files are never moved or changed.

    Raises ``DeliveryError`` if there is no such folder, ``LakeError`` if another load is running or
    rows got lost.
    """
    listed = list_deliveries(landing, through=through)
    lake = Lake(settings.lake_folder)
    own = Parser(limits=settings.ingest, sources_folder=settings.sources_folder)
    with lake.locked(), own:
        load = _IngestRun(
            settings=settings,
            lake=lake,
            parser=parser or own,
            received_at=received_at,
            not_after=max([received_at, *(_end_of_day(item.day) for item in listed if item.day)]),
            through=through,
        )
        load.recover()
        reports: dict[str, FileReport] = {}
        for report in load.run(listed, retry_held=retry_held):
            reports[report.path] = report
            if progress is not None:
                progress(len(reports), len(listed))
        return IngestReport(
            files=tuple(reports[item.path] for item in listed), version=lake.version()
        )


class _IngestRun:
    """One run of ``ingest`` with everything it needs."""

    def __init__(
        self,
        *,
        settings: Settings,
        lake: Lake,
        parser: Parser,
        received_at: datetime,
        not_after: datetime,
        through: date | None,
    ) -> None:
        self._settings = settings
        self._lake = lake
        self._parser = parser
        self._received_at = received_at
        self._through = through
        self._ledger = Ledger(settings.lake_folder / "ledger.db")
        self._vault = Vault.open(settings)
        self._row_pseudonymiser = RowPseudonymiser(load_pseudonymiser(settings))
        self._validator = BatchValidator(
            settings=settings,
            lake=lake,
            row_pseudonymiser=self._row_pseudonymiser,
            not_after=not_after,
        )

    def recover(self) -> None:
        """Bring a load that was cut short to its end, or forget it: the Delta table alone decides
        which.
        """
        for batch, dataset in self._ledger.unfinished_batches():
            if self._lake.last_batch(dataset) >= batch:
                self._ledger.commit(batch, delta_version=self._lake.newest_version(dataset))
            else:
                self._ledger.discard(batch)
        remove_unfinished_batches(
            self._settings.quarantine_folder, loaded=self._ledger.committed_batches()
        )

    def run(self, listed: Sequence[Delivery], *, retry_held: bool) -> Iterator[FileReport]:
        """Load the files in order, dataset by dataset."""
        for dataset, group in groupby(listed, key=lambda item: item.dataset):
            waiting: list[ParsedFile] = []
            for delivery in group:
                if delivery.problem:
                    yield _report_unknown(delivery)
                    continue
                stamp = delivery.stamp()
                digest = self._ledger.digest_by_stamp(stamp) or delivery.digest()
                if any(
                    item.digest == digest for item in waiting
                ):  # a copy is known once the first is loaded
                    yield from self._load(dataset, waiting)
                    waiting = []
                if before := self._loaded_before(delivery, digest=digest, retry_held=retry_held):
                    yield before
                    continue
                waiting.append(self._parse(delivery, digest=digest, stamp=stamp))
                if (
                    dataset not in EVENTS
                    or _count_rows(waiting) >= self._settings.ingest.batch_rows
                ):
                    yield from self._load(dataset, waiting)
                    waiting = []
            if waiting:
                yield from self._load(dataset, waiting)

    def _loaded_before(
        self, delivery: Delivery, *, digest: str, retry_held: bool
    ) -> FileReport | None:
        before = self._ledger.find_load(dataset=delivery.dataset, digest=digest)
        if before is None:
            return None
        if before.reason:  # held: the same file in another place may be right there
            return None if retry_held or before.path != delivery.path else _report(before)
        if delivery.dataset not in EVENTS and not self._is_current(before):
            return None
        known = replace(
            before,
            path=delivery.path,
            accepted=0,
            quarantined=0,
            skipped=0,
            duplicates=before.rows,
            status="duplicate",
            warnings=(),
        )
        return _report(replace(known, reason=f"already loaded as {before.path}"))

    def _is_current(self, before: LoadedFile) -> bool:
        """A register seen before is there only if nothing replaced it and no part of it was left
        out for its date.
        """
        latest = self._ledger.latest_load(before.dataset)
        enough = before.through is None or (
            self._through is not None and self._through <= before.through
        )
        return latest is not None and latest.digest == before.digest and enough

    def _parse(self, delivery: Delivery, *, digest: str, stamp: str) -> ParsedFile:
        unread = ParsedFile(delivery=delivery, digest=digest, stamp=stamp, rows=None)
        try:
            reading = self._parser.read(
                delivery.file, dataset=delivery.dataset, source=delivery.source
            )
        except DeliveryError as error:
            return replace(unread, problem=str(error))
        if (
            delivery.stamp() != stamp
        ):  # neither digest nor rows can be trusted: the next run reads it anew
            return replace(
                unread, problem="the file changed while it was read", digest="", stamp=""
            )
        rows = reading.rows
        if rows.is_empty() and delivery.dataset in NEVER_EMPTY:
            return replace(unread, problem="the register holds no rows")
        through = None
        if delivery.dataset == "cases" and self._through is not None:
            reported = rows.filter(
                (pl.col("reported_at") < _end_of_day(self._through)).fill_null(value=True)
            )
            through, rows = (self._through if reported.height < rows.height else None), reported
        marked = rows.with_columns(
            pl.lit(delivery.path).alias("_file"),
            pl.lit(delivery.day, dtype=pl.Date).alias("_file_day"),
        )
        return replace(unread, rows=marked, through=through, reading=reading)

    def _load(self, dataset: str, parsed: Sequence[ParsedFile]) -> list[FileReport]:
        """Load one batch of files of a dataset, as a whole."""
        batch = self._ledger.next_batch()
        validated = self._validator.validate_batch(dataset, parsed)
        self._row_pseudonymiser.store_identifiers(self._vault)
        store_rejected_rows(
            validated.rejected,
            dataset=dataset,
            batch=batch,
            held=validated.held,
            received_at=self._received_at,
            folder=self._settings.quarantine_folder,
            vault=self._vault,
        )
        self._ledger.prepare(
            batch,
            dataset=dataset,
            files=validated.files,
            arrivals=validated.arrivals,
            received_at=self._received_at,
        )
        self._ledger.commit(batch, delta_version=self._write(dataset, validated, batch=batch))
        return [_report(file) for file in validated.files]

    def _write(self, dataset: str, validated: ValidatedBatch, *, batch: int) -> int | None:
        if dataset in EVENTS:
            return (
                self._lake.append(dataset, validated.accepted, batch=batch)
                if validated.accepted.height
                else None
            )
        if all(
            file.reason for file in validated.files
        ):  # a held register leaves the old one in its place
            return None
        return self._lake.replace(dataset, validated.accepted, batch=batch)


def _end_of_day(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=SHANGHAI)


def _count_rows(parsed: Sequence[ParsedFile]) -> int:
    return sum(item.rows.height for item in parsed if item.rows is not None)


def _report(file: LoadedFile) -> FileReport:
    return FileReport(**{field.name: getattr(file, field.name) for field in fields(FileReport)})


def _report_unknown(delivery: Delivery) -> FileReport:
    return FileReport(
        path=delivery.path,
        dataset=delivery.dataset,
        source=delivery.source,
        rows=0,
        accepted=0,
        quarantined=0,
        duplicates=0,
        skipped=0,
        held=0,
        status="unreadable",
        reason=delivery.problem,
        warnings=(),
    )
