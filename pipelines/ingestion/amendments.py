"""What leaves the lake again: the rows of a file that another one corrects, and payments that a
reversal (冲正) undoes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta

import polars as pl

from pipelines.clock import ZONE
from pipelines.ingestion.landing.deliveries import Delivery, NameMask, name_stem
from pipelines.ingestion.landing.sources import KnownSources, read_file_name
from pipelines.storage.lake_schemas import DAY, MOMENT, TABLES
from pipelines.storage.ledger import Ledger, LoadedFile, UndoneRow

__all__ = [
    "REVERSAL",
    "REVERSED",
    "UNMATCHED",
    "Undoing",
    "find_targets",
    "match_reversals",
    "read_undone_rows",
    "with_reversals_marked",
    "write_undone_rows",
]

REVERSAL, REVERSED, UNMATCHED = "reversal", "reversed payment", "unmatched reversal"
TRANSFERS = TABLES["transfers"]
MOMENTS = [name for name, kind in TRANSFERS.items() if kind == MOMENT]
OTHERS = [name for name in TRANSFERS if name not in MOMENTS]


def find_targets(
    delivery: Delivery,
    *,
    ledger: Ledger,
    known: KnownSources,
    mask: NameMask,
    is_named: bool,
    is_usual: bool,
) -> tuple[LoadedFile, ...]:
    """The loads that a file replaces, in the order of loading; none if it is no correction.

    It is one if somebody asked for it (``is_named``), if its name says so or a file beside it names
    what it replaces, or if its source always delivers whole files anew (``is_usual``). It replaces
    the files that are named, else those of its own path, else those of its source, day and time.
    """
    if delivery.day is None or not (is_named or is_usual or delivery.corrects):
        return ()
    folder = delivery.path.rpartition("/")[0]
    loads = [
        load
        for load in ledger.loads_below(f"{folder}/")
        if load.dataset == delivery.dataset and ledger.replacement(load) is None
    ]
    named = set(map(mask, _named_files(delivery, folder=folder)))
    own = [load for load in loads if load.path == delivery.path and not load.reason]
    if named:
        return tuple(load for load in loads if load.path in named)
    if own or is_usual:
        return tuple(own)
    return tuple(load for load in loads if _is_same_delivery(load, delivery, known=known))


def _named_files(delivery: Delivery, *, folder: str) -> set[str]:
    """Paths in the landing folder, from the lines of the file beside this one."""
    beside = delivery.sidecar()
    if beside is None:
        return set()
    lines = map(str.strip, beside.read_text(encoding="utf-8-sig").splitlines())
    return {line if "/" in line else f"{folder}/{line}" for line in lines if line}


def _is_same_delivery(load: LoadedFile, delivery: Delivery, *, known: KnownSources) -> bool:
    name = read_file_name(name_stem(load.path), known=known)
    minute = delivery.delivered_at.time() if delivery.delivered_at else time()
    return (
        load.source == delivery.source and (name.minute or time()) == minute and not name.corrects
    )


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """Pairs of a reversal and the payment that it undoes: ``reversals`` and ``payments`` are their
    ``_at`` in the frames that were given, in the same order.
    """

    reversals: list[int]
    payments: list[int]


def with_reversals_marked(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of transfers with ``_reversal``: true where the amount is below zero, which it is no
    longer, or where the row says so itself.
    """
    amount = pl.col("amount")
    is_negative = (amount < 0).fill_null(value=False)
    said = (
        (pl.col("kind") == "reversal").fill_null(value=False)
        if "kind" in rows.columns
        else pl.lit(value=False)
    )
    return rows.with_columns(
        pl.when(is_negative).then(-amount).otherwise(amount).alias("amount"),
        (is_negative | said).alias("_reversal"),
        is_negative.alias("_negative"),
    )


def match_reversals(
    reversals: pl.DataFrame, *, payments: pl.DataFrame, longest: timedelta
) -> Undoing:
    """Find for each reversal the payment that it undoes.

    Both have the lake's columns and ``_at``, reversals also ``_negative``. A payment fits if
    source, account and amount are the same, the other party too where the reversal names one, and
    if it was made before, at most ``longest``. A negative amount undoes a payment of its own
    direction; a row that is marked undoes one of the other direction rather than one of its own.
    The same record number counts more than that, the later payment more than the earlier. No
    payment is undone twice.
    """
    same_direction = pl.col("direction") == pl.col("direction_undone")
    pairs = (
        reversals.join(payments, on=["source", "account", "amount_cny"], suffix="_undone")
        .filter(
            (pl.col("occurred_at_undone") <= pl.col("occurred_at"))
            & (pl.col("occurred_at_undone") >= pl.col("occurred_at") - longest)
            & (pl.col("payee").is_null() | pl.col("payee").eq_missing(pl.col("payee_undone")))
            & (same_direction | ~pl.col("_negative"))
        )
        .sort(
            "occurred_at",
            "_at",
            pl.col("record_id") != pl.col("record_id_undone"),
            same_direction & ~pl.col("_negative"),
            "occurred_at_undone",
            descending=[False, False, False, False, True],
        )
    )
    reversal_of: dict[int, int] = {}
    used: set[int] = set()
    for reversal, payment in pairs.select("_at", "_at_undone").iter_rows():
        if reversal not in used and payment not in reversal_of:
            reversal_of[payment] = reversal
            used.add(reversal)
    return Undoing(reversals=list(reversal_of.values()), payments=list(reversal_of))


def write_undone_rows(rows: pl.DataFrame, *, is_reversal: bool) -> Iterator[UndoneRow]:
    """Rows of the lake's schema, as the ledger keeps them."""
    as_text = rows.select(
        pl.col(DAY),
        pl.struct(pl.col(MOMENTS).dt.epoch("us"), pl.col(OTHERS).cast(pl.String))
        .struct.json_encode()
        .alias("row"),
    )
    for day, row in as_text.iter_rows():
        yield UndoneRow(
            event_day=day, row=json.dumps({**json.loads(row), "_reversal": is_reversal})
        )


def read_undone_rows(texts: list[str], *, is_reversal: bool) -> pl.DataFrame:
    """What ``write_undone_rows`` wrote, in the lake's schema."""
    found = [row for row in map(json.loads, texts) if row.pop("_reversal") == is_reversal]
    written = {name: pl.Int64() if name in MOMENTS else pl.String() for name in TRANSFERS}
    return pl.DataFrame(found, schema=written).select(
        pl.from_epoch(name, "us").dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE)
        if name in MOMENTS
        else pl.col(name).str.to_date()
        if name == DAY
        else pl.col(name).cast(kind)
        for name, kind in TRANSFERS.items()
    )
