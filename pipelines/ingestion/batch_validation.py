"""What becomes of the rows of one batch of files: accepted, quarantined, duplicate, or held with
their whole file.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.errors import LakeError
from data_contracts.files.reading import Reading
from data_contracts.mappings.mapping import load_mapping
from data_contracts.quarantine import split_rows
from data_contracts.suites import add_warnings, check_rows
from pipelines.ingestion.deduplication import (
    ACCEPTED,
    CONFLICT,
    DUPLICATE,
    classify_duplicates,
    classify_latest,
)
from pipelines.ingestion.landing import Delivery
from pipelines.ingestion.pseudonymisation import (
    ROW_ORIGIN,
    RowPseudonymiser,
    compared_columns,
    record_key,
)
from pipelines.ingestion.quarantine import CONFLICT_CODE
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.storage.ledger import Arrival, FileStatus, LoadedFile
from pipelines.storage.schemas import DAY, EVENTS, MOMENT, TABLES

__all__ = ["BatchValidator", "ParsedFile", "ValidatedBatch"]

FILE_ID_DIGITS = 16
# Registers of which the last row of a key counts, and what no later row can change.
LAST_COUNTS = {"residents": ("sex", "birth_date")}


@dataclass(frozen=True, kw_only=True)
class ParsedFile:
    """A file that was read: its rows, or why there are none.

    ``rows`` are as ``read_delivery`` makes them, with ``_file`` (path in the landing folder) and
    ``_file_day`` (null for registers). ``through`` is set where rows reported after that day were
    left out; ``reading`` holds what else was found in the file.
    """

    delivery: Delivery
    digest: str
    stamp: str
    rows: pl.DataFrame | None
    problem: str = ""
    through: date | None = None
    reading: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class ValidatedBatch:
    """A batch ready to be loaded. ``accepted`` has the lake's schema, ``rejected`` is as
    ``split_rows`` makes it.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    held: tuple[str, ...]
    files: tuple[LoadedFile, ...]
    arrivals: tuple[Arrival, ...]


class BatchValidator:
    """Checks rows against their contract and against what the lake holds already; collects raw
    identifiers in ``row_pseudonymiser``.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        lake: Lake,
        row_pseudonymiser: RowPseudonymiser,
        not_after: datetime,
    ) -> None:
        self._settings = settings
        self._lake = lake
        self._row_pseudonymiser = row_pseudonymiser
        self._not_after = not_after

    def validate_batch(self, dataset: str, parsed: Sequence[ParsedFile]) -> ValidatedBatch:
        """Validate one batch of files of a dataset; raises ``LakeError`` if the counts do not add
        up to the rows.
        """
        readable = [item.rows for item in parsed if item.rows is not None]
        if not readable:
            return _empty_batch(dataset, parsed)
        rows = pl.concat(readable)
        result = check_rows(rows, contract=load_contract(dataset), received_at=self._not_after)
        rows = add_warnings(rows, result.warnings)
        good, bad = split_rows(rows, result.failures)
        held = self._files_to_hold(rows, bad=bad)
        good_rows = good.filter(~pl.col("_file").is_in(list(held)))
        accepted, classified = self._new_rows(dataset, good_rows, parsed=parsed)
        conflicts = classified.filter(pl.col("result") == CONFLICT).select(
            *ROW_ORIGIN, pl.lit([CONFLICT_CODE]).alias("reasons")
        )
        rejected = pl.concat([bad, split_rows(good_rows, conflicts)[1]], how="diagonal")
        if dataset in LAST_COUNTS:
            kept = good_rows.filter(classified["result"] != CONFLICT)
            parsed = [_with_warning_of_changes(item, kept) for item in parsed]
        files = tuple(_loaded_files(parsed, rejected=rejected, classified=classified, held=held))
        _check_row_counts(files, accepted=accepted.height)
        return ValidatedBatch(
            accepted=accepted.drop(ROW_ORIGIN),
            rejected=rejected,
            held=tuple(held),
            files=files,
            arrivals=tuple(_arrivals(dataset, accepted, parsed=parsed)),
        )

    def _files_to_hold(self, rows: pl.DataFrame, *, bad: pl.DataFrame) -> dict[str, str]:
        """Files with too large a share of bad rows, with the reason for holding each."""
        limit = self._settings.ingest.held_share
        sizes, bads = _count_by_file(rows), _count_by_file(bad)
        return {
            path: _holding_reason(
                bad.filter(pl.col("_file") == path), size=sizes[path], limit=limit
            )
            for path, number in bads.items()
            if number > limit * sizes[path]
        }

    def _new_rows(
        self, dataset: str, good_rows: pl.DataFrame, *, parsed: Sequence[ParsedFile]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The lake rows (with marks) of the good rows that are new, and the result on every good
        row.
        """
        files = self._file_descriptions(dataset, parsed)
        if dataset in EVENTS:
            keyed = self._row_pseudonymiser.to_lake_rows(dataset, good_rows, files=files)
            key, values = record_key(dataset), compared_columns(dataset)
            result = classify_duplicates(
                keyed,
                known=self._known_rows(dataset, keyed, columns=[*key, *values]),
                key=key,
                values=values,
            )
            return keyed.filter(result == ACCEPTED), good_rows.select(
                *ROW_ORIGIN, result.alias("result")
            )
        contract = load_contract(
            dataset
        )  # a register replaces what was there: only its own rows can clash
        if dataset in LAST_COUNTS:
            result = classify_latest(good_rows, key=contract.key, values=LAST_COUNTS[dataset])
        else:
            values = tuple(name for name in contract.schema if name not in contract.key)
            result = classify_duplicates(
                good_rows, known=good_rows.clear(), key=contract.key, values=values
            )
        accepted = self._row_pseudonymiser.to_lake_rows(
            dataset, good_rows.filter(result == ACCEPTED), files=files
        )
        return accepted, good_rows.select(*ROW_ORIGIN, result.alias("result"))

    def _known_rows(
        self, dataset: str, keyed: pl.DataFrame, *, columns: Sequence[str]
    ) -> pl.DataFrame:
        """What the lake holds under the keys of these rows."""
        if keyed.is_empty():
            return keyed.select(columns)
        days = (keyed[DAY].min(), keyed[DAY].max())
        stored_rows = self._lake.scan(dataset, days=days).filter(  # type: ignore[arg-type]
            pl.col(DAY).is_in(keyed[DAY].unique().implode())
        )
        keys = keyed.lazy().select(record_key(dataset)).unique()
        return (
            stored_rows.select(columns)
            .join(keys, on=record_key(dataset), how="semi")
            .collect(engine="streaming")
        )

    def _file_descriptions(self, dataset: str, parsed: Sequence[ParsedFile]) -> pl.DataFrame:
        """What the lake needs to know of each file, as ``RowPseudonymiser`` wants it."""
        delays = {
            source: self._delay(dataset, source)
            for source in {item.delivery.source for item in parsed}
        }
        described = [
            {
                "_file": item.delivery.path,
                "source": item.delivery.source,
                "file_id": item.digest[:FILE_ID_DIGITS],
                "delivered_at": item.delivery.delivered_at,
                "delay": delays[item.delivery.source],
            }
            for item in parsed
        ]
        kinds = {"_file": pl.String(), "source": pl.String(), "file_id": pl.String()}
        return pl.DataFrame(
            described, schema={**kinds, "delivered_at": MOMENT, "delay": pl.Duration("us")}
        )

    def _delay(self, dataset: str, source: str) -> timedelta:
        """The installation's setting, else what the source's mapping says."""
        set_here = self._settings.delay(dataset, source)
        if set_here is not None:
            return set_here
        return load_mapping(source, folder=self._settings.sources_folder).delay(dataset)


def _empty_batch(dataset: str, parsed: Sequence[ParsedFile]) -> ValidatedBatch:
    """The outcome for files of which none could be read."""
    none = pl.DataFrame(
        schema={
            "_file": pl.String,
            "_row": pl.Int64,
            "reasons": pl.List(pl.String),
            "row_json": pl.String,
        }
    )
    files = _loaded_files(
        parsed, rejected=none, classified=none.with_columns(pl.lit("").alias("result")), held={}
    )
    accepted = pl.DataFrame(schema=TABLES[dataset])
    return ValidatedBatch(
        accepted=accepted, rejected=none, held=(), files=tuple(files), arrivals=()
    )


def _count_by_file(rows: pl.DataFrame) -> dict[str, int]:
    return dict(rows.group_by("_file").len().iter_rows())


def _holding_reason(bad: pl.DataFrame, *, size: int, limit: float) -> str:
    codes = Counter(bad["reasons"].explode().to_list())
    most = ", ".join(f"{code} ({number})" for code, number in codes.most_common(3))
    return f"{bad.height} of {size} rows are bad, more than {limit:.0%}: {most}"


def _with_warning_of_changes(item: ParsedFile, rows: pl.DataFrame) -> ParsedFile:
    """``item`` with a warning of how many of its ``rows`` a later row of the same key replaces."""
    contract = load_contract(item.delivery.dataset)
    mine = rows.filter(pl.col("_file") == item.delivery.path).select(list(contract.schema)).unique()
    changed = mine.height - mine.select(contract.key).unique().height
    if not changed or item.reading is None:
        return item
    words = (
        "1 row is replaced by a later row of the same person"
        if changed == 1
        else f"{changed} rows are replaced by later rows of the same people"
    )
    reading = replace(item.reading, warnings=(*item.reading.warnings, words))
    return replace(item, reading=reading)


def _loaded_files(
    parsed: Sequence[ParsedFile],
    *,
    rejected: pl.DataFrame,
    classified: pl.DataFrame,
    held: Mapping[str, str],
) -> Iterator[LoadedFile]:
    """Count each file's rows by what became of them."""
    quarantined = _count_by_file(rejected)
    accepted, duplicates = (
        _count_by_file(classified.filter(pl.col("result") == result))
        for result in (ACCEPTED, DUPLICATE)
    )
    for item in parsed:
        path, is_held = item.delivery.path, item.delivery.path in held
        skipped = 0 if item.reading is None or is_held else sum(item.reading.skipped.values())
        size = 0 if item.rows is None else item.rows.height + skipped
        yield LoadedFile(
            path=path,
            dataset=item.delivery.dataset,
            source=item.delivery.source,
            digest=item.digest,
            stamp=item.stamp,
            through=item.through,
            rows=size,
            accepted=accepted.get(path, 0),
            quarantined=0 if is_held else quarantined.get(path, 0),
            duplicates=duplicates.get(path, 0),
            skipped=skipped,
            held=size if is_held else 0,
            status=_status(item, held=is_held, quarantined=quarantined.get(path, 0)),
            reason=held.get(path, item.problem),
            warnings=_warnings(item.reading),
            notes=() if item.reading is None else item.reading.notes,
        )


def _status(item: ParsedFile, *, held: bool, quarantined: int) -> FileStatus:
    if item.problem:
        return "unreadable"
    if held:
        return "held"
    return "partly" if quarantined else "accepted"


def _warnings(reading: Reading | None) -> tuple[str, ...]:
    """What somebody should read of a file: its warnings, and what its mapping left out."""
    if reading is None:
        return ()
    left_out = (f"{rows} rows left out: {reason}" for reason, rows in reading.skipped.items())
    return (*reading.warnings, *left_out)


def _check_row_counts(files: Sequence[LoadedFile], *, accepted: int) -> None:
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


def _arrivals(
    dataset: str, accepted: pl.DataFrame, *, parsed: Sequence[ParsedFile]
) -> Iterator[Arrival]:
    """Accepted rows by file and event day; of a register by file alone."""
    source_of = {item.delivery.path: item.delivery.source for item in parsed}
    day = pl.col(DAY) if dataset in EVENTS else pl.lit(None, dtype=pl.Date).alias(DAY)
    known_at = pl.col("known_at") if "known_at" in accepted.columns else pl.lit(None, dtype=MOMENT)
    grouped = accepted.group_by("_file", day).agg(pl.len(), known_at.max().alias("known_until"))
    for path, event_day, number, known_until in grouped.sort("_file", DAY).iter_rows():
        yield Arrival(
            source=source_of[path],
            event_day=event_day,
            path=path,
            rows=number,
            known_until=known_until,
        )
