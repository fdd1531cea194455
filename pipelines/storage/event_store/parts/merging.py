"""Which files are merged with what is written behind them.

A file is left alone once it is so much longer than all that came after it. So little lies in many
files, and a row is written few times.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

__all__ = ["take_shorter"]

MERGE_RATIO = 4


class HasLength(Protocol):
    """A file of so many rows."""

    @property
    def length(self) -> int:
        """How many."""


File = TypeVar("File", bound=HasLength)


def take_shorter(
    files: Sequence[File], length: int, *, only: Callable[[File], bool] = lambda _: True
) -> tuple[list[File], list[File]]:
    """The ``files`` to be left alone, and after these those to be merged with ``length`` new rows,
    of which each is one of ``only``.
    """
    kept = list(files)
    while kept and only(kept[-1]) and kept[-1].length < MERGE_RATIO * length:
        length += kept.pop().length
    return kept, list(files[len(kept) :])
