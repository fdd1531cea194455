"""What the product writes is its user's alone: a home holds personal data."""

import os
import stat
from pathlib import Path

__all__ = ["close_home", "make_private", "write_privately"]

OTHERS = 0o077
FILE, FOLDER = 0o600, 0o700


def write_privately() -> None:
    """Let this process, and those it starts, write files that nobody else may read."""
    os.umask(OTHERS)


def make_private(path: Path) -> None:
    """Make a file that is about to be written, or was written before, its owner's alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, FILE), "wb"):
        path.chmod(FILE)


def close_home(home: Path) -> int:
    """Take from others what they may do in a home and all below it; return how many files and
    folders were open to them. A closed home is not gone through: nobody comes past its door. What
    belongs to another user is theirs to close.
    """
    if not home.is_dir():
        return 0
    door = home.stat()
    if not door.st_mode & OTHERS or door.st_uid != os.geteuid():
        return 0
    closed = 0
    for folder, folders, files in os.walk(home):
        for name in (".", *folders, *files):
            path = Path(folder, name)
            found = path.lstat()
            if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
                continue
            if not found.st_mode & OTHERS:
                continue
            path.chmod(found.st_mode & ~OTHERS & 0o7777)
            closed += 1
    return closed
