"""Rejected rows: where they came from and why, with the row itself sealed under the vault's key."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from data_contracts.errors import SettingsError
from data_contracts.words.rejection_words import describe_reason
from pipelines.settings import Settings
from pipelines.storage.installation.vault import Vault
from pipelines.storage.lake_schemas import MOMENT
from pipelines.storage.ledger import Ledger
from pipelines.storage.places.durable_files import write_durably

__all__ = [
    "REJECTED",
    "WARNED",
    "count_reasons",
    "export_quarantine",
    "read_quarantine",
    "remove_unfinished_batches",
    "sealed_rows",
    "store_rejected_rows",
]

STORED_SCHEMA = pl.Schema(
    {
        "dataset": pl.String(),
        "path": pl.String(),
        "row": pl.Int64(),
        "reasons": pl.List(pl.String()),
        "held": pl.Boolean(),
        "received_at": MOMENT,
        "sealed": pl.Binary(),
        "severity": pl.String(),
        "is_delivered": pl.Boolean(),
    }
)
REJECTED, WARNED = "rejected", "warning"  # severities; a row with a warning was accepted
READ_COLUMNS = (
    "dataset",
    "path",
    "row",
    "reasons",
    "reason_text_zh",
    "reason_text_en",
    "held",
    "received_at",
    "severity",
)


def store_rejected_rows(
    bad: pl.DataFrame,
    *,
    warned: pl.DataFrame,
    warned_rows_kept: int,
    dataset: str,
    batch: int,
    held: Sequence[str],
    received_at: datetime,
    folder: Path,
    vault: Vault,
) -> None:
    """Keep a batch's bad rows (``_file``, ``_row``, ``reasons``, ``row_json``, ``is_delivered``)
    and the accepted rows that it is ``warned`` of, of each file at most ``warned_rows_kept``;
    ``held`` are the files held as a whole.

    The rows count only once the ledger knows the batch as loaded.
    """
    kept = warned.filter(pl.int_range(pl.len()).over("_file") < warned_rows_kept)
    severity = pl.lit(REJECTED).alias("severity"), pl.lit(WARNED).alias("severity")
    bad = pl.concat([bad.with_columns(severity[0]), kept.with_columns(severity[1])], how="diagonal")
    if bad.is_empty():
        return
    binding = bad.select(pl.format("{}#{}", "_file", "_row")).to_series()
    sealed = [
        vault.seal(row, bound_to=place) for row, place in zip(bad["row_json"], binding, strict=True)
    ]
    stored = bad.select(
        pl.lit(dataset).alias("dataset"),
        pl.col("_file").alias("path"),
        pl.col("_row").alias("row"),
        "reasons",
        pl.col("_file").is_in(list(held)).alias("held"),
        pl.lit(received_at).cast(MOMENT).alias("received_at"),
        pl.Series("sealed", sealed, dtype=pl.Binary),
        "severity",
        "is_delivered",
    )
    content = io.BytesIO()
    stored.write_parquet(content)
    write_durably(_batch_file(folder, batch), content.getvalue())


def remove_unfinished_batches(folder: Path, *, loaded: set[int]) -> None:
    """Remove what a cut-short load left behind."""
    batch_files = {_batch_file(folder, batch) for batch in loaded}
    for place in folder.glob("batch-*.parquet"):
        if place not in batch_files:
            place.unlink()


def read_quarantine(
    settings: Settings, *, dataset: str | None = None, reveal: bool = False
) -> pl.DataFrame:
    """All rejected rows, the accepted ones with a warning, and a line with neither row nor codes
    for every file that is held as a whole.

    Columns: dataset, path, row (1-based in the file), reasons (codes), reason_text_zh,
    reason_text_en, held, received_at, severity (``rejected`` or ``warning``) and, with ``reveal``,
    ``row_json`` with the raw values, for which the vault's key is needed; ``path`` is as it was
    delivered then, where it is masked else.
    """
    ledger = Ledger(settings.lake_folder / "ledger.db")
    rows = _with_texts(_read_batches(settings, ledger=ledger, batches=ledger.committed_batches()))
    if reveal:
        rows = _with_raw_rows(rows, vault=Vault.open(settings))
    wanted = pl.concat([rows.drop("sealed"), _held_files(ledger)], how="diagonal")
    if reveal:
        wanted = _with_delivered_names(wanted, vault=Vault.open(settings))
    if dataset is not None:
        wanted = wanted.filter(pl.col("dataset") == dataset)
    return wanted.sort("dataset", "path", "row", nulls_last=False, maintain_order=True)


def count_reasons(settings: Settings, *, batches: Iterable[int]) -> pl.DataFrame:
    """``dataset``, ``path``, ``severity``, ``code``, ``zh``, ``en``, ``rows``: why rows of these
    batches were rejected or warned of, and how many; of a file held as a whole none.
    """
    ledger = Ledger(settings.lake_folder / "ledger.db")
    rows = _read_batches(settings, ledger=ledger, batches=batches).filter(~pl.col("held"))
    keys = ("dataset", "path", "severity")
    counted = (
        rows.select(*keys, "reasons")
        .explode("reasons")
        .drop_nulls()
        .group_by(*keys, code="reasons")
        .agg(rows=pl.len())
    )
    texts = {
        language: [
            describe_reason(code, dataset=dataset, language=language)
            for dataset, code in counted.select("dataset", "code").iter_rows()
        ]
        for language in ("zh", "en")
    }
    return counted.with_columns(
        pl.Series(language, words, dtype=pl.String) for language, words in texts.items()
    )


def sealed_rows(settings: Settings, *, dataset: str | None = None) -> pl.DataFrame:
    """The rejected rows of files that are not held: ``batch``, ``dataset``, ``path``, ``row``,
    ``reasons``, ``sealed`` and ``is_delivered`` (null where nobody noted it).
    """
    ledger = Ledger(settings.lake_folder / "ledger.db")
    rows = _read_batches(settings, ledger=ledger, batches=ledger.committed_batches())
    wanted = rows.filter((pl.col("severity") == REJECTED) & ~pl.col("held"))
    if dataset is not None:
        wanted = wanted.filter(pl.col("dataset") == dataset)
    return wanted.select(
        "batch", "dataset", "path", "row", "reasons", "sealed", "is_delivered"
    ).sort("batch", "path", "row")


def export_quarantine(rows: pl.DataFrame, *, out: Path) -> None:
    """Write what ``read_quarantine`` returned to a ``.csv`` (UTF-8 with BOM, for spreadsheets) or
    ``.parquet`` file.
    """
    if out.suffix == ".parquet":
        rows.write_parquet(out)
    elif out.suffix == ".csv":
        rows.with_columns(pl.col("reasons").list.join(";")).write_csv(out, include_bom=True)
    else:
        raise SettingsError(
            f"cannot write {out.name}", remedy="Name a file that ends in .csv or .parquet."
        )


def _read_batches(settings: Settings, *, ledger: Ledger, batches: Iterable[int]) -> pl.DataFrame:
    """The rows of these batches with ``batch``, but for loads that were tried again or replaced
    since, and rows that were retried and left.

    Of what was stored before there were warnings, all rows are rejected.
    """
    outdated: dict[int, list[str]] = {}
    for batch, path in ledger.outdated_loads():
        outdated.setdefault(batch, []).append(path)
    parts = [pl.DataFrame(schema={**STORED_SCHEMA, "batch": pl.Int64()})]
    for batch in sorted(batches):
        place = _batch_file(settings.quarantine_folder, batch)
        if place.exists():
            settled = pl.col("path").is_in(outdated.get(batch, []))
            rows = pl.read_parquet(place).filter(~settled)
            parts.append(rows.with_columns(pl.lit(batch, dtype=pl.Int64).alias("batch")))
    left = pl.DataFrame(
        ledger.rows_that_left(),
        schema={"batch": pl.Int64(), "path": pl.String(), "row": pl.List(pl.Int64())},
        orient="row",
    ).explode("row")
    return (
        pl.concat(parts, how="diagonal")
        .join(left, on=["batch", "path", "row"], how="anti", maintain_order="left")
        .with_columns(pl.col("severity").fill_null(REJECTED))
    )


def _batch_file(folder: Path, batch: int) -> Path:
    return folder / f"batch-{batch:08d}.parquet"


def _with_texts(rows: pl.DataFrame) -> pl.DataFrame:
    parts = rows.partition_by("dataset") or [rows]
    return pl.concat([_with_texts_of_dataset(part) for part in parts])


def _with_texts_of_dataset(rows: pl.DataFrame) -> pl.DataFrame:
    """Datasets have columns of one name that mean other things: each has words of its own."""
    dataset = rows.item(0, "dataset") if rows.height else None
    codes = rows["reasons"].explode(empty_as_null=False, keep_nulls=False).unique().to_list()
    texts = [
        pl.col("reasons")
        .list.eval(
            pl.element().replace_strict(
                {code: describe_reason(code, dataset=dataset, language=language) for code in codes},
                return_dtype=pl.String,
            )
        )
        .list.join(separator)
        .alias(f"reason_text_{language}")
        for language, separator in (("zh", "；"), ("en", "; "))
    ]
    return rows.with_columns(texts).select(*READ_COLUMNS, "sealed")


def _with_raw_rows(rows: pl.DataFrame, *, vault: Vault) -> pl.DataFrame:
    opened = [
        vault.unseal(sealed, bound_to=f"{path}#{row}")
        for path, row, sealed in rows.select("path", "row", "sealed").iter_rows()
    ]
    return rows.with_columns(pl.Series("row_json", opened, dtype=pl.String))


def _with_delivered_names(rows: pl.DataFrame, *, vault: Vault) -> pl.DataFrame:
    names = vault.reveal("file", rows["path"].unique().to_list())
    return rows.with_columns(pl.col("path").replace(names))


def _held_files(ledger: Ledger) -> pl.DataFrame:
    held = ledger.held_files()
    words = [f"{file.reason.rstrip('.')}. {file.remedy}".strip() for file in held]
    return pl.DataFrame(
        {
            "dataset": [file.dataset for file in held],
            "path": [file.path for file in held],
            "reason_text_zh": words,
            "reason_text_en": words,
            "held": [True] * len(held),
            "severity": [REJECTED] * len(held),
        },
        schema_overrides=dict.fromkeys(
            ("dataset", "path", "reason_text_zh", "reason_text_en", "severity"), pl.String()
        ),
    )
