"""Rejected rows of one load, opened and read anew as a file would be read today."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from data_contracts.errors import DeliveryError
from data_contracts.files.kept_rows import KeptRow
from data_contracts.files.read_result import Reading
from data_contracts.mappings.translation.tables import SIGNS_REPEAT
from pipelines.clock import end_of_day
from pipelines.ingestion.landing.deliveries import Delivery, describe_path
from pipelines.ingestion.outcomes.quarantine import sealed_rows
from pipelines.ingestion.parsed_files import ParsedFile
from pipelines.ingestion.parsing.parser_process import Parser
from pipelines.settings import Settings
from pipelines.storage.installation.vault import Vault
from pipelines.storage.ledger import Ledger, LoadedFile

__all__ = ["RejectedRows", "RereadFile", "find_rejected_rows", "read_again"]


@dataclass(frozen=True, kw_only=True)
class RejectedRows:
    """The rows that the load of a file in ``batch`` rejected and that are still in quarantine:
    ``row``, ``reasons``, ``sealed``, ``is_delivered``.
    """

    batch: int
    load: LoadedFile
    rows: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class RereadFile:
    """Rejected rows as they read today. ``parsed`` holds those that could be read, ``unread`` are
    the numbers of the others, ``problems`` say why.
    """

    rejected: RejectedRows
    parsed: ParsedFile
    unread: tuple[int, ...]
    problems: tuple[str, ...]


def find_rejected_rows(
    settings: Settings, *, ledger: Ledger, dataset: str | None
) -> list[RejectedRows]:
    """What may be tried again, in the order of loading."""
    sealed = sealed_rows(settings, dataset=dataset)
    loads = ledger.loads_in(set(sealed["batch"].to_list()))
    return [
        RejectedRows(batch=batch, load=loads[batch, path], rows=rows)
        for (batch, path), rows in sealed.partition_by(
            "batch", "path", as_dict=True, maintain_order=True
        ).items()
        if (batch, path) in loads
    ]


def read_again(
    rejected: RejectedRows, *, parser: Parser, vault: Vault, known_from: datetime | None
) -> RereadFile:
    """Open the rows and read them; of events nothing counts as known before ``known_from``."""
    load = rejected.load
    kept = list(_opened(rejected, vault=vault))
    delivery = _delivery(load, known_from=known_from)
    try:
        again = parser.read_again(
            kept,
            name=load.path.rpartition("/")[2],
            dataset=load.dataset,
            source=load.source,
            signs_repeat=any(note.endswith(SIGNS_REPEAT) for note in load.notes),
        )
    except DeliveryError as error:
        return RereadFile(
            rejected=rejected,
            parsed=_parsed(load, delivery=delivery, reading=None),
            unread=tuple(row.number for row in kept),
            problems=(f"{error} {error.remedy}".strip(),),
        )
    reading, late = _reported_in_time(again.reading, load=load)
    return RereadFile(
        rejected=rejected,
        parsed=_parsed(load, delivery=delivery, reading=reading),
        unread=(*again.unread, *late),
        problems=again.problems,
    )


def _opened(rejected: RejectedRows, *, vault: Vault) -> Iterator[KeptRow]:
    columns = ("row", "sealed", "is_delivered")
    for number, sealed, is_delivered in rejected.rows.select(columns).iter_rows():
        said = vault.unseal(sealed, bound_to=f"{rejected.load.path}#{number}")
        yield KeptRow(number=number, row_json=said, is_delivered=is_delivered)


def _delivery(load: LoadedFile, *, known_from: datetime | None) -> Delivery:
    """The file as it was loaded, but for the moment from which its rows can be known."""
    said = describe_path(load.path)
    moments = [moment for moment in (said.delivered_at, known_from) if moment is not None]
    return replace(
        said,
        dataset=load.dataset,
        source=load.source,
        delivered_at=max(moments) if said.delivered_at is not None else None,
        is_whole_day=False,
        is_new_source=False,
        is_unfamiliar=False,
        corrects=False,
        note="",
        problem="",
    )


def _reported_in_time(reading: Reading, *, load: LoadedFile) -> tuple[Reading, Sequence[int]]:
    """The rows without those of a case file that its load left out for their date, and these."""
    if load.dataset != "cases" or load.through is None:
        return reading, ()
    end = end_of_day(load.through)
    is_late = (pl.col("reported_at") >= end).fill_null(value=False)
    late = reading.rows.filter(is_late)["_row"].to_list()
    return replace(reading, rows=reading.rows.filter(~is_late)), late


def _parsed(load: LoadedFile, *, delivery: Delivery, reading: Reading | None) -> ParsedFile:
    """The rows as a file of a batch that is held for nothing."""
    own = (
        pl.lit(load.path).alias("_file"),
        pl.lit(delivery.day, dtype=pl.Date).alias("_file_day"),
    )
    return ParsedFile(
        delivery=delivery,
        digest=load.digest,
        stamp=load.stamp,
        rows=None if reading is None else reading.rows.with_columns(own),
        through=load.through,
        reading=reading,
        is_accepted=True,
    )
