"""Which rows of a register are its entries: a register replaces what was there, so only its own
rows can clash; mended rows are added to what stands.
"""

import polars as pl

from data_contracts.contract import load_contract
from pipelines.ingestion.deduplication import ACCEPTED, classify_duplicates, classify_latest
from pipelines.ingestion.event_rows import ClassifiedRows
from pipelines.ingestion.pseudonymisation import ROW_ORIGIN, RowPseudonymiser, record_key
from pipelines.storage.lake_schemas import TABLES

__all__ = ["LAST_COUNTS", "classify_register"]

# Registers of which the last row of a key counts, and what no later row can change.
LAST_COUNTS = {"residents": ("sex", "birth_date")}
UNCHANGING = {"residents": ("sex", "birth_month")}  # the same in the lake's columns


def classify_register(
    dataset: str,
    rows: pl.DataFrame,
    *,
    files: pl.DataFrame,
    row_pseudonymiser: RowPseudonymiser,
    entries: pl.DataFrame | None = None,
) -> ClassifiedRows:
    """Classify a contract's rows of a register; ``files`` is as ``RowPseudonymiser`` wants it.

    ``entries`` are those of the register in the lake if the rows are added to them: an entry of
    the same key stays.
    """
    contract = load_contract(dataset)
    if dataset in LAST_COUNTS:
        result = classify_latest(rows, key=contract.key, values=LAST_COUNTS[dataset])
    else:
        values = tuple(name for name in contract.schema if name not in contract.key)
        result = classify_duplicates(rows, known=rows.clear(), key=contract.key, values=values)
    outcomes = rows.select(
        *ROW_ORIGIN, result.alias("result"), pl.lit(None, dtype=pl.String).alias("origin")
    )
    own = rows.filter(result == ACCEPTED)
    accepted = row_pseudonymiser.to_lake_rows(dataset, own, files=files)
    if entries is not None:
        against = _compare(dataset, accepted, entries=entries)
        outcomes = outcomes.update(
            accepted.select(*ROW_ORIGIN, against.alias("result")), on=list(ROW_ORIGIN)
        )
        row_pseudonymiser.forget_identifiers()  # an entry that stays keeps its name and address
        accepted = row_pseudonymiser.to_lake_rows(
            dataset, own.filter(against == ACCEPTED), files=files
        )
    gone = pl.DataFrame(schema=TABLES[dataset])
    return ClassifiedRows(accepted=accepted, outcomes=outcomes, gone=gone)


def _compare(dataset: str, rows: pl.DataFrame, *, entries: pl.DataFrame) -> pl.Series:
    """Which of the lake rows are new beside the entries that stand."""
    key = record_key(dataset)
    others = [name for name in TABLES[dataset] if name not in (*key, "known_at")]
    values = UNCHANGING.get(dataset, tuple(others))
    return classify_duplicates(rows, known=entries, key=key, values=values)
