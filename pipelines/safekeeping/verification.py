"""Whether an installation is whole: every part is looked at, with what to do where it is not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from data_contracts.errors import ForestallError, LakeError
from data_contracts.words.counts import count_things
from pipelines.progress import Progress, no_progress
from pipelines.retention.erasure_list import list_erasures, pending_erasures
from pipelines.settings import Settings
from pipelines.storage.event_store.parts.frame_files import digest_in_name, read_frame
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.faults import explain_fault
from pipelines.storage.installation.audit_key import AuditKey
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.installation.keys import KEY_NAMES, KEYS_OF_DATA, KeyName, open_key
from pipelines.storage.installation.memory import read_memory
from pipelines.storage.installation.models import open_registry
from pipelines.storage.installation.vault import Vault
from pipelines.storage.lake import Lake
from pipelines.storage.ledger import Ledger
from pipelines.storage.ledger_agreement import require_agreement
from pipelines.storage.places.durable_files import file_digest
from pipelines.storage.sqlite import fetch_rows
from serving.database.audit_check import verify_chain
from serving.database.engine import read_transaction

__all__ = ["Finding", "verify_installation"]

SHOWN = 3  # of what is damaged, by name


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found of one part: ``detail`` says how much was looked at, or what is wrong, and
    ``remedy`` what to do then.
    """

    part: str
    is_whole: bool
    detail: str
    remedy: str = ""


def verify_installation(
    settings: Settings, *, progress: Progress = no_progress
) -> tuple[Finding, ...]:
    """Look at every part of an installation, reading all of it: takes as long as its disk does.

    Nothing is changed, and nothing stops at the first damage. What a load writes meanwhile may be
    seen or not.
    """
    parts: dict[str, Callable[[], str]] = {
        **{name: partial(_look_at_key, settings, name) for name in KEY_NAMES},
        "ledger.db": partial(_look_at_database, settings.lake_folder / "ledger.db"),
        "lake": partial(_look_at_lake, settings),
        "ledger and lake": partial(_look_at_agreement, settings),
        "store": partial(_look_at_store, settings.store_folder),
        "quarantine": partial(_look_at_quarantine, settings.quarantine_folder),
        "vault.db": partial(_look_at_vault, settings),
        "serving.db": partial(_look_at_serving, settings),
        "mlflow.db": partial(_look_at_database, settings.home / "mlflow.db"),
        "models": partial(_look_at_models, settings),
        "erasures": partial(_look_at_erasures, settings),
    }
    return tuple(_look(parts, progress=progress))


def _look(parts: dict[str, Callable[[], str]], *, progress: Progress) -> Iterator[Finding]:
    for part, look in parts.items():
        progress(f"looking at {part}")
        try:
            detail = look()
        except BaseException as error:
            explained = explain_fault(error)
            if explained is None:
                raise
            yield _damaged(part, explained)
        else:
            yield Finding(part=part, is_whole=True, detail=detail)


def _damaged(part: str, error: ForestallError) -> Finding:
    return Finding(part=part, is_whole=False, detail=str(error), remedy=error.remedy)


def _look_at_key(settings: Settings, name: KeyName) -> str:
    is_due = _has_any(settings) if name in KEYS_OF_DATA else _is_remembered(settings, name)
    if not settings.keys_folder.joinpath(name).exists() and not is_due:
        return "none yet"
    open_key(settings, name, makes=False)
    return "the key of this home"


def _is_remembered(settings: Settings, name: KeyName) -> bool:
    return name in read_memory(settings.home).keys


def _has_any(settings: Settings) -> bool:
    return settings.vault_file.exists() or settings.lake_folder.exists()


def _look_at_database(path: Path) -> str:
    if not path.exists():
        return "none yet"
    found = [str(text) for (text,) in fetch_rows(path, query="PRAGMA integrity_check")]
    if found != ["ok"]:
        raise LakeError(
            f"{path} is damaged: {len(found)} faults", remedy="Restore it from a backup."
        )
    return "whole"


def _look_at_lake(settings: Settings) -> str:
    lake = Lake.of(settings)
    files, damaged = lake.count_files(), lake.damaged_files()
    if damaged:
        raise LakeError(
            f"{len(damaged)} of {files} data files are not what was written: {_names(damaged)}",
            remedy="Restore these files from a backup.",
        )
    return f"{files} data files, each what was written"


def _look_at_agreement(settings: Settings) -> str:
    path = settings.lake_folder / "ledger.db"
    lake = Lake.of(settings)
    if not path.exists():
        if lake.newest_versions():
            raise LakeError(
                f"{path} is gone, and the lake holds loads",
                remedy="Restore it, or run `forestall rebuild-ledger`.",
            )
        return "none yet"
    ledger = Ledger(path)
    if not ledger.unfinished_batches():
        require_agreement(lake, ledger)
        return "tell of the same loads"
    return "a load is under way, or was cut short: the next one ends it"


def _look_at_store(folder: Path) -> str:
    names = sorted(Manifest.read(folder).files())
    for name in names:
        read_frame(folder / name)
    changed = [name for name in names if _is_changed(folder / name)]
    if changed:
        raise LakeError(
            f"{len(changed)} of {count_things(len(names), 'file')} are not what was written: "
            f"{_names(changed)}",
            remedy="Run `forestall store rebuild`.",
        )
    return count_things(len(names), "file")


def _is_changed(path: Path) -> bool:
    digest = digest_in_name(path.name)
    return digest is not None and file_digest(path) != digest


def _look_at_quarantine(folder: Path) -> str:
    files = sorted(folder.glob("*.parquet"))
    rows = sum(pl.read_parquet(path).height for path in files)
    return f"{count_things(rows, 'row')} in {count_things(len(files), 'file')}"


def _look_at_vault(settings: Settings) -> str:
    if not settings.vault_file.exists() and not _has_any(settings):
        return "none yet"
    _look_at_database(settings.vault_file)
    entries, shut = Vault.open(settings).count_entries()
    if shut:
        raise LakeError(
            f"{shut} of {entries} entries do not open with the key",
            remedy="Restore the vault from a backup.",
        )
    return f"{entries} entries, each opens"


def _look_at_serving(settings: Settings) -> str:
    inside = settings.home / "serving.db"
    is_new = inside.name not in read_memory(settings.home).databases
    if not settings.serving.database_url and is_new and not inside.exists():
        return "none yet"
    if not settings.serving.database_url and inside.exists():
        _look_at_database(inside)
    key = AuditKey.open(settings) if (settings.keys_folder / "audit.key").exists() else None
    kept = key.kept_head() if key else None
    engine = open_serving_database(settings)
    try:
        with read_transaction(engine) as session:
            verdict = verify_chain(
                session,
                heads=[kept.digest] if kept else (),
                public_key=key.public_key if key else None,
            )
    finally:
        engine.dispose()
    if not verdict.whole:
        where = f" at entry {verdict.broken.entry_id}" if verdict.broken else ""
        raise LakeError(
            f"the audit trail is not whole{where}",
            remedy="See what is wrong with `forestall audit verify`.",
        )
    return f"whole, with {verdict.entries} entries of the audit trail"


def _look_at_models(settings: Settings) -> str:
    registry = open_registry(settings)
    versions = {version for version in (registry.champion(), registry.challenger()) if version}
    for version in versions:
        registry.load_stored(version)
    return f"{len(versions)} in force or next in line, each as registered"


def _look_at_erasures(settings: Settings) -> str:
    pending = pending_erasures(settings)
    if pending:
        raise LakeError(
            f"{count_things(len(pending), 'erasure')} cut short, or of after the backup that was "
            "restored here",
            remedy="Do them with `forestall retention run`.",
        )
    return f"{count_things(len(list_erasures(settings.home)), 'erasure')}, each done"


def _names(paths: list[str]) -> str:
    more = ", …" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more
