"""Locks of a store's folder, between processes of one machine."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

__all__ = ["Hold", "hold_lock"]


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
