"""Locks of a store's folder, between processes of one machine."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

__all__ = ["SWEEP_LOCK", "WRITER_LOCK", "Hold", "hold_lock", "try_lock"]

WRITER_LOCK = "writer.lock"  # held by the one process that writes or fetches
SWEEP_LOCK = "sweep.lock"  # held while files are opened, and while some are removed


class Hold(IntEnum):
    """Whether others may hold the lock at the same time."""

    ALONE = fcntl.LOCK_EX
    SHARED = fcntl.LOCK_SH


@contextmanager
def hold_lock(path: Path, hold: Hold) -> Iterator[None]:
    """Wait for the lock in a file and hold it; it ends with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, hold)
        yield


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold the lock in a file alone, unless somebody holds it; whether it is held."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
