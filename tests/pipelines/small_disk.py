"""A disk of a few megabytes that a test may fill and write-protect: memory that is mounted."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SPARE_BYTES = 8 * 1024


class SmallDisk:
    """A mounted folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def full(self) -> Iterator[None]:
        """Only a few blocks are left."""
        filler = self.folder / "filler"
        free = shutil.disk_usage(self.folder).free
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - SPARE_BYTES)
        while shutil.disk_usage(self.folder).free:  # to the last block
            with filler.open("ab") as file:
                file.write(bytes(min(4096, shutil.disk_usage(self.folder).free)))
        yield
        filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nothing can be written."""
        mount("-o", "remount,ro", str(self.folder))
        yield
        mount("-o", "remount,rw", str(self.folder))


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@contextmanager
def mounted(folder: Path, *, size: str = "24m") -> Iterator[SmallDisk]:
    """A small disk in ``folder``; the test is left out where nobody may mount."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a disk needs root")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
