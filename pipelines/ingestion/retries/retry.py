"""Tries rejected rows again: what a mapping, a rule or a setting mended goes into the lake, what
still fails stays in quarantine as it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from data_contracts.contract import dataset_names
from data_contracts.errors import LakeError, SettingsError
from pipelines.clock import end_of_day
from pipelines.ingestion.batch_validation import BatchValidator, ValidatedBatch
from pipelines.ingestion.ingest import recover_loads
from pipelines.ingestion.landing.deliveries import describe_path
from pipelines.ingestion.outcomes.findings import Finding, count_findings
from pipelines.ingestion.outcomes.quarantine import store_rejected_rows
from pipelines.ingestion.parsing.parser_process import Parser, lend_parser
from pipelines.ingestion.pseudonymisation import RowPseudonymiser, load_pseudonymiser
from pipelines.ingestion.retries.rereading import (
    RejectedRows,
    RereadFile,
    find_rejected_rows,
    read_again,
)
from pipelines.settings import Settings
from pipelines.storage.installation.vault import Vault
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS, REGISTERS
from pipelines.storage.ledger import Ledger
from pipelines.storage.ledger_retries import Retry
from pipelines.storage.score_log import ScoreLog

__all__ = ["RetriedFile", "RetryReport", "retry_quarantine"]


@dataclass(frozen=True, kw_only=True)
class RetriedFile:
    """What became of the rejected rows of one load of a file: ``retried`` = accepted + duplicates +
    skipped + rejected. ``skipped`` are left out, ``rejected`` are still in quarantine for
    ``reasons``; ``problems`` say why some could not be read at all.
    """

    path: str
    dataset: str
    source: str
    retried: int
    accepted: int
    duplicates: int
    skipped: int
    rejected: int
    reasons: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RetryReport:
    """What one retry did, file by file, and the lake's version after it."""

    files: tuple[RetriedFile, ...]
    version: str


def retry_quarantine(
    settings: Settings,
    *,
    received_at: datetime,
    dataset: str | None = None,
    parser: Parser | None = None,
) -> RetryReport:
    """Read the rejected rows of all files that are not held, or of one ``dataset``, and load those
    that can be taken now.

    Files that were replaced since are left alone, and registers of which a newer one stands. A row
    counts as known when it would have been, but not before the last scores were published.
    ``parser`` reads the rows and goes on running afterwards.

    Raises ``SettingsError`` if there is no such dataset, ``LakeError`` if a load is running or the
    vault's key is another.
    """
    if dataset is not None and dataset not in dataset_names():
        raise SettingsError(
            f"there is no dataset {dataset}", remedy=f"Choose one of {', '.join(dataset_names())}."
        )
    lake = Lake.of(settings)
    ledger = Ledger(settings.lake_folder / "ledger.db")
    with lake.locked(), lend_parser(parser, settings=settings) as reader:
        recover_loads(settings, lake=lake, ledger=ledger, at=received_at)
        found = find_rejected_rows(settings, ledger=ledger, dataset=dataset)
        run = _RetryRun(
            settings=settings,
            lake=lake,
            ledger=ledger,
            parser=reader,
            received_at=received_at,
            not_after=_newest_moment(found, ledger=ledger, received_at=received_at),
        )
        files = tuple(run.run(found))
        return RetryReport(files=files, version=lake.version())


def _newest_moment(
    found: Sequence[RejectedRows], *, ledger: Ledger, received_at: datetime
) -> datetime:
    """The moment of the retry, or the end of the last day delivered if that is later."""
    days = [describe_path(one.load.path).day for one in found]
    days.append(ledger.newest_day())
    return max([received_at, *(end_of_day(day) for day in days if day)])


class _RetryRun:
    """One retry with everything it needs."""

    def __init__(
        self,
        *,
        settings: Settings,
        lake: Lake,
        ledger: Ledger,
        parser: Parser,
        received_at: datetime,
        not_after: datetime,
    ) -> None:
        self._settings = settings
        self._lake = lake
        self._ledger = ledger
        self._parser = parser
        self._received_at = received_at
        self._vault = Vault.open(settings)
        self._published_at = ScoreLog(settings.scores_folder).newest_run()
        self._row_pseudonymiser = RowPseudonymiser(load_pseudonymiser(settings))
        self._validator = BatchValidator(
            settings=settings,
            lake=lake,
            ledger=ledger,
            row_pseudonymiser=self._row_pseudonymiser,
            not_after=not_after,
            adds_to_registers=True,
        )

    def run(self, found: Sequence[RejectedRows]) -> Iterator[RetriedFile]:
        """Try the rows again, dataset by dataset."""
        for dataset in (*REGISTERS, *EVENTS):
            mine = [one for one in found if one.load.dataset == dataset]
            for batch in self._batches(mine):
                yield from self._retry(dataset, batch)

    def _batches(self, found: Sequence[RejectedRows]) -> Iterator[list[RejectedRows]]:
        """Loads that are tried together: a path once, a register alone, and not too many rows."""
        waiting: list[RejectedRows] = []
        for one in found:
            rows = sum(item.rows.height for item in waiting)
            again = any(item.load.path == one.load.path for item in waiting)
            is_full = rows >= self._settings.ingest.batch_rows or one.load.dataset in REGISTERS
            if waiting and (again or is_full):
                yield waiting
                waiting = []
            waiting.append(one)
        if waiting:
            yield waiting

    def _retry(self, dataset: str, found: Sequence[RejectedRows]) -> list[RetriedFile]:
        reread = [
            read_again(one, parser=self._parser, vault=self._vault, known_from=self._published_at)
            for one in found
        ]
        validated = self._validator.validate_batch(dataset, [item.parsed for item in reread])
        retries = [_count(item, validated) for item in reread]
        if any(retry.rows for retry in retries):
            self._load(dataset, validated, retries=[retry for retry in retries if retry.rows])
        self._row_pseudonymiser.forget_identifiers()
        return [
            _report(item, retry=retry, validated=validated)
            for item, retry in zip(reread, retries, strict=True)
        ]

    def _load(self, dataset: str, validated: ValidatedBatch, *, retries: Sequence[Retry]) -> None:
        """Load what can be taken now as one batch, in the two steps of every load."""
        batch = self._ledger.next_batch()
        accepted = validated.accepted
        if dataset in REGISTERS:
            accepted = pl.concat([self._lake.scan(dataset).collect(), accepted])
        if dataset == "subscribers":
            self._row_pseudonymiser.collect_holders(accepted)
        self._row_pseudonymiser.store_identifiers(self._vault)
        store_rejected_rows(
            validated.rejected.clear(),
            warned=validated.warned,
            warned_rows_kept=self._settings.ingest.warned_rows_kept,
            dataset=dataset,
            batch=batch,
            held=(),
            received_at=self._received_at,
            folder=self._settings.quarantine_folder,
            vault=self._vault,
        )
        self._ledger.prepare(
            batch,
            dataset=dataset,
            files=(),
            arrivals=validated.arrivals,
            received_at=self._received_at,
            decisions=[one for one in validated.decisions if one.kind != "accept"],
            undone=validated.undone,
            retries=retries,
        )
        version = self._write(dataset, accepted, validated=validated, batch=batch)
        self._ledger.commit(batch, delta_version=version)

    def _write(
        self, dataset: str, accepted: pl.DataFrame, *, validated: ValidatedBatch, batch: int
    ) -> int | None:
        if validated.gone.height:
            return self._lake.amend(
                dataset, accepted, gone=validated.gone, batch=batch, at=self._received_at
            )
        if validated.accepted.is_empty():
            return None
        if dataset in EVENTS:
            return self._lake.append(dataset, accepted, batch=batch)
        return self._lake.replace(dataset, accepted, batch=batch)


def _count(item: RereadFile, validated: ValidatedBatch) -> Retry:
    """Which rows leave the quarantine, and for what."""
    path = item.rejected.load.path
    (counts,) = (file for file in validated.files if file.path == path)
    still = validated.rejected.filter(pl.col("_file") == path)["_row"].to_list()
    stays = {*item.unread, *still}
    left = tuple(number for number in item.rejected.rows["row"] if number not in stays)
    if len(left) != counts.accepted + counts.duplicates + counts.skipped:
        raise LakeError(
            f"retried rows of {path} do not add up",
            remedy="Nothing was loaded of them; report this as a fault.",
        )
    return Retry(
        path=path,
        of_batch=item.rejected.batch,
        accepted=counts.accepted,
        duplicates=counts.duplicates,
        skipped=counts.skipped,
        rows=left,
    )


def _report(item: RereadFile, *, retry: Retry, validated: ValidatedBatch) -> RetriedFile:
    load, rows = item.rejected.load, item.rejected.rows
    return RetriedFile(
        path=load.path,
        dataset=load.dataset,
        source=load.source,
        retried=rows.height,
        accepted=retry.accepted,
        duplicates=retry.duplicates,
        skipped=retry.skipped,
        rejected=rows.height - len(retry.rows),
        reasons=_reasons_left(item, validated=validated),
        problems=item.problems,
    )


def _reasons_left(item: RereadFile, *, validated: ValidatedBatch) -> tuple[Finding, ...]:
    """Why rows are still rejected: as found now, and of rows that were not read as it was."""
    found = validated.rejected.filter(pl.col("_file") == item.rejected.load.path)
    unread = item.rejected.rows.filter(pl.col("row").is_in(item.unread))
    rows = pl.concat(
        [found.select("_row", "reasons"), unread.select(pl.col("row").alias("_row"), "reasons")]
    )
    return count_findings(rows, dataset=item.rejected.load.dataset)
