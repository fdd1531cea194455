"""The roster of a run: which workers of a cluster still get pieces, and what went wrong so far."""

from dataclasses import dataclass, field

from pipelines.cluster.connection import ClusterLink
from pipelines.cluster.piece_report import Mishap, PieceCount
from pipelines.progress import Progress

__all__ = ["MISHAPS", "Roster"]

MISHAPS = {
    Mishap.WORKER_LOST: "was lost, its piece is computed elsewhere",
    Mishap.WORKER_LATE: "takes too long, its piece is computed elsewhere",
    Mishap.WORKER_FAILED: "failed, its piece is computed here",
    Mishap.WORKER_DIFFERS: "computes with another",
    Mishap.STORE_UNREAD: "cannot open the event store",
    Mishap.SCHEDULER_MISSING: "cannot be reached, this machine computes alone",
    Mishap.SCHEDULER_LOST: "was lost, this machine computes the rest",
    Mishap.WORKERS_MISSING: "has no workers, this machine computes alone",
    Mishap.INDEX_HERE_ALONE: "is not asked: the event index was laid out from older registers",
}


@dataclass(eq=False)
class Roster:
    """The workers that a scheduler knows, without those of which something bad was seen."""

    scheduler: str
    progress: Progress
    link: ClusterLink | None = None
    count: PieceCount = field(default_factory=PieceCount)
    _lost_link: ClusterLink | None = None
    _set_aside: set[str] = field(default_factory=set)

    def living_workers(self) -> dict[str, int]:
        """The threads of each worker by its address, also of those set aside; nothing once the
        scheduler is lost.
        """
        if self.link is None:
            return {}
        found = self.link.workers()
        if self.link.is_lost:
            self._lost_link, self.link = self.link, None  # closed once nobody waits for an answer
            self.note(Mishap.SCHEDULER_LOST)
        return found

    def leave(self) -> None:
        """Leave the cluster."""
        for link in (self.link, self._lost_link):
            if link is not None:
                link.close()

    def is_set_aside(self, worker: str) -> bool:
        """Whether the worker gets no more pieces."""
        return worker in self._set_aside

    def set_aside(self, worker: str, mishap: Mishap, *, why: str = "") -> None:
        """Give a worker nothing more, and say why once."""
        if worker not in self._set_aside:
            self._set_aside.add(worker)
            self.note(mishap, of=worker, why=why)

    def note(self, mishap: Mishap, *, of: str = "", why: str = "") -> None:
        """Count and say what went wrong, with a worker or with the scheduler."""
        self.count.add_mishap(mishap)
        name = f"worker {of}" if of else f"cluster {self.scheduler}"
        self.progress(f"{name} {MISHAPS[mishap]}{f': {why}' if why else ''}")
