"""Pieces on workers come to what they come to here, whatever befalls the workers."""

import sys

import pytest

from data_contracts.errors import ModelError, SettingsError
from pipelines.cluster import cluster_workers
from pipelines.cluster.cluster_workers import open_workers
from pipelines.cluster.fingerprint import take_fingerprint
from pipelines.cluster.piece_report import Mishap, PieceReport
from pipelines.cluster.pieces import THIS_MACHINE
from pipelines.settings import Cluster, Storage
from tests.features.districts import ago, call, district
from tests.pipelines.cluster import piece_functions
from tests.pipelines.cluster.conftest import store_in
from tests.pipelines.cluster.piece_functions import DOUBLED, PIECES
from tests.pipelines.storage.event_store.lakes import lake_rows


def quick(cluster: Cluster, **update) -> Cluster:
    return cluster.model_copy(update=update)


def test_without_a_scheduler_this_machine_computes(stored, scene):
    with open_workers(
        Cluster(), event_index=stored.event_index, reference=stored.reference
    ) as workers:
        assert workers is THIS_MACHINE
        found = workers.compute_pieces(
            piece_functions.double, PIECES, event_index=stored.event_index, shared=scene
        )
        assert list(found) == DOUBLED
        assert workers.report() is None


def test_workers_compute_all_pieces_in_their_order(compute):
    found, report = compute(piece_functions.double)
    assert found == DOUBLED
    assert (report.on_workers, report.here, report.mishaps) == (8, 0, {})
    assert 1 <= report.workers <= 2


def test_a_single_piece_and_those_of_another_index_are_computed_here(stored, scene, cluster):
    another = stored.store.open(at=stored.reference.at)
    with open_workers(
        cluster, event_index=stored.event_index, reference=stored.reference
    ) as workers:
        for event_index, pieces in ((stored.event_index, [4]), (another, [1, 2])):
            found = workers.compute_pieces(
                piece_functions.double, pieces, event_index=event_index, shared=scene
            )
            assert list(found) == [2 * piece for piece in pieces]
        assert workers.report() == PieceReport(here=3)


def test_the_piece_of_a_killed_worker_is_computed_elsewhere(compute):
    found, report = compute(piece_functions.die_once)
    assert found == DOUBLED
    assert report.mishaps == {Mishap.WORKER_LOST: 1}


def test_a_piece_that_kills_every_worker_is_computed_here(compute):
    found, report = compute(piece_functions.die_always)
    assert found == DOUBLED
    assert report.here >= 1
    assert report.mishaps[Mishap.WORKER_LOST] == 2


def test_a_late_piece_is_computed_elsewhere_and_the_late_answer_dropped(compute, scene, cluster):
    found, report = compute(piece_functions.hang_once, limits=quick(cluster, piece_seconds=4))
    assert found == DOUBLED
    assert report.mishaps[Mishap.WORKER_LATE] >= 1
    (scene.folder / "go on").touch()
    if (
        scene.folder / "hung"
    ).exists():  # not where both workers were late before, on a busy machine
        scene.wait_for("too late")


def test_where_all_workers_hang_this_machine_computes(compute, scene, cluster):
    found, report = compute(
        piece_functions.hang_on_workers, limits=quick(cluster, piece_seconds=0.5)
    )
    (scene.folder / "go on").touch()
    assert found == DOUBLED
    assert (report.on_workers, report.here) == (0, 8)
    assert report.mishaps == {Mishap.WORKER_LATE: 2}


def test_an_error_inside_a_piece_is_that_of_one_machine(compute, stored, scene):
    with pytest.raises(ModelError) as alone:
        list(
            THIS_MACHINE.compute_pieces(
                piece_functions.fail, PIECES, event_index=stored.event_index, shared=scene
            )
        )
    tried = len(list(scene.folder.glob("failed-*")))
    with pytest.raises(ModelError, match="lacks a feature") as raised:
        compute(piece_functions.fail)
    assert (str(raised.value), raised.value.remedy) == (str(alone.value), "Train again.")
    assert len(list(scene.folder.glob("failed-*"))) - tried == 2  # on one worker and here


def test_an_error_of_a_worker_alone_stops_nothing(compute):
    found, report = compute(piece_functions.fail_on_workers)
    assert found == DOUBLED
    assert report.mishaps == {Mishap.WORKER_FAILED: 1}
    assert report.here >= 1


def test_a_worker_with_other_versions_gets_nothing(compute, monkeypatch):
    other = (*take_fingerprint()[:-1], ("forestall", "of last week"))
    monkeypatch.setattr(cluster_workers, "take_fingerprint", lambda: other)
    found, report = compute(piece_functions.double)
    assert found == DOUBLED
    assert (report.here, report.mishaps) == (8, {Mishap.WORKER_DIFFERS: 2})


def test_a_store_that_workers_cannot_open_is_read_here(compute, stored):
    later = district(calls=[call("x5", ago(hours=1))])
    stored.lake.append("calls", lake_rows(later, "calls"))
    stored.store.bring_forward()
    found, report = compute(piece_functions.double)
    assert found == DOUBLED
    assert (report.here, report.mishaps) == (8, {Mishap.STORE_UNREAD: 2})


def test_workers_fetch_a_published_store_though_it_was_brought_forward_since(
    scene, cluster, tmp_path
):
    published = store_in(tmp_path / "home", Storage(url=str(tmp_path / "shared")))
    later = district(calls=[call("x5", ago(hours=1))])
    published.lake.append("calls", lake_rows(later, "calls"))
    published.store.bring_forward()
    own = quick(cluster, cache_folder=tmp_path / "cache")
    with open_workers(
        own, event_index=published.event_index, reference=published.reference
    ) as workers:
        found = workers.compute_pieces(
            piece_functions.double, PIECES, event_index=published.event_index, shared=scene
        )
        assert list(found) == DOUBLED
        report = workers.report()
    assert (report.on_workers, report.mishaps) == (8, {})
    assert any((tmp_path / "cache").rglob("*"))


def test_an_index_that_only_this_process_has_is_read_here(compute):
    found, report = compute(piece_functions.double, reference=None)
    assert found == DOUBLED
    assert report.mishaps == {Mishap.INDEX_HERE_ALONE: 1}


def test_a_scheduler_that_is_not_there_stops_nothing(compute):
    nobody = Cluster(scheduler="tcp://127.0.0.1:1", connect_seconds=0.5)
    said = []
    found, report = compute(piece_functions.double, limits=nobody, progress=said.append)
    assert found == DOUBLED
    assert report == PieceReport(here=8, mishaps={Mishap.SCHEDULER_MISSING: 1})
    assert said == ["cluster tcp://127.0.0.1:1 cannot be reached, this machine computes alone"]


def test_without_dask_it_is_said_what_to_install(compute, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match="Dask is not installed") as raised:
        compute(piece_functions.double)
    assert "forestall[cluster]" in raised.value.remedy
