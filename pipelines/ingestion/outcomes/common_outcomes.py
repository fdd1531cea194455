"""What befell deliveries most often lately, reason by reason and source by source."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import polars as pl

from data_contracts.words.remedies import FILE_CODES, load_remedies, remedy_of
from pipelines.ingestion.outcomes.quarantine import WARNED, count_reasons
from pipelines.settings import Settings
from pipelines.storage.ledger import Ledger, LoadedFile
from serving.vocabulary.reports import DeliveryOutcome, HeldFile

__all__ = ["describe_waiting_file", "most_common_outcomes"]

SHOWN = 10
LATELY = timedelta(days=1)  # before the newest load: those of a day come in many


def most_common_outcomes(
    settings: Settings, *, ledger: Ledger
) -> tuple[datetime | None, tuple[DeliveryOutcome, ...]]:
    """The ten most common outcomes, and the moment of the first load that they are of: files that
    wait, by their rows, and rows that were rejected or warned of.

    A file that cannot be read comes first: nobody knows how many rows it holds.
    """
    newest = ledger.newest_load_at()
    if newest is None:
        return None, ()
    loads = ledger.loads_received(since=newest - LATELY)
    sources = {file.path: file.source for _, _, file in loads}
    of_note = {batch for batch, _, file in loads if file.quarantined or file.warnings}
    counted = count_reasons(settings, batches=of_note)
    found = [*_of_files(ledger.held_files()), *_of_rows(counted, sources=sources)]
    found.sort(key=lambda one: (one.status != "unreadable", -one.rows, one.code, one.source))
    return min(received_at for _, received_at, _ in loads), tuple(found[:SHOWN])


def describe_waiting_file(file: LoadedFile) -> HeldFile:
    """A file that waits for somebody, as the engineers' page shows it."""
    return HeldFile(
        path=file.path,
        reason=file.reason,
        status="unreadable" if file.status == "unreadable" else "held",
        dataset=file.dataset,
        source=file.source,
        code=_file_code(file),
        remedy=file.remedy,
        rows=file.rows,
    )


def _file_code(file: LoadedFile) -> str:
    if file.dataset == "unknown":
        return f"{FILE_CODES}unknown"
    if file.status == "unreadable":
        return f"{FILE_CODES}unreadable"
    code = f"{FILE_CODES}{file.held_for}"
    return code if code in load_remedies() else f"{FILE_CODES}held"


def _of_files(files: Sequence[LoadedFile]) -> Iterator[DeliveryOutcome]:
    groups: dict[tuple[str, str, str], list[HeldFile]] = defaultdict(list)
    for file in map(describe_waiting_file, files):
        groups[file.dataset, file.source, file.code].append(file)
    for (dataset, source, code), members in groups.items():
        title = remedy_of(code).title
        yield DeliveryOutcome(
            dataset=dataset,
            source=source,
            status=members[0].status,
            code=code,
            zh=title.zh if title else code,
            en=title.en if title else code,
            rows=sum(file.rows for file in members),
            files=len(members),
            path=max(members, key=lambda file: file.rows).path,
        )


def _of_rows(counted: pl.DataFrame, *, sources: dict[str, str]) -> Iterator[DeliveryOutcome]:
    named = counted.with_columns(
        pl.col("path").replace_strict(sources, return_dtype=pl.String).alias("source")
    )
    keys = ("dataset", "source", "severity", "code", "zh", "en")
    added = named.group_by(*keys).agg(
        pl.col("rows").sum(),
        pl.len().alias("files"),
        pl.col("path").sort_by("rows", "path", descending=[True, False]).first(),
    )
    for row in added.iter_rows(named=True):
        severity = row.pop("severity")
        yield DeliveryOutcome(status="warning" if severity == WARNED else "rejected", **row)
