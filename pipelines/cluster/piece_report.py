"""What became of the pieces of a run: who computed them, and what went wrong on the way."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Mishap", "PieceCount", "PieceReport"]


class Mishap(StrEnum):
    """What can go wrong with a cluster; the list comes out all the same."""

    WORKER_LOST = "worker_lost"  # it died, or lost its connection
    WORKER_LATE = "worker_late"  # it took longer than a piece may
    WORKER_FAILED = "worker_failed"  # an error that did not occur here
    WORKER_DIFFERS = "worker_differs"  # other versions or another processor: other last digits
    STORE_UNREAD = "store_unread"  # it could not open the event store
    SCHEDULER_MISSING = "scheduler_missing"  # not there at the start, or it refused us
    SCHEDULER_LOST = "scheduler_lost"
    WORKERS_MISSING = "workers_missing"  # the scheduler knew none
    INDEX_HERE_ALONE = "index_here_alone"  # laid out here, from older registers


@dataclass(frozen=True, kw_only=True)
class PieceReport:
    """How many pieces were computed on workers of the cluster and here, how many workers had part
    in it, the longest time one of them took to open the event store, and how often what went wrong.

    A piece that was computed twice is counted once, where it was taken from.
    """

    on_workers: int = 0
    here: int = 0
    workers: int = 0
    open_s: float = 0.0
    mishaps: Mapping[Mishap, int] = field(default_factory=dict)


class PieceCount:
    """Counts while a run goes on."""

    def __init__(self) -> None:
        self.here = 0
        self._by_worker: Counter[str] = Counter()
        self._mishaps: Counter[Mishap] = Counter()
        self._open_s = 0.0

    def add_piece(self, worker: str, *, open_s: float) -> None:
        """Count a piece that was taken from a worker, which opened the store in ``open_s``."""
        self._by_worker[worker] += 1
        self._open_s = max(self._open_s, open_s)

    def add_mishap(self, mishap: Mishap) -> None:
        """Count what went wrong."""
        self._mishaps[mishap] += 1

    def report(self) -> PieceReport:
        """What was counted so far."""
        return PieceReport(
            on_workers=self._by_worker.total(),
            here=self.here,
            workers=len(self._by_worker),
            open_s=self._open_s,
            mishaps=dict(self._mishaps),
        )
