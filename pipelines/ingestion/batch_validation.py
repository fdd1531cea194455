"""What becomes of the rows of one batch of files: accepted, quarantined, duplicate, left out, or
held with their whole file.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.suites import add_warnings, check_rows, split_rows
from data_contracts.words.counts import choose_form, count_things
from data_contracts.words.rejection_words import CONFLICT_CODE, UNMATCHED_CODE
from pipelines.clock import end_of_day
from pipelines.ingestion.amendments import UNMATCHED, with_reversals_marked
from pipelines.ingestion.deduplication import (
    CONFLICT,
    DUPLICATE,
)
from pipelines.ingestion.event_rows import ClassifiedRows, EventClassifier
from pipelines.ingestion.parsed_files import (
    ParsedFile,
    check_row_counts,
    count_by_file,
    count_files,
)
from pipelines.ingestion.pseudonymisation import ROW_ORIGIN, RowPseudonymiser, record_key
from pipelines.ingestion.register_rows import LAST_COUNTS, classify_register
from pipelines.ingestion.source_habits import SourceHabits
from pipelines.ingestion.waiting_files import (
    VOLUME_PAST,
    Hold,
    hold_bad_files,
    hold_cut_digits,
    hold_fewer_rows,
    hold_other_values,
    hold_same_rows,
    hold_short_correction,
    warn_of_volume,
)
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import DAY, EVENTS, MOMENT, TABLES
from pipelines.storage.ledger import (
    FILE_ID_DIGITS,
    Arrival,
    Decision,
    Ledger,
    LoadedFile,
    UndoneRow,
)

__all__ = ["BatchValidator", "ValidatedBatch"]

ACCOUNT_COLUMNS = {"transfers": ("account_id", "peer_account"), "accounts": ("account_id",)}
REJECTED = {CONFLICT: CONFLICT_CODE, UNMATCHED: UNMATCHED_CODE}


@dataclass(frozen=True, kw_only=True)
class ValidatedBatch:
    """A batch ready to be loaded. ``accepted`` has the lake's schema, as do the rows ``gone`` that
    leave the lake; ``rejected`` is as ``split_rows`` makes it, as are the accepted rows that are
    ``warned`` of.
    """

    accepted: pl.DataFrame
    gone: pl.DataFrame
    rejected: pl.DataFrame
    warned: pl.DataFrame
    held: tuple[str, ...]
    files: tuple[LoadedFile, ...]
    arrivals: tuple[Arrival, ...]
    decisions: tuple[Decision, ...] = ()
    undone: tuple[UndoneRow, ...] = ()


class BatchValidator:
    """Checks rows against their contract and against what the lake holds already; collects raw
    identifiers in ``row_pseudonymiser``. Registers replace those in the lake, or with
    ``adds_to_registers`` are added to them.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        lake: Lake,
        ledger: Ledger,
        row_pseudonymiser: RowPseudonymiser,
        not_after: datetime,
        adds_to_registers: bool = False,
    ) -> None:
        self._settings = settings
        self._lake = lake
        self._ledger = ledger
        self._row_pseudonymiser = row_pseudonymiser
        self._not_after = not_after
        self._habits = SourceHabits(settings)
        self._adds_to_registers = adds_to_registers
        self._events = EventClassifier(settings=settings, lake=lake, ledger=ledger)

    def validate_batch(self, dataset: str, parsed: Sequence[ParsedFile]) -> ValidatedBatch:
        """Validate one batch of files of a dataset; raises ``LakeError`` if the counts do not add
        up to the rows.
        """
        readable = [item.rows for item in parsed if item.rows is not None]
        if not readable:
            return _empty_batch(dataset, parsed)
        rows = pl.concat(readable)
        if dataset == "transfers":
            rows = with_reversals_marked(rows)
        result = check_rows(rows, contract=load_contract(dataset), received_at=self._not_after)
        rows = add_warnings(rows, result.warnings)
        good, bad = _split(rows, result.failures)
        waiting = _Holds(parsed)
        waiting.add(self._holds_before(dataset, rows, bad=bad, parsed=parsed))
        found, refused = self._classify_until_settled(dataset, good, bad=bad, waiting=waiting)
        rejected = pl.concat([bad, refused], how="diagonal")
        warned = _warned_rows(rows, found)
        if dataset in LAST_COUNTS:
            unrefused = found.outcomes.filter(pl.col("result") != CONFLICT)
            kept = good.join(unrefused, on=ROW_ORIGIN, how="semi", maintain_order="left")
            parsed = [_with_warning_of_changes(item, kept) for item in parsed]
        files = tuple(
            count_files(parsed, rejected=rejected, found=found, warned=warned, held=waiting.held)
        )
        check_row_counts(files, accepted=found.accepted.height)
        arrivals = tuple(self._arrivals(dataset, found, parsed=parsed))
        return ValidatedBatch(
            accepted=found.accepted.drop(ROW_ORIGIN),
            gone=found.gone,
            rejected=rejected,
            warned=warned,
            held=tuple(waiting.held),
            files=self._with_volume_warnings(dataset, files, arrivals=arrivals, parsed=parsed),
            arrivals=arrivals,
            decisions=(*waiting.decisions, *self._amendments(dataset, found, waiting=waiting)),
            undone=found.undone,
        )

    def _holds_before(
        self, dataset: str, rows: pl.DataFrame, *, bad: pl.DataFrame, parsed: Sequence[ParsedFile]
    ) -> dict[str, Hold]:
        """Files that have to wait whatever the lake holds."""
        limits = self._settings.ingest
        columns = ACCOUNT_COLUMNS.get(dataset, ())
        return {
            **hold_cut_digits(rows, columns=columns, limits=limits),
            **hold_bad_files(count_by_file(rows), bad=bad, limits=limits),
            **{item.delivery.path: item.hold for item in parsed if item.hold is not None},
        }

    def _classify_until_settled(
        self, dataset: str, good: pl.DataFrame, *, bad: pl.DataFrame, waiting: "_Holds"
    ) -> tuple[ClassifiedRows, pl.DataFrame]:
        """Classify the rows of the files that are not held, anew without those that have to wait
        for what was found; return also the refused rows, those of held files among them.
        """
        refused_of_held: list[pl.DataFrame] = []
        while True:
            kept = good.filter(~pl.col("_file").is_in(list(waiting.held)))
            found = self._classify(dataset, kept, parsed=waiting.parsed)
            refused = _refused_rows(kept, found.outcomes)
            held = waiting.add(
                self._holds_after(dataset, found, refused=refused, bad=bad, waiting=waiting)
            )
            if not held:
                return found, pl.concat([*refused_of_held, refused], how="diagonal")
            refused_of_held.append(refused.filter(pl.col("_file").is_in(held)))
            self._row_pseudonymiser.forget_identifiers()

    def _classify(
        self, dataset: str, rows: pl.DataFrame, *, parsed: Sequence[ParsedFile]
    ) -> ClassifiedRows:
        files = self._file_descriptions(dataset, parsed)
        if dataset in EVENTS:
            keyed = self._row_pseudonymiser.to_lake_rows(dataset, rows, files=files)
            if "_reversal" in rows.columns:
                keyed = keyed.hstack(rows.select("_reversal", "_negative"))
            present = set(rows["_file"].unique())
            replaced = {
                file_id
                for item in parsed
                if item.delivery.path in present
                for file_id in item.replaced_ids
            }
            corrects = not any(item.is_read_again for item in parsed)
            found = self._events.classify(dataset, keyed, replaced=replaced, corrects=corrects)
            own = [name for name in ("_reversal", "_negative") if name in keyed.columns]
            return replace(found, accepted=found.accepted.drop(own))
        return classify_register(
            dataset,
            rows,
            files=files,
            row_pseudonymiser=self._row_pseudonymiser,
            entries=self._lake.scan(dataset).collect() if self._adds_to_registers else None,
        )

    def _holds_after(
        self,
        dataset: str,
        found: ClassifiedRows,
        *,
        refused: pl.DataFrame,
        bad: pl.DataFrame,
        waiting: "_Holds",
    ) -> dict[str, Hold]:
        """Files that have to wait for what they are beside the lake and the other files."""
        limits = self._settings.ingest
        sizes = waiting.sizes
        if dataset not in EVENTS:
            return self._hold_fewer_rows(dataset, found, waiting=waiting)
        is_conflict = pl.col("reasons").list.contains(CONFLICT_CODE)
        conflicts = refused.filter(is_conflict)
        unmatched = refused.filter(~is_conflict)
        all_bad = pl.concat([bad, unmatched], how="diagonal") if unmatched.height else bad.clear()
        new_sources = {
            item.delivery.path: item.delivery.source
            for item in waiting.parsed
            if item.delivery.is_new_source
        }
        repeats = found.outcomes.filter(pl.col("result") == DUPLICATE)
        short = (self._hold_short_correction(item, found) for item in waiting.parsed)
        return {
            **hold_bad_files(sizes, bad=all_bad, limits=limits, are_all_enough=False),
            **hold_other_values(sizes, bad=bad, conflicts=conflicts, limits=limits),
            **hold_same_rows(sizes, repeats=repeats, new_sources=new_sources, limits=limits),
            **{path: hold for path, hold in short if hold is not None},
        }

    def _hold_fewer_rows(
        self, dataset: str, found: ClassifiedRows, *, waiting: "_Holds"
    ) -> dict[str, Hold]:
        (item,) = waiting.parsed
        path = item.delivery.path
        if path in waiting.held or item.rows is None:
            return {}
        key = record_key(dataset)[0]
        entries = self._lake.scan(dataset)
        if dataset == "cases" and item.through is not None:
            end = end_of_day(item.through)
            entries = entries.filter(pl.col("reported_at") < end)
        before = entries.select(key).unique().collect()
        hold = hold_fewer_rows(
            path,
            dataset=dataset,
            before=before.height,
            missing=before.join(found.accepted, on=key, how="anti").height,
            rows=item.rows.height,
            limits=self._settings.ingest,
        )
        return {} if hold is None else {path: hold}

    def _hold_short_correction(
        self, item: ParsedFile, found: ClassifiedRows
    ) -> tuple[str, Hold | None]:
        path = item.delivery.path
        if item.is_named or item.rows is None or not item.targets:
            return path, None
        replaced = found.gone.filter(pl.col("file_id").is_in(list(item.replaced_ids))).height
        return path, hold_short_correction(
            path, rows=item.rows.height, replaced=replaced, limits=self._settings.ingest
        )

    def _amendments(
        self, dataset: str, found: ClassifiedRows, *, waiting: "_Holds"
    ) -> Iterator[Decision]:
        """What left the lake, and for which file."""
        gone = Counter(found.gone["file_id"].to_list()) if found.gone.height else Counter()
        for item in waiting.parsed:
            if item.rows is None or item.delivery.path in waiting.held:
                continue
            for target in item.targets:
                yield Decision(
                    kind="replace",
                    path=item.delivery.path,
                    target_path=target.path,
                    target_digest=target.digest,
                    rows=gone[target.digest[:FILE_ID_DIGITS]],
                )
        yield from self._partial_amendments(dataset, found, waiting=waiting)

    def _partial_amendments(
        self, dataset: str, found: ClassifiedRows, *, waiting: "_Holds"
    ) -> Iterator[Decision]:
        """Rows of files that stay otherwise: undone by a reversal, or given way to a correction."""
        if found.gone.is_empty():
            return
        left = Counter(found.gone["file_id"].to_list())
        pairs: Counter[tuple[str, str]] = Counter()
        if found.undoing is not None:
            pairs.update(found.undoing.select("_file", "file_id").iter_rows())
        for item in waiting.parsed:
            for file_id in left.keys() - item.replaced_ids if item.targets else ():
                given_way = left[file_id] - pairs[item.delivery.path, file_id]
                pairs[item.delivery.path, file_id] += given_way
        loads = self._ledger.loads_of_files(dataset, {file_id for _, file_id in pairs})
        for (path, file_id), number in sorted(pairs.items()):
            if number:
                yield Decision(
                    kind="undo",
                    path=path,
                    target_path=loads[file_id].path,
                    target_digest=loads[file_id].digest,
                    rows=number,
                )

    def _arrivals(
        self, dataset: str, found: ClassifiedRows, *, parsed: Sequence[ParsedFile]
    ) -> Iterator[Arrival]:
        """Accepted rows by file and event day; of a register by file alone. What left the lake
        counts below zero.
        """
        source_of = {item.delivery.path: item.delivery.source for item in parsed}
        accepted = found.accepted
        day = pl.col(DAY) if dataset in EVENTS else pl.lit(None, dtype=pl.Date).alias(DAY)
        known_at = (
            pl.col("known_at") if "known_at" in accepted.columns else pl.lit(None, dtype=MOMENT)
        )
        grouped = accepted.group_by("_file", day).agg(pl.len(), known_at.max().alias("known_until"))
        for path, event_day, number, known_until in grouped.sort("_file", DAY).iter_rows():
            yield Arrival(
                source=source_of[path],
                event_day=event_day,
                path=path,
                rows=number,
                known_until=known_until,
            )
        if found.gone.is_empty():
            return
        loads = self._ledger.loads_of_files(dataset, found.gone["file_id"].unique())
        left = found.gone.group_by("file_id", "source", DAY).len().sort("file_id", "source", DAY)
        for file_id, source, event_day, number in left.iter_rows():
            yield Arrival(
                source=source,
                event_day=event_day,
                path=loads[file_id].path,
                rows=-number,
                known_until=None,
            )

    def _with_volume_warnings(
        self,
        dataset: str,
        files: tuple[LoadedFile, ...],
        *,
        arrivals: Sequence[Arrival],
        parsed: Sequence[ParsedFile],
    ) -> tuple[LoadedFile, ...]:
        deliveries = [item.delivery for item in parsed]
        whole_days = {item.path: item.day for item in deliveries if item.day and item.is_whole_day}
        if not whole_days:
            return files
        since = min(whole_days.values()) - VOLUME_PAST
        said = dict(
            warn_of_volume(
                files,
                whole_days=whole_days,
                arrivals=arrivals,
                history=self._ledger.daily_rows(dataset, since=since),
                limits=self._settings.ingest,
            )
        )
        return tuple(
            replace(file, warnings=(*file.warnings, said[file.path])) if file.path in said else file
            for file in files
        )

    def _file_descriptions(self, dataset: str, parsed: Sequence[ParsedFile]) -> pl.DataFrame:
        """What the lake needs to know of each file, as ``RowPseudonymiser`` wants it."""
        delays = {
            source: self._habits.delay(dataset, source)
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


class _Holds:
    """The files of a batch that have to wait, with the reason; who was accepted as it is does not,
    and that is a decision.
    """

    def __init__(self, parsed: Sequence[ParsedFile]) -> None:
        self.parsed = parsed
        self.sizes = {
            item.delivery.path: item.rows.height for item in parsed if item.rows is not None
        }
        self.held: dict[str, Hold] = {}
        self.decisions: list[Decision] = []
        self._accepted = {item.delivery.path for item in parsed if item.is_accepted}

    def add(self, holds: Mapping[str, Hold]) -> list[str]:
        """Hold these files; return the paths of those that were not held before."""
        new = {path: hold for path, hold in holds.items() if path not in self.held}
        for path in self._accepted & new.keys():
            self.decisions.append(Decision(kind="accept", path=path, why=new.pop(path).reason))
            self._accepted.remove(path)
        waived = {item.path for item in self.decisions}
        new = {path: hold for path, hold in new.items() if path not in waived}
        self.held.update(new)
        return list(new)


def _split(rows: pl.DataFrame, failures: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``split_rows``, with the amounts of rejected rows as they were delivered."""
    good, bad = split_rows(rows, failures)
    if "_negative" not in rows.columns or not rows["_negative"].any():
        return good, bad
    amount = pl.col("amount")
    delivered = rows.join(failures, on=ROW_ORIGIN, how="semi", maintain_order="left").with_columns(
        pl.when("_negative").then(-amount).otherwise(amount).alias("amount")
    )
    return good, split_rows(delivered, failures)[1]


def _refused_rows(rows: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """The good rows that are rejected for what came before them, with the reason."""
    refused = outcomes.filter(pl.col("result").is_in(list(REJECTED))).select(
        *ROW_ORIGIN, pl.concat_list(pl.col("result").replace_strict(REJECTED)).alias("reasons")
    )
    return _split(rows, refused)[1]


def _warned_rows(rows: pl.DataFrame, found: ClassifiedRows) -> pl.DataFrame:
    """The accepted rows with a warning, as ``split_rows`` makes the bad ones."""
    warned = rows.filter(pl.col("_warnings").list.len() > 0)
    reasons = warned.join(found.accepted, on=ROW_ORIGIN, how="semi").select(
        *ROW_ORIGIN, pl.col("_warnings").alias("reasons")
    )
    return split_rows(warned, reasons)[1]


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
    lake_rows = pl.DataFrame(schema=TABLES[dataset])
    outcomes = none.select(*ROW_ORIGIN, pl.lit("").alias("result"), pl.lit("").alias("origin"))
    found = ClassifiedRows(accepted=lake_rows, outcomes=outcomes, gone=lake_rows)
    files = count_files(parsed, rejected=none, found=found, warned=none, held={})
    return ValidatedBatch(
        accepted=lake_rows,
        gone=lake_rows,
        rejected=none,
        warned=none,
        held=(),
        files=tuple(files),
        arrivals=(),
    )


def _with_warning_of_changes(item: ParsedFile, rows: pl.DataFrame) -> ParsedFile:
    """``item`` with a warning of how many of its ``rows`` a later row of the same key replaces."""
    contract = load_contract(item.delivery.dataset)
    mine = rows.filter(pl.col("_file") == item.delivery.path).select(list(contract.schema)).unique()
    changed = mine.height - mine.select(contract.key).unique().height
    if not changed or item.reading is None:
        return item
    replaced = choose_form(
        changed,
        "is replaced by a later row of the same person",
        "are replaced by later rows of the same people",
    )
    words = f"{count_things(changed, 'row')} {replaced}"
    reading = replace(item.reading, warnings=(*item.reading.warnings, words))
    return replace(item, reading=reading)
