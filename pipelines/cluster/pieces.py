"""Pieces: what is too large to be computed at once is split, and each piece is computed by whoever
has time.

A piece is a pure function of the event index, of what all pieces share, and of the piece itself. So
it comes to the same wherever it is computed, and computing it twice does no harm.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from features.event_index import EventIndex
from pipelines.cluster.piece_report import PieceReport
from pipelines.storage.event_store.parts.frame_files import release_pages

__all__ = ["PIECES_AT_ONCE", "THIS_MACHINE", "PieceFunction", "ThisMachine", "Workers"]

PIECES_AT_ONCE = 2  # more would hold more in memory; within a piece polars uses the other cores

Piece = TypeVar("Piece")
Shared = TypeVar("Shared")
Found = TypeVar("Found")
# What is computed of each piece: a function of a module, pure, of the event index, of what all
# pieces share, and of the piece.
PieceFunction = Callable[[EventIndex, Shared, Piece], Found]


class Workers(Protocol):
    """Who computes pieces."""

    def compute_pieces(
        self,
        function: PieceFunction[Shared, Piece, Found],
        pieces: Sequence[Piece],
        *,
        event_index: EventIndex,
        shared: Shared,
    ) -> Iterator[Found]:
        """What ``function`` gives of each piece, in the order of ``pieces``.

        An error inside a piece is raised as if the piece had been computed alone.
        """

    def report(self) -> PieceReport | None:
        """What became of the pieces so far; None where there was no choice who computes them."""


@dataclass(frozen=True)
class ThisMachine:
    """This process, two pieces at a time."""

    def compute_pieces(
        self,
        function: PieceFunction[Shared, Piece, Found],
        pieces: Sequence[Piece],
        *,
        event_index: EventIndex,
        shared: Shared,
    ) -> Iterator[Found]:
        """See :class:`Workers`."""
        if len(pieces) > 1:
            release_pages()  # those that whoever chose the pieces has read
        with ThreadPoolExecutor(PIECES_AT_ONCE) as pool:
            for found in pool.map(lambda piece: function(event_index, shared, piece), pieces):
                if len(pieces) > 1:
                    release_pages()
                yield found

    def report(self) -> None:
        """Nothing: all of them were computed here."""


THIS_MACHINE = ThisMachine()
