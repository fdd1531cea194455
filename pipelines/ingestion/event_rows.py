"""Which rows of events are new to the lake, and which rows leave it for them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipelines.ingestion.amendments import (
    REVERSAL,
    REVERSED,
    UNMATCHED,
    match_reversals,
    read_undone_rows,
    write_undone_rows,
)
from pipelines.ingestion.deduplication import (
    ACCEPTED,
    EVENT_IDENTITIES,
    candidate_keys,
    classify_events,
    find_clashing,
)
from pipelines.ingestion.pseudonymisation import ROW_ORIGIN
from pipelines.ingestion.source_habits import SourceHabits
from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import DAY, TABLES
from pipelines.storage.ledger import Ledger, UndoneRow

__all__ = ["ClassifiedRows", "EventClassifier"]

AT_SCHEMA = {"_at": pl.UInt32(), "_at_undone": pl.UInt32()}
LAKE_NAMES = {
    "msisdn": "number",
    "peer_number": "peer",
    "account_id": "account",
    "peer_account": "payee",
    "amount": "amount_cny",
}


@dataclass(frozen=True, kw_only=True)
class ClassifiedRows:
    """What becomes of rows.

    ``accepted`` are lake rows with their origin (``_file``, ``_row``). ``outcomes`` has ``_file``,
    ``_row``, ``result`` and ``origin``, the source that had delivered the same before. ``gone`` are
    rows of the lake that leave it, ``undone`` what is to be known as delivered though it is not in
    the lake; ``undoing`` names, for each row that leaves for a reversal, the reversal's ``_file``
    and the row's ``file_id``.
    """

    accepted: pl.DataFrame
    outcomes: pl.DataFrame
    gone: pl.DataFrame
    undone: tuple[UndoneRow, ...] = ()
    undoing: pl.DataFrame | None = None


class EventClassifier:
    """Compares rows of calls and transfers with each other and with the lake."""

    def __init__(self, *, settings: Settings, lake: Lake, ledger: Ledger) -> None:
        self._limits = settings.ingest
        self._habits = SourceHabits(settings)
        self._lake = lake
        self._ledger = ledger

    def classify(
        self, dataset: str, rows: pl.DataFrame, *, replaced: Collection[str], corrects: bool = True
    ) -> ClassifiedRows:
        """Classify lake rows with their origin and, of transfers, ``_reversal`` and ``_negative``.

        ``replaced`` are the ids of the files whose rows leave the lake before these come. Rows of
        other files give way to them unless they are the same rows again (``corrects`` is false).
        """
        gone = self._rows_of_files(dataset, replaced)
        if replaced and corrects:
            gone = pl.concat([gone, self._given_way(dataset, rows, replaced=replaced)])
        if "_reversal" not in rows.columns or not rows["_reversal"].any():
            outcomes = self._compare(dataset, rows, gone=gone)
            return ClassifiedRows(accepted=_new_rows(rows, outcomes), outcomes=outcomes, gone=gone)
        payments, reversals = rows.filter(~pl.col("_reversal")), rows.filter("_reversal")
        compared = self._compare(dataset, payments, gone=gone)
        against = self._compare(dataset, reversals, gone=gone, are_reversals=True)
        undone = self._undo(
            _new_rows(reversals, against),
            payments=_new_rows(payments, compared),
            gone=gone,
        )
        outcomes = pl.concat([compared, against]).update(undone.outcomes, on=ROW_ORIGIN)
        return ClassifiedRows(
            accepted=_new_rows(payments, outcomes),
            outcomes=outcomes,
            gone=pl.concat([gone, undone.gone]),
            undone=undone.undone,
            undoing=undone.undoing,
        )

    def _compare(
        self,
        dataset: str,
        rows: pl.DataFrame,
        *,
        gone: pl.DataFrame,
        are_reversals: bool = False,
    ) -> pl.DataFrame:
        known = [] if are_reversals else [self._known_rows(dataset, rows, gone=gone)]
        if dataset == "transfers" and rows.height:
            days = rows[DAY].unique().to_list()
            texts = self._ledger.undone_rows(dataset, days=days)
            known.append(read_undone_rows(texts, is_reversal=are_reversals))
        columns = list(TABLES[dataset])
        found = classify_events(
            rows,
            known=pl.concat(
                [rows.select(columns).clear(), *(part.select(columns) for part in known)]
            ).join(rows.select("file_id", "_file").unique("file_id"), on="file_id", how="left"),
            identity=EVENT_IDENTITIES[dataset],
            wider_keys=self._wider_keys(dataset),
        )
        return rows.select(*ROW_ORIGIN).hstack(found)

    def _wider_keys(self, dataset: str) -> dict[str, list[str]]:
        """By source, the lake's columns that belong to the key of its records besides."""
        known = EVENT_IDENTITIES[dataset].key
        wider = {
            source: [
                column
                for column in (LAKE_NAMES.get(name, name) for name in names)
                if column in TABLES[dataset] and column not in known
            ]
            for source, names in self._habits.record_keys(dataset).items()
        }
        return {source: columns for source, columns in wider.items() if columns}

    def _given_way(
        self, dataset: str, rows: pl.DataFrame, *, replaced: Collection[str]
    ) -> pl.DataFrame:
        """Rows that other files brought of the records that a correction brings with other
        values.
        """
        nothing = pl.DataFrame(schema=TABLES[dataset])
        known = self._known_rows(dataset, rows, gone=nothing)
        return find_clashing(
            known.filter(~pl.col("file_id").is_in(list(replaced))).select(nothing.columns),
            rows,
            identity=EVENT_IDENTITIES[dataset],
            wider_keys=self._wider_keys(dataset),
        ).join(rows, on=[*EVENT_IDENTITIES[dataset].happening], how="anti", nulls_equal=True)

    def _known_rows(self, dataset: str, rows: pl.DataFrame, *, gone: pl.DataFrame) -> pl.DataFrame:
        """What the lake holds of the same records or happenings as these rows, but for what is
        gone.
        """
        days = sorted(set(rows[DAY].unique()) & set(self._lake.days(dataset)))
        if not days:
            return rows.clear()
        marks = candidate_keys(identity=EVENT_IDENTITIES[dataset])
        wanted = rows.select(marks)
        same = pl.col("_key").is_in(wanted["_key"].implode()) | pl.col("_happening").is_in(
            wanted["_happening"].implode()
        )
        stored = self._lake.scan(dataset, days=(days[0], days[-1]))
        return (
            _without(stored.filter(pl.col(DAY).is_in(days)), gone)
            .with_columns(marks)
            .filter(same)
            .collect(engine="streaming")
        )

    def _rows_of_files(self, dataset: str, files: Collection[str]) -> pl.DataFrame:
        """The rows of the lake that came with these files, by their ids."""
        days = self._ledger.days_of_files(dataset, files)
        if not days:
            return pl.DataFrame(schema=TABLES[dataset])
        stored = self._lake.scan(dataset, days=(min(days), max(days)))
        return stored.filter(pl.col("file_id").is_in(list(files))).collect()

    def _undo(
        self, reversals: pl.DataFrame, *, payments: pl.DataFrame, gone: pl.DataFrame
    ) -> ClassifiedRows:
        """What reversals do to new ``payments`` and to those in the lake."""
        longest = timedelta(days=self._limits.reversal_days)
        stored = self._stored_payments(reversals, longest=longest, gone=gone)
        pool = pl.concat([payments, stored], how="diagonal").with_row_index("_at")
        numbered = reversals.with_row_index("_at")
        found = match_reversals(numbered, payments=pool, longest=longest)
        is_paired = pl.col("_at").is_in(found.reversals)
        reversed_rows = pool.filter(pl.col("_at").is_in(found.payments))
        in_batch = reversed_rows.filter(pl.col("_file").is_not_null())
        outcomes = [
            numbered.select(
                *ROW_ORIGIN,
                pl.when(is_paired)
                .then(pl.lit(REVERSAL))
                .otherwise(pl.lit(UNMATCHED))
                .alias("result"),
            ),
            in_batch.select(*ROW_ORIGIN, pl.lit(REVERSED).alias("result")),
        ]
        columns = list(TABLES["transfers"])
        pairs = pl.DataFrame(
            {"_at": found.reversals, "_at_undone": found.payments}, schema_overrides=AT_SCHEMA
        )
        undoing = (
            pairs.join(numbered.select("_at", "_file"), on="_at")
            .join(
                pool.select("_at", "file_id", in_lake=pl.col("_file").is_null()),
                left_on="_at_undone",
                right_on="_at",
            )
            .filter("in_lake")
        )
        return ClassifiedRows(
            accepted=payments.clear(),
            outcomes=pl.concat(outcomes),
            gone=reversed_rows.filter(pl.col("_file").is_null()).select(columns),
            undoing=undoing.select("_file", "file_id"),
            undone=(
                *write_undone_rows(reversed_rows.select(columns), is_reversal=False),
                *write_undone_rows(numbered.filter(is_paired).select(columns), is_reversal=True),
            ),
        )

    def _stored_payments(
        self, reversals: pl.DataFrame, *, longest: timedelta, gone: pl.DataFrame
    ) -> pl.DataFrame:
        """Payments in the lake of the accounts and amounts of these reversals."""
        if reversals.is_empty():
            return pl.DataFrame(schema=TABLES["transfers"])
        last = reversals[DAY].max()
        first = reversals[DAY].min() - longest  # type: ignore[operator]
        stored = self._lake.scan("transfers", days=(first, last))  # type: ignore[arg-type]
        return (
            _without(stored, gone)
            .filter(pl.col("account").is_in(reversals["account"].unique().implode()))
            .join(
                reversals.lazy().select("source", "account", "amount_cny").unique(),
                on=["source", "account", "amount_cny"],
                how="semi",
            )
            .collect(engine="streaming")
        )


def _without(stored: pl.LazyFrame, gone: pl.DataFrame) -> pl.LazyFrame:
    if gone.is_empty():
        return stored
    return stored.join(gone.lazy(), on=gone.columns, how="anti", nulls_equal=True)


def _new_rows(rows: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    new = outcomes.filter(pl.col("result") == ACCEPTED)
    if new.height == rows.height:
        return rows
    return rows.join(new, on=ROW_ORIGIN, how="semi", maintain_order="left")
