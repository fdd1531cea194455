"""Files that waited for somebody and are no longer in their landing folder: moved or deleted, as
their remedy said.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

from data_contracts.pseudonyms import is_masked
from pipelines.ingestion.landing.deliveries import Delivery, NameMask
from pipelines.storage.lake_schemas import REGISTERS
from pipelines.storage.ledger import Decision, Ledger, LoadedFile

__all__ = ["find_gone_files", "record_gone_files"]

FILES_AT_ONCE = 100  # that the ledger is asked for in one query


def find_gone_files(
    ledger: Ledger, *, landing: Path, listed: Sequence[Delivery], mask: NameMask
) -> list[LoadedFile]:
    """The files that wait, were read from ``landing`` and no longer lie there, by dataset and path.

    A file that was read from another folder is not missed here as long as that folder exists. Nor
    is any where the folder holds nothing else of its dataset (of registers, no other register) that
    the ledger knows: then it is rather empty, or not the right one. ``mask`` is that by which
    files have their names.
    """
    waiting = ledger.waiting_files()
    masked = {
        mask(file.relative_to(landing).as_posix())
        for file in (landing.rglob("*") if any(is_masked(one.path) for _, one in waiting) else ())
    }
    absent = [
        file
        for folder, file in waiting
        if not ((landing / file.path).exists() or file.path in masked)
        and (folder in ("", str(landing.resolve())) or not Path(folder).is_dir())
    ]
    if not absent:
        return []
    places: dict[str, list[str]] = {}
    for item in listed:
        places.setdefault(_kind(item.dataset), []).append(item.path)
    return [file for file in absent if _is_any_known(ledger, places.get(_kind(file.dataset), []))]


def record_gone_files(
    ledger: Ledger, gone: Sequence[LoadedFile], *, received_at: datetime
) -> list[Decision]:
    """Write down that these files are gone, so that they wait no more; return what was written."""
    written = []
    for dataset, files in groupby(gone, key=lambda file: file.dataset):
        decisions = [
            Decision(kind="gone", path=file.path, target_path=file.path, target_digest=file.digest)
            for file in files
        ]
        batch = ledger.next_batch()
        ledger.prepare(
            batch,
            dataset=dataset,
            files=(),
            arrivals=(),
            received_at=received_at,
            decisions=decisions,
        )
        ledger.commit(batch, delta_version=None)
        written += decisions
    return written


def _is_any_known(ledger: Ledger, paths: Sequence[str]) -> bool:
    parts = (paths[start : start + FILES_AT_ONCE] for start in range(0, len(paths), FILES_AT_ONCE))
    return any(map(ledger.known_paths, parts))


def _kind(dataset: str) -> str:
    return "register" if dataset in REGISTERS else dataset
