"""The event store of an installation: brought forward from the lake, opened as an event index."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import polars as pl

from features.catalogue.definitions import MASS_RULE, MassRule
from features.event_index import EventIndex
from features.kernel.segment import moment_ms
from pipelines.progress import Progress, no_progress
from pipelines.settings import Settings, Storage
from pipelines.storage.checked_files import CHECKED_FILES, CheckedFiles
from pipelines.storage.event_store.lake_changes import LakeRecords, files_by_day, first_moved_days
from pipelines.storage.event_store.opened import open_store
from pipelines.storage.event_store.parts.days import (
    day_number,
    day_of,
    day_start,
    known_day,
)
from pipelines.storage.event_store.parts.locks import SWEEP_LOCK, WRITER_LOCK, Hold, hold_lock
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.event_store.published.publishing import Publisher
from pipelines.storage.event_store.reference import StoreReference
from pipelines.storage.event_store.registers import (
    ChangedNames,
    StoreRegisters,
    changed_names,
    current_registers,
    require_registers,
    stored_registers,
    write_registers,
)
from pipelines.storage.event_store.verification import describe_contents, differing_days
from pipelines.storage.event_store.whole_files import remember_whole, require_whole
from pipelines.storage.event_store.writer import OutOfOrderError, StoreWriter
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS, FEATURE_COLUMNS

__all__ = ["EventStore", "StoreReport"]

BEGINNING = -(1 << 30)
ROWS_TOGETHER = 1_000_000  # days with fewer records are added together
RETENTION_DAYS = 130  # two months to learn from, and what a window before them looks back to


@dataclass(frozen=True)
class StoreReport:
    """What bringing the store forward came to: how many days were written, and from which day on
    it had to be written anew because the past had changed (None: it had not). ``lake_version`` is
    the version of the lake that the store holds now.
    """

    days: int
    anew_from: int | None = None
    lake_version: str = ""


@dataclass(frozen=True, eq=False)
class EventStore:
    """The event store in ``folder``, made from ``lake``, and published at ``storage`` unless that
    is the home.

    What it holds follows from the lake alone, whatever the order of loads.
    """

    folder: Path
    lake: Lake
    mass_rule: MassRule = MASS_RULE
    retention_days: int = RETENTION_DAYS
    storage: Storage = field(default_factory=Storage)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The store of an installation."""
        return cls(settings.store_folder, Lake.of(settings), storage=settings.storage)

    def bring_forward(self, *, progress: Progress = no_progress) -> StoreReport:
        """Add what the lake has gained.

        Where records are gone from it, came later than others of the same two, or belong to other
        people by the registers of today, the days from there on are written anew. Killed at any
        moment it leaves the store as it was. Another process that is at it is waited for. All is
        read at one version of the lake, whatever is loaded meanwhile. At the end it is published,
        unless it is the home's alone.

        Raises ``LakeError`` where another home publishes at the same place, or where an object
        store does not answer: then the store below the home is whole, before or after.
        """
        with hold_lock(self.folder / WRITER_LOCK, Hold.ALONE), self.lake.answering():
            publisher = None if self.storage.is_home else Publisher(self.folder, self.storage)
            if publisher is not None:
                publisher.begin(progress=progress)
            # Fixed here, so that no store goes back to a lake of before.
            report = replace(self, lake=self.lake.fixed()).add_fresh(progress=progress)
            if publisher is not None:
                publisher.publish(progress=progress)
            return report

    def add_fresh(self, *, progress: Progress) -> StoreReport:
        """``bring_forward`` for who holds the lock and has fixed the lake; publishes nothing."""
        manifest = Manifest.read(self.folder)
        before = stored_registers(manifest, self.folder)
        registers = current_registers(self.lake, manifest, before, self.folder)
        files = {dataset: self.lake.files(dataset) for dataset in EVENTS}
        if files == manifest.lake_files and registers is before:
            if manifest.lake_version != self.lake.version():
                replace(manifest, lake_version=self.lake.version()).write(self.folder)
            return StoreReport(0, lake_version=self.lake.version())
        require_whole(manifest, self.folder)
        changed = changed_names(before, registers)
        fresh = {
            dataset: sorted(set(files[dataset]) - set(manifest.lake_files.get(dataset, ())))
            for dataset in EVENTS
        }
        anew = first_day(
            self._first_day_of_others(manifest, changed),
            *first_moved_days(self.lake, manifest.lake_files, fresh),
        )
        try:
            return self._write(manifest, registers, files, fresh, anew, progress=progress)
        except OutOfOrderError:
            anew = self._first_day_of(fresh)
            return self._write(manifest, registers, files, fresh, anew, progress=progress)

    def _write(
        self,
        manifest: Manifest,
        registers: StoreRegisters,
        files: dict[str, tuple[str, ...]],
        fresh: dict[str, list[str]],
        anew: int | None,
        *,
        progress: Progress,
    ) -> StoreReport:
        if anew is not None:
            manifest, anew = rewound(manifest, anew)
            fresh = {dataset: list(held) for dataset, held in files.items()}
        self.lake.require_whole(fresh, checked=CheckedFiles(self.folder / CHECKED_FILES))
        records = LakeRecords(
            self.lake,
            {dataset: files_by_day(self.lake, dataset, fresh[dataset]) for dataset in EVENTS},
        )
        writer = StoreWriter(self.folder, manifest, registers, self.mass_rule.residents / 2)
        if anew is not None and anew > BEGINNING:
            writer.forget_since(anew)
        spans = records.spans(since=anew, most=ROWS_TOGETHER)
        for span in spans:
            progress(f"event store: adding {day_of(span.first)} to {day_of(span.last)}")
            writer.add_span(
                span,
                records={
                    dataset: records.of_span(dataset, span, columns)
                    for dataset, columns in FEATURE_COLUMNS.items()
                },
            )
        done = replace(
            writer.finished(),
            lake_version=self.lake.version(),
            lake_files=files,
            registers=manifest.registers
            if manifest.register_versions == registers.versions
            else write_registers(registers, self.folder),
            register_versions=dict(registers.versions),
        )
        done = done.since(moment_ms(day_start(done.head_day - self.retention_days)))
        # Those of before were compared as this began, the others are of this process.
        remember_whole(done.files(), self.folder)
        done.write(self.folder)
        self._sweep(done)
        days = sum(span.days for span in spans)
        return StoreReport(days, anew, lake_version=self.lake.version())

    def _first_day_of(self, files: dict[str, list[str]]) -> int:
        days = [
            day for dataset in EVENTS for day in files_by_day(self.lake, dataset, files[dataset])
        ]
        return min(days, default=BEGINNING)

    def _first_day_of_others(self, manifest: Manifest, changed: ChangedNames | None) -> int | None:
        """From which day on events in the store are other people's by the registers of today."""
        days: list[int | None] = []
        if changed is not None:
            since = BEGINNING if changed.since is None else day_number(changed.since)
            theirs = {
                "calls": pl.col("number").is_in(changed.numbers.implode())
                | pl.col("peer").is_in(changed.numbers.implode()),
                "transfers": pl.col("account").is_in(changed.accounts.implode())
                | pl.col("payee").is_in(changed.accounts.implode()),
            }
            for dataset, mine in theirs.items():
                kept = set(self.lake.files(dataset)) & set(manifest.lake_files.get(dataset, ()))
                first = (
                    self.lake.scan_files(dataset, sorted(kept))
                    .filter(mine)
                    .select(known_day())
                    .filter(pl.col("known_at") >= since)
                    .min()
                    .collect()
                    .item()
                )
                days.append(first)
        return first_day(*days)

    def rebuild(self, *, progress: Progress = no_progress) -> StoreReport:
        """Make the store anew from the lake."""
        self.empty()
        return self.bring_forward(progress=progress)

    def empty(self) -> None:
        """Forget all that the store holds; whoever brings it forward next makes it anew."""
        with hold_lock(self.folder / WRITER_LOCK, Hold.ALONE):
            Manifest().write(self.folder)
            self._sweep(Manifest())

    def verify(self, *, progress: Progress = no_progress) -> pl.DataFrame:
        """Make a second store from the lake and compare: ``timeline``, ``day``, ``rows`` and
        ``rows_anew`` of each day that is not the same. Takes as long as :meth:`rebuild`.
        """
        with TemporaryDirectory(dir=self.folder.parent, prefix=".verify-") as folder:
            anew = replace(self, folder=Path(folder), storage=Storage())
            anew.bring_forward(progress=progress)
            return differing_days(describe_contents(self.folder), describe_contents(anew.folder))

    def open(self, *, at: datetime, lake_version: str | None = None) -> EventIndex:
        """The event index for moments up to ``at``, by the registers that the store was made with;
        brings nothing forward.

        Raises ``LakeError`` where nothing was brought forward yet or a file is not what was
        written, ``ConflictError`` where the store no longer holds ``lake_version``, if that is
        given: what is not in the store is then read at this version, too.
        """
        with hold_lock(self.folder / SWEEP_LOCK, Hold.SHARED):
            require_whole(Manifest.read(self.folder), self.folder)
        lake = self.lake if lake_version is None else self.lake.at_version(lake_version)
        return open_store(
            self.folder, lake, at=at, mass_rule=self.mass_rule, lake_version=lake_version
        )

    def reference(self, *, at: datetime) -> StoreReference:
        """What another process needs to open the same index for moments up to ``at``; it travels
        there pickled.

        Raises ``LakeError`` where nothing was brought forward yet, ``ConflictError`` where it is
        not published as it is.
        """
        manifest = Manifest.read(self.folder)
        require_registers(manifest, self.folder)
        number = None
        if not self.storage.is_home:
            number = Publisher(self.folder, self.storage).require_published(manifest)
        return StoreReference(
            storage=self.storage,
            lake_folder=self.lake.folder.resolve(),
            lake_versions=tuple(sorted(self.lake.newest_versions().items())),
            store_folder=self.folder.resolve(),
            manifest=manifest.digest(),
            number=number,
            at=at,
            mass_rule=self.mass_rule,
        )

    def _sweep(self, manifest: Manifest) -> None:
        """Remove files that nothing names any more."""
        held = manifest.files()
        with hold_lock(self.folder / SWEEP_LOCK, Hold.ALONE):
            for path in (*self.folder.glob("*.arrow"), *self.folder.glob(".*.part")):
                if path.name not in held:
                    path.unlink()


def first_day(*days: int | None) -> int | None:
    """The first of some days, None where there is none."""
    return min((day for day in days if day is not None), default=None)


def rewound(manifest: Manifest, day: int) -> tuple[Manifest, int]:
    """The manifest as it was before ``day`` or a day before that, and that day; an empty store
    where nothing is remembered of so long ago. Codes stay given out.
    """
    points = [point for point in manifest.checkpoints if point.day <= day]
    if not points:
        return Manifest(books=manifest.books), BEGINNING
    point = points[-1]
    return manifest.before(point), point.day
