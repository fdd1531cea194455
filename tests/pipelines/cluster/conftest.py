"""A cluster of two worker processes on this machine, one for all tests of a process."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from features.event_index import EventIndex
from pipelines.cluster.cluster_workers import open_workers
from pipelines.cluster.piece_report import PieceReport
from pipelines.settings import Cluster, Storage
from pipelines.storage.event_store.reference import StoreReference
from pipelines.storage.event_store.store import EventStore
from tests.features.districts import NOON, ago, call, district
from tests.pipelines.cluster.piece_functions import PIECES, Scene
from tests.pipelines.storage.event_store.lakes import SmallLake, lake_rows


@dataclass(frozen=True)
class Stored:
    """A small event store, opened, and what opens it elsewhere."""

    lake: SmallLake
    store: EventStore
    event_index: EventIndex
    reference: StoreReference


@pytest.fixture(scope="session")
def local_cluster() -> Iterator["LocalCluster"]:  # noqa: F821
    """Two workers that stand up again after they were killed.

    They have one thread where this process has several: what is summed in parallel must come to the
    same.
    """
    from distributed import LocalCluster

    with LocalCluster(
        processes=True,
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        memory_limit=None,
        env={"POLARS_MAX_THREADS": "1"},
    ) as cluster:
        yield cluster


@pytest.fixture
def cluster(local_cluster) -> Cluster:
    """The settings of that cluster, with both workers there; patient on a busy machine."""
    local_cluster.wait_for_workers(2, timeout=300)
    return Cluster(scheduler=local_cluster.scheduler_address, connect_seconds=120)


def store_in(folder: Path, storage: Storage | None = None) -> Stored:
    """A lake and a store of few events in ``folder``, or where ``storage`` says."""
    tables = district(calls=[call("x1", ago(days=3), duration_s=700)])
    storage = storage or Storage()
    lake = SmallLake(folder / "lake", storage)
    lake.replace_registers(tables)
    for dataset in ("calls", "transfers"):
        lake.append(dataset, lake_rows(tables, dataset))
    store = EventStore(folder / "store", lake.lake, storage=storage)
    store.bring_forward()
    return Stored(lake, store, store.open(at=NOON), store.reference(at=NOON))


@pytest.fixture
def stored(tmp_path) -> Stored:
    return store_in(tmp_path)


@pytest.fixture
def scene(tmp_path) -> Scene:
    return Scene(os.getpid(), tmp_path)


@pytest.fixture
def compute(stored, scene, request):
    """Compute the pieces on the cluster; what they come to, the report, and what was said."""

    def run(
        function, *, limits: Cluster | None = None, scene: Scene = scene, **more
    ) -> tuple[list[int], PieceReport]:
        given = {"event_index": stored.event_index, "reference": stored.reference} | more
        limits = limits or request.getfixturevalue("cluster")
        with open_workers(limits, **given) as workers:
            found = list(
                workers.compute_pieces(
                    function, PIECES, event_index=stored.event_index, shared=scene
                )
            )
            report = workers.report()
        assert report is not None
        assert report.on_workers + report.here == len(PIECES)
        return found, report

    return run
