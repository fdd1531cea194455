"""Numbers of records and cases and names of files, which former versions kept as delivered: a home
that has some keeps pseudonyms of them from its next load on.
"""

import io
import json
import logging
from collections.abc import Mapping
from datetime import datetime

import polars as pl

from data_contracts.pseudonyms import Pseudonymiser
from pipelines.settings import Settings
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.installation.vault import Vault
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import EVENTS
from pipelines.storage.ledger import Erasure, Ledger
from pipelines.storage.places.durable_files import write_durably

__all__ = ["pseudonymise_raw_ids"]

log = logging.getLogger("pipelines.ingestion")


def pseudonymise_raw_ids(
    settings: Settings, *, lake: Lake, ledger: Ledger, pseudonymiser: Pseudonymiser, at: datetime
) -> None:
    """Give every record of a home that a former version filled the pseudonym of its number, mask
    the names of files, and remove the data files that still hold the raw ones.

    Later corrections, reversals and copies of these records and files find them as before. Killed
    at any moment it goes on with the next load; whoever calls it is the lake's only writer.
    """
    log.warning("records and files get pseudonyms for their numbers and names; this is done once")
    _mask_names(settings, ledger=ledger, pseudonymiser=pseudonymiser)
    for dataset in ledger.datasets_with_raw_ids():
        if _rewrite(dataset, lake=lake, ledger=ledger, pseudonymiser=pseudonymiser, at=at):
            EventStore.of(settings).empty()  # it names data files that are no longer there
        lake.sweep(dataset)
        ledger.forget_raw_ids(dataset)


def _rewrite(
    dataset: str, *, lake: Lake, ledger: Ledger, pseudonymiser: Pseudonymiser, at: datetime
) -> bool:
    def change(rows: pl.DataFrame) -> pl.DataFrame:
        if dataset not in EVENTS:
            return rows.with_columns(pseudonymiser.former_records(rows["case_id"]))
        sources = {name: pseudonymiser.mask(name) for name in rows["source"].unique()}
        return rows.with_columns(
            pseudonymiser.former_records(rows["record_id"]), pl.col("source").replace(sources)
        )

    batch = ledger.next_batch()
    erasures = [Erasure(kind="record ids")]
    ledger.prepare(batch, dataset=dataset, files=(), arrivals=(), received_at=at, erasures=erasures)
    version = lake.rewrite(dataset, change, batch=batch, at=at).version
    if version is None:
        ledger.discard(batch)
        return False
    ledger.commit(batch, delta_version=version)
    return True


def _mask_names(settings: Settings, *, ledger: Ledger, pseudonymiser: Pseudonymiser) -> None:
    """Mask names in ledger and quarantine; the vault keeps those of files."""
    vault = Vault.open(settings)
    masked = {path: pseudonymiser.mask(path) for path in ledger.paths()}
    changed = {path: name for path, name in masked.items() if name != path}
    vault.put_identifiers("file", {name: path for path, name in changed.items()})
    for place in sorted(settings.quarantine_folder.glob("batch-*.parquet")):
        rows = pl.read_parquet(place)
        if changed.keys() & set(rows["path"].unique()):
            content = io.BytesIO()
            _renamed(rows, changed, vault=vault).write_parquet(content)
            write_durably(place, content.getvalue())
    ledger.rename(pseudonymiser.mask)

    def keyed(text: str) -> str:
        row = json.loads(text)
        record_ids = pl.Series([row["record_id"]], dtype=pl.String)
        row["record_id"] = pseudonymiser.former_records(record_ids)[0]
        row["source"] = pseudonymiser.mask(row["source"])
        return json.dumps(row)

    ledger.change_undone_rows(keyed)


def _renamed(rows: pl.DataFrame, names: Mapping[str, str], *, vault: Vault) -> pl.DataFrame:
    """Rejected rows of files under other names: each is sealed for its place."""
    sealed = [
        vault.seal(vault.unseal(one, bound_to=f"{path}#{row}"), bound_to=f"{names[path]}#{row}")
        if path in names
        else one
        for path, row, one in rows.select("path", "row", "sealed").iter_rows()
    ]
    return rows.with_columns(
        pl.col("path").replace(names), pl.Series("sealed", sealed, dtype=pl.Binary)
    )
