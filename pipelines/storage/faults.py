"""What a disk, a database or a data file does to us, in our words: what happened, what was kept,
and what to do.

Everything that is kept is written beside its place and then moved, or in a transaction, so a fault
ends one run and undoes nothing that was done before it.
"""

import errno
import sqlite3
from collections.abc import Iterator

from data_contracts.errors import ForestallError, LakeError

__all__ = ["DiskError", "explain_fault"]

KEPT = "What was loaded and published before is kept; this run has changed nothing by half."
FULL, READ_ONLY, BROKEN = "the disk is full", "the disk takes no writes", "the disk fails"
OF_DISK = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
    errno.EIO: BROKEN,
}
# Of a path that somebody gave us, or that was taken away.
OF_PATH = {
    errno.EISDIR: "is a folder",
    errno.ENOTDIR: "lies below something that is no folder",
    errno.ENOENT: "is not there",
}
# What libraries say in words alone, in small letters.
IN_WORDS = {
    "no space left on device": FULL,
    "database or disk is full": FULL,
    "disk quota exceeded": FULL,
    "read-only file system": READ_ONLY,
    "readonly database": READ_ONLY,
    "permission denied": READ_ONLY,
    "disk i/o error": BROKEN,
    "input/output error": BROKEN,
}
TO_DO = {
    FULL: "Make room on the disk of the home and run the command again.",
    READ_ONLY: "Mount the home so that it can be written to, or run the command as its owner.",
    BROKEN: "Look at the disk; then run `forestall verify`, which says what is damaged.",
}
DAMAGED_DATABASE = (
    "malformed",
    "not a database",
    "file is encrypted",
    "unsupported file format",
)
DELTA = ("deltalake", "_internal")
FRAMES = ("pyarrow", "polars")
PANIC = "pyo3_runtime"  # Polars gives up so, and not by an Exception, on a file that was cut off
ENDINGS = (SystemExit, KeyboardInterrupt, GeneratorExit)
# What they say of a file's bytes; all else that they say is a fault of the program.
DAMAGED_FILE = ("parquet", "out of spec", "thrift", "arrow file", "ipc", "checksum", "decompress")
DATA_FILES = (".parquet", ".arrow", "_delta_log")


class DiskError(ForestallError):
    """The disk is full, takes no writes, or fails."""


def explain_fault(error: BaseException) -> ForestallError | None:
    """Our error for one of the disk, of SQLite or of a data file; None for any other, which is a
    fault of the program.

    No text of another library is repeated: it may hold what nobody may see.
    """
    if isinstance(error, ENDINGS):
        return None
    chain = list(_causes(error))
    for one in chain:
        if isinstance(one, ForestallError):
            return one
        what = _of_disk(one)
        if what:
            place = f" ({one.filename})" if isinstance(one, OSError) and one.filename else ""
            return DiskError(f"{what}{place}. {KEPT}", remedy=TO_DO[what])
    for one in chain:
        if isinstance(one, sqlite3.DatabaseError) and (found := _of_database(one)):
            return found
    if any(map(_is_of_data_file, chain)):
        return LakeError(
            f"a data file cannot be read: it is damaged or gone. {KEPT}",
            remedy="`forestall verify` says which; restore it from a backup.",
        )
    return next(filter(None, map(_of_path, chain)), None)


def _of_path(error: BaseException) -> ForestallError | None:
    what = OF_PATH.get(error.errno or 0) if isinstance(error, OSError) else None
    place = getattr(error, "filename", None)
    return DiskError(f"{place} {what}", remedy="Name another place.") if what and place else None


def _of_database(error: sqlite3.DatabaseError) -> ForestallError | None:
    if _says(error, DAMAGED_DATABASE):
        return LakeError(
            f"a database of the home is damaged. {KEPT}",
            remedy="`forestall verify` says which; restore it from a backup.",
        )
    if _says(error, ("locked", "busy")):
        return DiskError(
            f"another process has held a database of the home for a minute. {KEPT}",
            remedy="Run the command again once it has ended.",
        )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it; SQLAlchemy keeps the database's own error beside."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        original = getattr(seen, "orig", None)
        if isinstance(original, BaseException):
            yield original
        seen = seen.__cause__ or seen.__context__


def _is_of_data_file(error: BaseException) -> bool:
    if isinstance(error, FileNotFoundError):
        return _says(error, DATA_FILES)
    library = _library_of(error)
    return library in (*DELTA, PANIC) or (library in FRAMES and _says(error, DAMAGED_FILE))


def _of_disk(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno in OF_DISK:
        return OF_DISK[error.errno]
    if isinstance(error, sqlite3.Error) or _library_of(error) in (*DELTA, *FRAMES):
        return next((what for words, what in IN_WORDS.items() if _says(error, (words,))), None)
    return None


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)


def _library_of(error: BaseException) -> str:
    """The library that an error comes from, told without importing it."""
    return type(error).__module__.partition(".")[0]
