"""Loads a landing folder into the lake: every delivered row ends up accepted, quarantined, as a
duplicate, or held.

Files are read one by one in a parsing process and loaded together in batches; see
``pipelines.storage.ledger`` for why a killed load neither loses nor doubles anything.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import polars as pl

from data_contracts.errors import DeliveryError
from data_contracts.pseudonyms import Pseudonymiser
from pipelines.clock import end_of_day
from pipelines.ingestion.amendments import find_targets
from pipelines.ingestion.batch_validation import BatchValidator, ValidatedBatch
from pipelines.ingestion.former_homes.raw_ids import pseudonymise_raw_ids
from pipelines.ingestion.landing.deliveries import Delivery, list_deliveries, require_landing
from pipelines.ingestion.landing.gone_files import find_gone_files, record_gone_files
from pipelines.ingestion.landing.sources import KnownSources, list_known_sources
from pipelines.ingestion.outcomes.findings import Finding, count_findings
from pipelines.ingestion.outcomes.quarantine import remove_unfinished_batches, store_rejected_rows
from pipelines.ingestion.outcomes.reports import (
    FileReport,
    IngestReport,
    report_file,
    report_gone_file,
    report_known_file,
)
from pipelines.ingestion.parsed_files import ParsedFile
from pipelines.ingestion.parsing.parser_process import Parser, lend_parser
from pipelines.ingestion.pseudonymisation import RowPseudonymiser, load_pseudonymiser
from pipelines.ingestion.source_habits import SourceHabits
from pipelines.ingestion.waiting_files import (
    hold_far_day,
    hold_two_registers,
    last_plausible_day,
)
from pipelines.settings import Settings
from pipelines.storage.installation.loads import remember_loads, require_loads
from pipelines.storage.installation.vault import Vault
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS, REGISTERS
from pipelines.storage.ledger import Decision, Ledger, LoadedFile, Stray, unread_file
from pipelines.storage.ledger_agreement import require_agreement

__all__ = ["ingest", "recover_loads"]


# An empty file would wipe these registers; that no case was reported or no number tagged can be
# true.
NEVER_EMPTY = ("residents", "subscribers", "accounts")

FILES_AT_ONCE = 100  # that the ledger is asked for in one query

FileProgress = Callable[[int, int], None]


def ingest(
    landing: Path,
    *,
    settings: Settings,
    received_at: datetime,
    through: date | None = None,
    retry_held: bool = False,
    replace: Collection[str] = (),
    accept: Collection[str] = (),
    progress: FileProgress | None = None,
    parser: Parser | None = None,
) -> IngestReport:
    """Load what is new in ``landing`` and report on every file, in the order of loading.

    ``through`` is the last day to be taken: later day folders are left alone, later reports of the
    case file too. ``received_at`` is the moment of this run: no event can lie after it, or after
    the last day delivered if that is later, as in simulated districts. A file of a day far after
    all others is held. ``retry_held`` tries held
    files again though they have not changed. A held file that is no longer there is reported as
    gone, and waits no more. Files named in ``replace`` take the place of what was
    loaded from them before, or of what they correct; those named in ``accept`` are taken though
    they would be held, their bad rows are quarantined. ``progress`` is told files done and files in
    all. ``parser`` reads the files and goes on running afterwards, for who loads often; without one
    the run starts its own. Delivered files are never moved or changed.

    Raises ``DeliveryError`` if there is no such folder or named file, ``LakeError`` if another load
    is running or rows got lost.
    """
    require_landing(landing)  # before anything is made in a home that may be a typing error
    lake = Lake.of(settings)
    ledger = Ledger(settings.lake_folder / "ledger.db")
    with lake.locked(), lend_parser(parser, settings=settings) as reader:
        recover_loads(settings, lake=lake, ledger=ledger, at=received_at)
        known = list_known_sources(settings)
        vault, pseudonymiser = Vault.open(settings), load_pseudonymiser(settings)
        mask = pseudonymiser.mask
        listed = list_deliveries(landing, through=through, known=known, mask=mask)
        names = {item.path: item.path_as_delivered for item in listed if item.path_as_delivered}
        vault.put_identifiers("file", names)
        gone = find_gone_files(ledger, landing=landing, listed=listed, mask=mask)
        accepted = _find_named(accept, landing=landing, listed=listed)
        last_day = last_plausible_day(
            [item.day for item in listed if item.day],
            received_on=received_at.date(),
            newest=ledger.newest_day(),
            limits=settings.ingest,
        )
        accepted_days = [item.day for item in listed if item.day and item.path in accepted]
        load = _IngestRun(
            settings=settings,
            lake=lake,
            ledger=ledger,
            landing=str(landing.resolve()),
            known=known,
            vault=vault,
            pseudonymiser=pseudonymiser,
            parser=reader,
            received_at=received_at,
            not_after=max([received_at, *map(end_of_day, [last_day, *accepted_days])]),
            last_day=last_day,
            through=through,
            retry_held=retry_held,
            named_files=_find_named(replace, landing=landing, listed=listed),
            accepted=accepted,
        )
        reports: dict[str, FileReport] = {}
        for report in load.run(listed):
            reports[report.path] = report
            if progress is not None:
                progress(len(reports), len(listed))
        strays = [
            Stray(path=item.path, reason=item.problem, remedy=item.remedy)
            for item in listed
            if item.problem
        ]
        remember_loads(settings, lake=lake)
        ledger.record_strays(str(landing.resolve()), strays, seen_at=received_at)
        left = record_gone_files(ledger, gone, received_at=received_at)
        return IngestReport(
            files=(*(reports[item.path] for item in listed), *map(report_gone_file, gone)),
            version=lake.version(),
            decisions=(*load.decisions, *left),
        )


def recover_loads(settings: Settings, *, lake: Lake, ledger: Ledger, at: datetime) -> None:
    """Bring a load that was cut short to its end, or forget it: the Delta table alone decides
    which. Then bring what a former version left to today's form. Raises ``LakeError`` where ledger
    and lake tell of other loads.
    """
    for batch, dataset in ledger.unfinished_batches():
        if lake.last_batch(dataset) >= batch:
            ledger.commit(batch, delta_version=lake.newest_version(dataset))
        else:
            ledger.discard(batch)
    require_agreement(lake, ledger)
    require_loads(settings)
    remove_unfinished_batches(settings.quarantine_folder, loaded=ledger.committed_batches())
    if ledger.datasets_with_raw_ids():
        pseudonymise_raw_ids(
            settings,
            lake=lake,
            ledger=ledger,
            pseudonymiser=load_pseudonymiser(settings),
            at=at,
        )


def _find_named(
    names: Collection[str], *, landing: Path, listed: Sequence[Delivery]
) -> frozenset[str]:
    """Paths in the landing folder of the files that somebody named, by these or by whole paths."""
    paths = {item.file.resolve(): item.path for item in listed}
    reported = {item.path for item in listed}
    found = set()
    for name in names:
        path = paths.get((landing / name).resolve()) or paths.get(Path(name).resolve())
        path = path or (name if name in reported else None)
        if path is None:
            raise DeliveryError(
                f"there is no file {name} in {landing}",
                remedy="Name files as the load reports them, such as calls/2026-08-01/cmcc.csv.",
            )
        found.add(path)
    return frozenset(found)


class _IngestRun:
    """One run of ``ingest`` with everything it needs."""

    def __init__(
        self,
        *,
        settings: Settings,
        lake: Lake,
        ledger: Ledger,
        landing: str,
        known: KnownSources,
        vault: Vault,
        pseudonymiser: Pseudonymiser,
        parser: Parser,
        received_at: datetime,
        not_after: datetime,
        last_day: date,
        through: date | None,
        retry_held: bool,
        named_files: frozenset[str],
        accepted: frozenset[str],
    ) -> None:
        self.decisions: list[Decision] = []
        self._settings = settings
        self._habits = SourceHabits(settings)
        self._lake = lake
        self._ledger = ledger
        self._landing = landing
        self._known = known
        self._parser = parser
        self._received_at = received_at
        self._last_day = last_day
        self._through = through
        self._retry_held = retry_held
        self._named_files = named_files
        self._accepted = accepted
        self._known_digests: set[str] = set()  # of events, as far as files were looked at
        self._known_paths: set[str] = set()
        self._vault = vault
        self._mask = pseudonymiser.mask
        self._row_pseudonymiser = RowPseudonymiser(pseudonymiser)
        self._validator = BatchValidator(
            settings=settings,
            lake=lake,
            ledger=ledger,
            row_pseudonymiser=self._row_pseudonymiser,
            not_after=not_after,
        )

    def run(self, listed: Sequence[Delivery]) -> Iterator[FileReport]:
        """Load the files in order, dataset by dataset."""
        for dataset, group in groupby(listed, key=lambda item: item.dataset):
            deliveries = list(group)
            if dataset in EVENTS:
                yield from self._load_events(dataset, deliveries)
            elif dataset in REGISTERS:
                yield from self._load_registers(dataset, deliveries)
            else:
                yield from map(_stray_report, deliveries)

    def _load_events(self, dataset: str, deliveries: Sequence[Delivery]) -> Iterator[FileReport]:
        waiting: list[ParsedFile] = []
        repeating = {load.digest: load for load in self._ledger.repeating_loads(dataset)}
        for delivery, stamp, digest in self._identified(dataset, deliveries):
            may_replace = self._may_replace(delivery)
            # A copy is known once the first is loaded, and so is what a correction replaces.
            if waiting and (may_replace or any(item.digest == digest for item in waiting)):
                yield from self._load(dataset, waiting)
                waiting = []
            again = repeating.pop(digest, None)
            known = digest in self._known_digests and again is None
            if known and (before := self._loaded_before(delivery, digest=digest)):
                yield before
                continue
            parsed = self._parse(delivery, digest=digest, stamp=stamp)
            if may_replace:
                yield from self._load(dataset, [self._with_targets(parsed)])
                continue
            if again is not None:
                yield from self._load(dataset, [_in_its_own_place(parsed, again)])
                continue
            waiting.append(parsed)
            if _count_rows(waiting) >= self._settings.ingest.batch_rows:
                yield from self._load(dataset, waiting)
                waiting = []
        if waiting:
            yield from self._load(dataset, waiting)

    def _identified(
        self, dataset: str, deliveries: Sequence[Delivery]
    ) -> Iterator[tuple[Delivery, str, str]]:
        """Each file with its stamp and digest; the ledger is asked for many files at a time."""
        for start in range(0, len(deliveries), FILES_AT_ONCE):
            files = deliveries[start : start + FILES_AT_ONCE]
            stamps = [item.stamp() for item in files]
            known = self._ledger.digests_by_stamp(stamps)
            digests = [
                known.get(stamp) or item.digest() for item, stamp in zip(files, stamps, strict=True)
            ]
            self._known_digests |= self._ledger.known_digests(dataset, digests)
            self._known_paths |= self._ledger.known_paths([item.path for item in files])
            for item, stamp, digest in zip(files, stamps, digests, strict=True):
                if item.stamp() == stamp:
                    yield item, stamp, digest
                else:  # touched while the others were read
                    touched = self._stamp_and_digest(item)
                    self._known_digests.add(touched[1])
                    yield item, *touched

    def _load_registers(self, dataset: str, deliveries: Sequence[Delivery]) -> Iterator[FileReport]:
        """Load the file of a register. Of several different ones none is loaded, unless it was
        before or somebody accepted it.
        """
        # The accepted one comes last, so that the others are on record when it takes their place.
        ordered = sorted(deliveries, key=lambda item: item.path in self._accepted)
        digests = {item.path: self._stamp_and_digest(item)[1] for item in ordered}
        first_of = {digests[item.path]: item.path for item in reversed(deliveries)}
        first_of |= {digests[path]: path for path in self._accepted & digests.keys()}
        firsts = [item for item in ordered if first_of[digests[item.path]] == item.path]
        undecided: list[ParsedFile] = []
        for delivery in firsts:
            digest = digests[delivery.path]
            others = [item.path for item in firsts if item is not delivery]
            if report := self._register_before(delivery, digest=digest, others=others):
                yield report
            else:
                undecided.append(self._parse(delivery, digest=digest, stamp=delivery.stamp()))
        unreadable = {item.delivery.path for item in undecided if item.problem}
        rivals = [item.path for item in firsts if item.path not in unreadable]
        for parsed in undecided:
            yield from self._load(dataset, [self._beside_rivals(parsed, rivals=rivals)])
        for delivery in ordered:
            if delivery in firsts:
                continue
            digest = digests[delivery.path]
            before = self._ledger.find_load(dataset=dataset, digest=digest)
            if before is not None:
                yield report_known_file(
                    before, path=delivery.path, why=f"the same file as {first_of[digest]}"
                )

    def _register_before(
        self, delivery: Delivery, *, digest: str, others: Sequence[str]
    ) -> FileReport | None:
        """The report of a register that is not loaded again: it stands, waits, or gave way to
        another file of the folder.
        """
        current = self._ledger.latest_load(delivery.dataset)
        before = self._ledger.find_load(dataset=delivery.dataset, digest=digest)
        gave_way = (
            before is not None
            and not before.reason
            and current is not None
            and current.digest != digest
            and current.path in others
            and delivery.path not in self._accepted
        )
        if gave_way and before is not None and current is not None:
            return report_known_file(before, path=delivery.path, why=f"replaced by {current.path}")
        return self._loaded_before(delivery, digest=digest, rivals=others)

    def _beside_rivals(self, parsed: ParsedFile, *, rivals: Sequence[str]) -> ParsedFile:
        """A register that has to wait for a choice between it and others, or takes their place."""
        delivery = parsed.delivery
        others = [path for path in rivals if path != delivery.path]
        if parsed.problem or not others:
            return parsed
        if delivery.path not in self._accepted:
            hold = hold_two_registers(delivery.path, dataset=delivery.dataset, others=others)
            return dataclasses.replace(parsed, hold=hold)
        loads = [load for path in others for load in self._ledger.loads_below(path)]
        targets = {load.path: load for load in loads if load.path in others}
        return dataclasses.replace(parsed, targets=tuple(targets.values()))

    def _stamp_and_digest(self, delivery: Delivery) -> tuple[str, str]:
        stamp = delivery.stamp()
        return stamp, self._ledger.digests_by_stamp([stamp]).get(stamp) or delivery.digest()

    def _may_replace(self, delivery: Delivery) -> bool:
        return (
            delivery.path in self._named_files
            or delivery.corrects
            or self._habits.replaces(delivery.dataset, delivery.source)
        )

    def _with_targets(self, parsed: ParsedFile) -> ParsedFile:
        delivery = parsed.delivery
        targets = find_targets(
            delivery,
            ledger=self._ledger,
            known=self._known,
            mask=self._mask,
            is_named=delivery.path in self._named_files,
            is_usual=self._habits.replaces(delivery.dataset, delivery.source),
        )
        return dataclasses.replace(
            parsed, targets=targets, is_named=delivery.path in self._named_files, earlier_rows=0
        )

    def _loaded_before(
        self, delivery: Delivery, *, digest: str, rivals: Sequence[str] = ()
    ) -> FileReport | None:
        """The report of a file that is not loaded again, None of one that is to be read."""
        before = self._ledger.find_load(dataset=delivery.dataset, digest=digest)
        if before is None:
            return None
        is_named = delivery.path in self._named_files or delivery.path in self._accepted
        why_gone = self._why_gone(before)
        if why_gone:
            return None if is_named else self._report_gone_rows(before, delivery, why=why_gone)
        if before.reason:  # held: the same file in another place may be right there
            again = self._retry_held or is_named or before.path != delivery.path
            again = again or self._ledger.is_gone(before)  # and lies there once more
            return None if again or _is_settled(before, delivery, rivals) else report_file(before)
        if delivery.dataset not in EVENTS and not self._is_current(before):
            return None
        if delivery.path in self._named_files and not self._took_its_place(before, delivery):
            return None
        why = f"already loaded as {before.path}"
        source = delivery.source if delivery.dataset in EVENTS else None
        return report_known_file(before, path=delivery.path, why=why, source=source)

    def _report_gone_rows(self, before: LoadedFile, delivery: Delivery, *, why: str) -> FileReport:
        known = report_known_file(before, path=delivery.path, why=why)
        if self._ledger.withdrawal(before) is None:
            return known
        remedy = f"If it belongs there, ingest the folder with --accept {delivery.path}."
        # Nothing of it is in the lake: its rows are left out, no duplicates.
        return dataclasses.replace(known, duplicates=0, skipped=known.rows, remedy=remedy)

    def _why_gone(self, before: LoadedFile) -> str:
        """Why the rows of a load are no longer in the lake; empty where they are."""
        replacement = self._ledger.replacement(before)
        if replacement is not None:
            return f"replaced by {replacement}"
        withdrawal = self._ledger.withdrawal(before)
        return f"taken out of the lake again: {withdrawal.why}" if withdrawal else ""

    def _took_its_place(self, before: LoadedFile, delivery: Delivery) -> bool:
        """Whether a file that is to replace what came before it has done so already, or need not: a
        register replaces by itself, and a copy of another file replaces nothing.
        """
        return (
            delivery.dataset not in EVENTS
            or before.path != delivery.path
            or self._ledger.has_replaced(before)
        )

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
        unread = ParsedFile(
            delivery=delivery,
            digest=digest,
            stamp=stamp,
            rows=None,
            is_accepted=delivery.path in self._accepted,
        )
        try:
            reading = self._parser.read(
                delivery.file, dataset=delivery.dataset, source=delivery.source
            )
        except DeliveryError as error:
            problem = delivery.with_masked_name(str(error))
            return dataclasses.replace(unread, problem=problem, remedy=error.remedy)
        reading = dataclasses.replace(
            reading,
            warnings=tuple(map(delivery.with_masked_name, reading.warnings)),
            notes=tuple(map(delivery.with_masked_name, reading.notes)),
        )
        if (
            delivery.stamp() != stamp
        ):  # neither digest nor rows can be trusted: the next run reads it anew
            return dataclasses.replace(
                unread,
                problem="the file changed while it was read",
                remedy="The next load reads it anew.",
                digest="",
                stamp="",
            )
        rows = reading.rows
        if rows.is_empty() and delivery.dataset in NEVER_EMPTY:
            return dataclasses.replace(
                unread,
                problem="the register holds no rows",
                remedy="Ask the source for the whole register; the one before stays in use.",
            )
        through = None
        if delivery.dataset == "cases" and self._through is not None:
            reported = rows.filter(
                (pl.col("reported_at") < end_of_day(self._through)).fill_null(value=True)
            )
            through, rows = (self._through if reported.height < rows.height else None), reported
        hold = delivery.day and hold_far_day(delivery.path, day=delivery.day, last=self._last_day)
        marked = rows.with_columns(
            pl.lit(delivery.path).alias("_file"),
            pl.lit(delivery.day, dtype=pl.Date).alias("_file_day"),
        )
        return dataclasses.replace(
            unread,
            rows=marked,
            through=through,
            reading=reading,
            hold=hold or None,
            earlier_rows=self._earlier_rows(delivery),
        )

    def _earlier_rows(self, delivery: Delivery) -> int:
        """Rows that were accepted from earlier files of this path."""
        if delivery.dataset not in EVENTS or delivery.path not in self._known_paths:
            return 0
        loads = {load.digest: load for load in self._ledger.loads_of_path(delivery.path)}
        return sum(load.accepted for load in loads.values() if not self._why_gone(load))

    def _load(self, dataset: str, parsed: Sequence[ParsedFile]) -> list[FileReport]:
        """Load one batch of files of a dataset, as a whole."""
        batch = self._ledger.next_batch()
        validated = self._validator.validate_batch(dataset, parsed)
        self._row_pseudonymiser.store_identifiers(self._vault)
        store_rejected_rows(
            validated.rejected,
            warned=validated.warned,
            warned_rows_kept=self._settings.ingest.warned_rows_kept,
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
            decisions=validated.decisions,
            undone=validated.undone,
            landing=self._landing,
        )
        self._ledger.commit(batch, delta_version=self._write(dataset, validated, batch=batch))
        self.decisions += validated.decisions
        self._known_digests.update(file.digest for file in validated.files)
        return [
            report_file(file, rejected=_findings_of(file, validated)) for file in validated.files
        ]

    def _write(self, dataset: str, validated: ValidatedBatch, *, batch: int) -> int | None:
        accepted = validated.accepted
        if validated.gone.height:
            return self._lake.amend(
                dataset, accepted, gone=validated.gone, batch=batch, at=self._received_at
            )
        if dataset in EVENTS:
            return self._lake.append(dataset, accepted, batch=batch) if accepted.height else None
        if all(
            file.reason for file in validated.files
        ):  # a held register leaves the old one in its place
            return None
        return self._lake.replace(dataset, accepted, batch=batch)


def _in_its_own_place(parsed: ParsedFile, before: LoadedFile) -> ParsedFile:
    """A file that is read again for rows that were duplicates: all its rows come anew, as it was
    taken before.
    """
    return dataclasses.replace(
        parsed, targets=(before,), earlier_rows=0, is_accepted=True, is_read_again=True
    )


def _stray_report(item: Delivery) -> FileReport:
    return report_file(unread_file(path=item.path, reason=item.problem, remedy=item.remedy))


def _is_settled(before: LoadedFile, delivery: Delivery, rivals: Sequence[str]) -> bool:
    """Whether what a file was held for has passed, though the file is the same."""
    return (before.held_for == "two_registers" and not rivals) or (
        before.held_for == "same_rows" and not delivery.is_new_source
    )


def _count_rows(parsed: Sequence[ParsedFile]) -> int:
    return sum(item.rows.height for item in parsed if item.rows is not None)


def _findings_of(file: LoadedFile, validated: ValidatedBatch) -> tuple[Finding, ...]:
    if not file.quarantined:
        return ()
    rejected = validated.rejected.filter(pl.col("_file") == file.path)
    return count_findings(rejected, dataset=file.dataset)
