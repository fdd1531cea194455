"""What happens on a worker: it opens the event store once, and computes the pieces it is sent."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Generic

from data_contracts.errors import ForestallError
from features.event_index import EventIndex
from pipelines.cluster.fingerprint import Fingerprint, list_differences
from pipelines.cluster.piece_report import Mishap
from pipelines.cluster.pieces import Found, Piece, PieceFunction, Shared
from pipelines.storage.event_store.parts.frame_files import release_pages
from pipelines.storage.event_store.reference import StoreReference, open_reference

__all__ = ["Answer", "PieceTask", "Refusal", "compute_piece"]

OPENED_AT_ONCE = 2  # event indexes of a process: that of a night, and that of a tick beside it
_opening = Lock()


@dataclass(frozen=True, kw_only=True)
class PieceTask(Generic[Shared, Piece, Found]):
    """What is to be computed of each piece, of which event index, and what whoever asks computes
    with.
    """

    function: PieceFunction[Shared, Piece, Found]
    reference: StoreReference
    cache_folder: Path | None
    fingerprint: Fingerprint


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[Found]):
    """A computed piece; ``open_s`` is how long it took to open the event store, 0 where it was
    open.
    """

    found: Found
    open_s: float


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why this worker can compute no piece of this run."""

    mishap: Mishap
    why: str


def compute_piece(
    task: PieceTask[Shared, Piece, Found], shared: Shared, piece: Piece
) -> Answer[Found] | Refusal:
    """What the function of ``task`` gives of ``piece``, or why it cannot be computed here."""
    differences = list_differences(task.fingerprint)
    if differences:
        return Refusal(mishap=Mishap.WORKER_DIFFERS, why=", ".join(differences))
    began_s = perf_counter()
    try:
        event_index, opened = worker_index(task.reference, task.cache_folder)
    except (ForestallError, OSError) as error:
        return Refusal(mishap=Mishap.STORE_UNREAD, why=str(error))
    open_s = perf_counter() - began_s if opened else 0.0
    found = task.function(event_index, shared, piece)
    release_pages()
    return Answer(found=found, open_s=open_s)


def worker_index(reference: StoreReference, cache_folder: Path | None) -> tuple[EventIndex, bool]:
    """The event index of ``reference``, one for all threads of this process, and whether it had to
    be opened.
    """
    with _opening:
        before = opened_index.cache_info().misses
        event_index = opened_index(reference, cache_folder or default_cache_folder())
        return event_index, opened_index.cache_info().misses > before


@lru_cache(OPENED_AT_ONCE)
def opened_index(reference: StoreReference, cache_folder: Path) -> EventIndex:
    """The event index of ``reference``, opened once."""
    return open_reference(reference, cache_folder=cache_folder)


def default_cache_folder() -> Path:
    """Where a worker keeps what it reads of the event store unless the settings say otherwise."""
    return Path.home() / ".cache" / "forestall"
