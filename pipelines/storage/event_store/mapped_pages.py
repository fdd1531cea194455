"""The pages of the store's files that a process has mapped, given back when they are not needed.

They count as its memory for as long as nobody else wants them, which looks like a leak in a process
that runs for weeks. Given back they stay in the cache of the disk, and come again when touched.
"""

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path

__all__ = ["release_pages"]


def release_pages(folder: Path) -> int:
    """Give back what is mapped of the files below ``folder``, unchanged; return how many bytes are
    mapped. Nothing happens where the system does not say what is mapped.
    """
    advise = getattr(ctypes.CDLL(None), "madvise", None)
    if advise is None:
        return 0
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    total = 0
    for start, end in _mapped_spans(folder):
        advise(start, end - start, mmap.MADV_DONTNEED)
        total += end - start
    return total


def _mapped_spans(folder: Path) -> Iterator[tuple[int, int]]:
    """Where in memory files below ``folder`` are mapped to be read and nothing else."""
    try:
        lines = Path("/proc/self/maps").read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        span, rights, _, _, _, *path = line.split(maxsplit=5)
        if path and "w" not in rights and Path(path[0]).is_relative_to(folder.resolve()):
            start, _, end = span.partition("-")
            yield int(start, 16), int(end, 16)
