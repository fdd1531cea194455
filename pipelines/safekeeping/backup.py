"""A copy of an installation that is consistent while everything goes on, and its way back.

The order makes it so. The ledger is copied first and says which versions of the lake's tables the
copy is of; their data files never change. What a load writes before its tables (quarantine, vault)
is copied after them, so the copy holds no row without its identifiers. SQLite files are copied by
SQLite, never as files. The list of all files with their digests comes last: a copy without it is
none.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import make_url

from data_contracts.errors import ConflictError, LakeError, SettingsError
from pipelines.progress import Progress, no_progress
from pipelines.retention.erasure_list import ERASURES_FILE, erasing
from pipelines.settings import Settings, Storage
from pipelines.storage.event_store.parts.locks import Hold
from pipelines.storage.installation.memory import MEMORY_FILE
from pipelines.storage.ledger import Ledger
from pipelines.storage.places.durable_files import file_digest, flush_to_disk, write_durably

__all__ = ["BACKUP_FILE", "Backup", "back_up", "restore_backup"]

BACKUP_FILE = "backup.json"
FORMAT = "forestall backup 1"
LOG_DIGITS = 20
BUSY_SECONDS = 60
# Where MLflow keeps absolute paths of its own folder.
MLFLOW_PATHS = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "model_versions": ("source", "storage_location"),
    "logged_models": ("artifact_location",),
}


@dataclass(frozen=True, kw_only=True)
class CopiedFile:
    """A file of a backup: its place in the home, its size and SHA-256."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Backup:
    """What a backup holds. ``elsewhere`` names what it does not, and how that is backed up."""

    format: str
    made_at: datetime
    home: str
    data_version: str
    files: tuple[CopiedFile, ...]
    elsewhere: tuple[str, ...]


ADAPTER = TypeAdapter(Backup)


def back_up(
    settings: Settings, folder: Path, *, at: datetime, progress: Progress = no_progress
) -> Backup:
    """Copy the installation into ``folder``, which must be new or empty; loads, lists and pages go
    on meanwhile. Whatever was loaded and published before the start is in it.

    Keys are not part of it, nor is the event store, which is made from the lake. Raises
    ``ConflictError`` where the folder holds anything, ``LakeError`` where a copied database is
    damaged.
    """
    require_empty(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with erasing(settings, hold=Hold.SHARED):  # no file is taken out under the copy
        return _copy_home(settings, folder, at=at, progress=progress)


def _copy_home(settings: Settings, folder: Path, *, at: datetime, progress: Progress) -> Backup:
    home = settings.home.resolve()
    progress("copying the ledger and the lake")
    version = _copy_lake(settings.lake_folder, folder / "lake", settings.storage)
    progress("copying quarantine, vault, scores and lists")
    for name in ("quarantine", "sources", "scores", "models", "mlruns"):
        _copy_tree(home / name, folder / name)
    for name in ("vault.db", "mlflow.db", "serving.db"):
        _copy_database(home / name, folder / name)
    for name in ("forestall.toml", MEMORY_FILE, ERASURES_FILE):
        if (home / name).exists():
            _copy_file(home / name, folder / name)
    progress("taking the digests")
    backup = Backup(
        format=FORMAT,
        made_at=at,
        home=str(home),
        data_version=version,
        files=tuple(_describe_files(folder)),
        elsewhere=tuple(_name_others(settings)),
    )
    write_durably(folder / BACKUP_FILE, ADAPTER.dump_json(backup, indent=1) + b"\n")
    return backup


def restore_backup(folder: Path, *, home: Path, progress: Progress = no_progress) -> Backup:
    """Put the backup in ``folder`` into ``home``, which must be new or empty; every file is
    compared with its digest before anything stands there.

    Raises ``SettingsError`` where ``folder`` holds no whole backup, ``ConflictError`` where the
    home holds anything, ``LakeError`` where a file is gone or is not what was copied.
    """
    require_empty(home)
    backup = read_backup(folder)
    home.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=home.parent, prefix=f".{home.name}.") as part:
        place = Path(part) / "home"
        place.mkdir()
        for number, file in enumerate(backup.files):
            if number % 100 == 0:
                progress(f"{number} of {len(backup.files)} files")
            _restore_file(file, folder=folder, place=place)
        _point_mlflow(place / "mlflow.db", before=Path(backup.home), now=home.resolve())
        for path in (*place.rglob("*"), place):
            flush_to_disk(path)
        if home.exists():
            home.rmdir()
        place.rename(home)
        flush_to_disk(home.parent)
    return backup


def read_backup(folder: Path) -> Backup:
    """What a backup holds; raises ``SettingsError`` where there is none that is whole."""
    try:
        found = ADAPTER.validate_json((folder / BACKUP_FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        found = None
    if found is None or found.format != FORMAT:
        raise SettingsError(
            f"{folder} holds no finished backup",
            remedy="Name the folder of one; a copy that was cut short has no backup.json.",
        )
    return found


def require_empty(folder: Path) -> None:
    """Raise ``ConflictError`` where the folder holds anything."""
    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(
            f"{folder} is not empty", remedy="Name a folder that is new; nothing is written over."
        )


def _copy_lake(lake: Path, folder: Path, storage: Storage) -> str:
    """Copy the ledger, and the tables as it knows them at this moment; return their version."""
    _copy_database(lake / "ledger.db", folder / "ledger.db")
    if not (folder / "ledger.db").exists():
        return ""
    versions = Ledger(folder / "ledger.db").latest_versions()
    for dataset, version in versions.items() if storage.is_home else ():
        for path in _files_below(lake / dataset):
            inside = path.relative_to(lake / dataset)
            if not _is_later(inside, version=version):
                _copy_file(path, folder / dataset / inside)
    return ",".join(f"{dataset}={number}" for dataset, number in sorted(versions.items()))


def _is_later(path: Path, *, version: int) -> bool:
    """Whether a file belongs to the log of a Delta table after a version; data files that no log
    names are nobody's.
    """
    if path.parts[0] != "_delta_log":
        return False
    number = path.name[:LOG_DIGITS]
    return not number.isdecimal() or int(number) > version


def _copy_tree(source: Path, target: Path) -> None:
    for path in _files_below(source):
        _copy_file(path, target / path.relative_to(source))


def _files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder that are whole: what is still being written has a name that begins with
    a dot.
    """
    if folder.is_dir():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".lock":
                yield path


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:  # a load that was cut short was tidied up meanwhile
        target.unlink(missing_ok=True)


def _copy_database(source: Path, target: Path) -> None:
    if not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.backup(copy)
        found = copy.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        raise LakeError(f"{source} is damaged", remedy="Restore it from an earlier backup.")
    target.chmod(0o600)


def _describe_files(folder: Path) -> Iterator[CopiedFile]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            flush_to_disk(path)
            yield CopiedFile(
                path=path.relative_to(folder).as_posix(),
                bytes=path.stat().st_size,
                sha256=file_digest(path),
            )


def _name_others(settings: Settings) -> Iterator[str]:
    yield f"the keys in {settings.keys_folder}: `forestall keys backup FILE`"
    if not settings.storage.is_home:
        yield f"the lake in {settings.storage.url}: versions of the bucket, or copies of the folder"
    if settings.serving.database_url:
        address = make_url(settings.serving.database_url)
        if address.get_backend_name() != "sqlite":
            yield (
                f"the serving database {address.database} on {address.host}: pg_dump with a role "
                "that row-level security does not bind"
            )
        else:
            yield f"the serving database {address.database}: copy it with SQLite's .backup"


def _restore_file(file: CopiedFile, *, folder: Path, place: Path) -> None:
    source, target = folder / file.path, place / file.path
    if not target.resolve().is_relative_to(place.resolve()):
        raise LakeError(f"{file.path} lies outside the backup", remedy="Take another backup.")
    if not source.is_file():
        raise LakeError(f"{source} of the backup is gone", remedy="Take another backup.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    if target.stat().st_size != file.bytes or file_digest(target) != file.sha256:
        raise LakeError(
            f"{source} is not what was backed up", remedy="Take another backup, or another disk."
        )


def _point_mlflow(database: Path, *, before: Path, now: Path) -> None:
    """Let MLflow look for its files below the new home."""
    if not database.exists() or before == now:
        return
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, columns in MLFLOW_PATHS.items():
            present = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            for column in present.intersection(columns):
                connection.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?)",  # noqa: S608 -- names of ours
                    (f"{before}/mlruns", f"{now}/mlruns"),
                )
