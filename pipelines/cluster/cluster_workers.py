"""Who computes in a run: workers that the settings name, or this machine where there are none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from features.event_index import EventIndex
from pipelines.cluster.connection import connect_cluster, require_cluster
from pipelines.cluster.fingerprint import take_fingerprint
from pipelines.cluster.piece_report import Mishap, PieceReport
from pipelines.cluster.piece_round import PieceRound
from pipelines.cluster.pieces import THIS_MACHINE, Found, Piece, PieceFunction, Shared, Workers
from pipelines.cluster.roster import Roster
from pipelines.cluster.worker_index import PieceTask
from pipelines.progress import Progress, no_progress
from pipelines.settings import Cluster
from pipelines.storage.event_store.reference import StoreReference

__all__ = ["ClusterWorkers", "open_workers"]


@contextmanager
def open_workers(
    cluster: Cluster,
    *,
    event_index: EventIndex,
    reference: StoreReference | None,
    progress: Progress = no_progress,
) -> Iterator[Workers]:
    """Who computes the pieces of ``event_index`` during a run: the workers of the ``cluster`` that
    the settings name, and this machine where there are none or they are lost.

    ``reference`` opens the same index elsewhere; None where only this process has it. Raises
    ``SettingsError`` where Dask is not installed or a certificate cannot be read.
    """
    if not cluster.scheduler:
        yield THIS_MACHINE
        return
    require_cluster(cluster)
    workers = ClusterWorkers(cluster, event_index, reference, progress=progress)
    try:
        yield workers
    finally:
        workers.close()


class ClusterWorkers:
    """The workers of a cluster, asked for the first time when there is work for several; other
    work, and that of another event index than theirs, this machine computes.
    """

    def __init__(
        self,
        cluster: Cluster,
        event_index: EventIndex,
        reference: StoreReference | None,
        *,
        progress: Progress = no_progress,
    ) -> None:
        self._cluster = cluster
        self._event_index = event_index
        self._reference = reference
        self._roster = Roster(cluster.scheduler, progress)
        self._is_asked = False

    def compute_pieces(
        self,
        function: PieceFunction[Shared, Piece, Found],
        pieces: Sequence[Piece],
        *,
        event_index: EventIndex,
        shared: Shared,
    ) -> Iterator[Found]:
        """See :class:`pipelines.cluster.pieces.Workers`."""
        task = None
        if len(pieces) > 1 and event_index is self._event_index:
            task = self._task_of(function)
        if task is None:
            for found in THIS_MACHINE.compute_pieces(
                function, pieces, event_index=event_index, shared=shared
            ):
                self._roster.count.here += 1
                yield found
            return
        yield from PieceRound(
            task,
            pieces,
            event_index=event_index,
            shared=shared,
            roster=self._roster,
            limits=self._cluster,
        ).results()

    def report(self) -> PieceReport:
        """What became of the pieces so far."""
        return self._roster.count.report()

    def close(self) -> None:
        """Leave the cluster."""
        self._roster.leave()

    def _task_of(
        self, function: PieceFunction[Shared, Piece, Found]
    ) -> PieceTask[Shared, Piece, Found] | None:
        """What workers are asked to compute; None where they cannot be asked."""
        if not self._is_asked:
            self._is_asked = True
            self._ask_cluster()
        if self._reference is None or self._roster.link is None:
            return None
        return PieceTask(
            function=function,
            reference=self._reference,
            cache_folder=self._cluster.cache_folder,
            fingerprint=take_fingerprint(),
        )

    def _ask_cluster(self) -> None:
        if self._reference is None:
            self._roster.note(Mishap.INDEX_HERE_ALONE)
            return
        self._roster.link = connect_cluster(self._cluster)
        if self._roster.link is None:
            self._roster.note(Mishap.SCHEDULER_MISSING)
        elif not self._roster.living_workers():
            self._roster.note(Mishap.WORKERS_MISSING)
