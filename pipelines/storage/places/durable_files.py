"""Files that outlive a power cut: written beside their place, flushed to the disk, then moved into
place at once.
"""

import hashlib
import os
from pathlib import Path

__all__ = ["file_digest", "file_mark", "flush_to_disk", "write_durably"]

OWNER_ONLY = 0o600


def file_digest(path: Path) -> str:
    """SHA-256 of the file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_mark(path: Path) -> str:
    """What differs once somebody has touched the file: its size, inode and both its times."""
    status = path.stat()
    marks = (status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return " ".join(map(str, marks))


def flush_to_disk(path: Path) -> None:
    """Force the contents of a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes, *, mode: int = OWNER_ONLY) -> None:
    """Write ``content`` to ``path`` whole or not at all, readable by the owner only unless ``mode``
    says more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    flush_to_disk(path.parent)
