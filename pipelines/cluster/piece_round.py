"""One round of pieces on the workers of a cluster: each piece goes to a worker that is free, and
where that one dies, fails or takes too long to another, in the end to this machine.

Whichever answer comes first counts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Generic

from features.event_index import EventIndex
from pipelines.cluster.connection import ClusterLink, LostAnswerError, RemoteResult, pack_shared
from pipelines.cluster.piece_report import Mishap
from pipelines.cluster.pieces import PIECES_AT_ONCE, Found, Piece, Shared
from pipelines.cluster.roster import Roster
from pipelines.cluster.worker_index import Answer, PieceTask, Refusal, compute_piece
from pipelines.settings import Cluster
from pipelines.storage.event_store.parts.frame_files import release_pages

__all__ = ["PieceRound"]

LOOK_S = 0.5  # so often it is looked who is lost or late, while nothing comes in
MOST_WAITED_FOR = 1000  # answers, each by a thread that sleeps meanwhile


@dataclass(eq=False)
class Attempt:
    """One computation of the piece ``number``, here or on a ``worker``, since ``began_s`` of the
    monotonic clock. ``future`` gives what was found here, or the worker's answer.
    """

    number: int
    began_s: float
    future: Future[Any]
    worker: str | None = None
    remote: RemoteResult | None = None
    is_late: bool = False

    def drop(self) -> None:
        """Let nobody wait for it any more."""
        if self.remote is not None:
            self.remote.drop()


class PieceRound(Generic[Shared, Piece, Found]):
    """Pieces, who is at each, and what came in."""

    def __init__(
        self,
        task: PieceTask[Shared, Piece, Found],
        pieces: Sequence[Piece],
        *,
        event_index: EventIndex,
        shared: Shared,
        roster: Roster,
        limits: Cluster,
    ) -> None:
        self._task, self._pieces = task, pieces
        self._event_index, self._shared = event_index, shared
        self._packed = pack_shared(shared)
        self._roster, self._limits = roster, limits
        self._waiting = list(range(len(pieces)))
        self._running: list[Attempt] = []
        self._ended: SimpleQueue[Attempt] = SimpleQueue()
        self._found: dict[int, Found] = {}
        self._taken: set[int] = set()
        self._for_here: set[int] = set()
        self._tried: defaultdict[int, set[str]] = defaultdict(set)
        self._shared_on: dict[str, RemoteResult] = {}
        self._own = ThreadPoolExecutor(PIECES_AT_ONCE)
        self._listeners = ThreadPoolExecutor(MOST_WAITED_FOR)

    def results(self) -> Iterator[Found]:
        """What each piece comes to, in the order of the pieces. Raises what goes wrong here."""
        try:
            self._bring_forward()
            for number in range(len(self._pieces)):
                while number not in self._found:
                    with suppress(Empty):
                        self._take(self._ended.get(timeout=LOOK_S))
                    self._bring_forward()
                yield self._found.pop(number)
        finally:
            for attempt in self._running:
                attempt.drop()
            for pool in (self._own, self._listeners):
                pool.shutdown(wait=False, cancel_futures=True)

    def _bring_forward(self) -> None:
        """See who is lost or late, and hand out what waits."""
        workers = self._roster.living_workers()
        self._drop_lost(workers)
        self._repeat_late()
        self._hand_out(workers)

    def _drop_lost(self, workers: Mapping[str, int]) -> None:
        for attempt in tuple(self._running):
            if attempt.worker is not None and attempt.worker not in workers:
                self._running.remove(attempt)
                attempt.drop()
                if self._roster.link is not None:
                    self._roster.set_aside(attempt.worker, Mishap.WORKER_LOST)
                self._wait_again(attempt)

    def _repeat_late(self) -> None:
        for attempt in self._running:
            late = monotonic() - attempt.began_s > self._limits.piece_seconds
            if late and attempt.worker is not None and not attempt.is_late:
                attempt.is_late = True
                self._roster.set_aside(attempt.worker, Mishap.WORKER_LATE)
                self._wait_again(attempt)

    def _hand_out(self, workers: Mapping[str, int]) -> None:
        """Give each waiting piece to a worker with a free thread, or to this machine where enough
        workers had it or none is left.
        """
        free: dict[str | None, int] = {None: PIECES_AT_ONCE}
        free.update(workers.items())
        for attempt in self._running:
            free[attempt.worker] -= 1
        for number in tuple(self._waiting):
            tried = self._tried[number]
            left = [
                worker
                for worker in sorted(workers.keys() - tried)
                if not self._roster.is_set_aside(worker)
            ]
            here = not left or number in self._for_here or len(tried) > self._limits.retries
            worker = None if here else max(left, key=free.__getitem__)
            if free[worker] > 0:
                free[worker] -= 1
                self._waiting.remove(number)
                self._start(number, worker)

    def _start(self, number: int, worker: str | None) -> None:
        link = self._roster.link
        try:
            attempt = (
                self._compute_here(number)
                if worker is None or link is None
                else self._ask_worker(number, worker, link)
            )
        except LostAnswerError:  # the scheduler went this moment
            self._waiting.append(number)
            return
        self._running.append(attempt)
        attempt.future.add_done_callback(lambda _: self._ended.put(attempt))

    def _compute_here(self, number: int) -> Attempt:
        future = self._own.submit(
            self._task.function, self._event_index, self._shared, self._pieces[number]
        )
        return Attempt(number, monotonic(), future)

    def _ask_worker(self, number: int, worker: str, link: ClusterLink) -> Attempt:
        if worker not in self._shared_on:
            self._shared_on[worker] = link.share(self._packed, worker=worker)
        remote = link.compute(
            compute_piece,
            self._task,
            self._shared_on[worker],
            self._pieces[number],
            worker=worker,
        )
        self._tried[number].add(worker)
        return Attempt(number, monotonic(), self._listeners.submit(remote.fetch), worker, remote)

    def _take(self, attempt: Attempt) -> None:
        """Keep what an attempt came to, unless it was dropped or another came first."""
        if attempt not in self._running:
            return
        self._running.remove(attempt)
        if attempt.number in self._taken:
            return
        if attempt.worker is None:
            self._keep(attempt, attempt.future.result())
            self._roster.count.here += 1
            release_pages()
        else:
            self._take_from_worker(attempt, attempt.worker)

    def _take_from_worker(self, attempt: Attempt, worker: str) -> None:
        try:
            answer: Answer[Found] | Refusal = attempt.future.result()
        except LostAnswerError:
            self._roster.living_workers()  # sees whether it is the scheduler that is gone
            if self._roster.link is not None:
                self._roster.set_aside(worker, Mishap.WORKER_LOST)
        except Exception as error:  # noqa: BLE001 -- if it is the piece's own, it comes again here
            self._roster.set_aside(worker, Mishap.WORKER_FAILED, why=type(error).__name__)
            self._for_here.add(attempt.number)
        else:
            if not isinstance(answer, Refusal):
                self._keep(attempt, answer.found)
                self._roster.count.add_piece(worker, open_s=answer.open_s)
                return
            self._roster.set_aside(worker, answer.mishap, why=answer.why)
            self._tried[attempt.number].discard(worker)  # it did not try
        self._wait_again(attempt)

    def _keep(self, attempt: Attempt, found: Found) -> None:
        self._taken.add(attempt.number)
        self._found[attempt.number] = found

    def _wait_again(self, attempt: Attempt) -> None:
        """Let a piece wait for another, unless it has come or somebody else is at it."""
        number = attempt.number
        others = any(one.number == number and not one.is_late for one in self._running)
        if number not in self._taken and number not in self._waiting and not others:
            self._waiting.append(number)
