"""A list and a model made with a cluster, from a lake in an object store, are those of one machine
to the last digit, though one of the workers dies on the way.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import select

from features.whom_to_ask import query_points_for_everyone
from models.learning import outage_augmentation
from pipelines.clock import wall_clock
from pipelines.cluster.cluster_workers import open_workers
from pipelines.cluster.pieces import THIS_MACHINE
from pipelines.orchestration.recorded_verbs import run_score, run_train
from pipelines.scoring import scored_people, suspects
from pipelines.scoring.scored_people import score_query_points
from pipelines.settings import Cluster, Settings, Storage
from pipelines.storage.event_store.loading import load_known_records
from pipelines.storage.installation.models import open_registry
from pipelines.storage.places.objects import Objects
from pipelines.storage.score_log import ScoreLog
from pipelines.training.learn import snapshot_piece
from serving.database.engine import open_database, read_transaction
from serving.database.tables import AlertRow, Base, ScoreRow, SuspectRow, WatchlistRow
from serving.operations.service import read_overview
from serving.vocabulary.reports import Run
from tests.pipelines.district import TRAIN_AT
from tests.serving.conftest import POSTGRES_URL, a_database, make_ordinary_role, owned_url

NIGHT_AT = TRAIN_AT + timedelta(days=1)
TICK_AT = NIGHT_AT + timedelta(hours=14)
# On a busy machine: what is tried here is what comes out, not how fast.
PATIENCE = {"connect_seconds": 60, "answer_seconds": 60, "retry_seconds": 600}


@pytest.fixture(scope="module", autouse=True)
def small_pieces():
    """So that a small district is more than one piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scored_people, "PIECE", 150)
        patch.setattr(suspects, "PIECE", 400)
        patch.setattr(outage_augmentation, "PIECE", 500)
        yield


@pytest.fixture(scope="module")
def alone(own_trained) -> Settings:
    return own_trained[0]


@pytest.fixture(scope="module")
def together(alone, tmp_path_factory, local_cluster, object_server) -> Iterator[Settings]:
    """The same home once more, with the cluster; its tables in an object store, and its lists in
    PostgreSQL where there is a server.
    """
    home = tmp_path_factory.mktemp("together") / "home"
    shutil.copytree(alone.home, home)
    storage = object_server.new_bucket().model_copy(update=PATIENCE)
    settings = alone.model_copy(
        update={
            "home": home,
            "cluster": Cluster(scheduler=local_cluster.scheduler_address, connect_seconds=120),
            "storage": storage,
        }
    )
    move_tables(settings.lake_folder, storage)
    if POSTGRES_URL is None:
        yield settings
        return
    make_ordinary_role()
    with a_database() as name:
        serving = settings.serving.model_copy(update={"database_url": owned_url(name)})
        yield settings.model_copy(update={"serving": serving})


def move_tables(lake_folder: Path, storage: Storage) -> None:
    """Move the tables of a lake into an object store as they are; the ledger stays."""
    tables = Objects(storage, "lake")
    for path in sorted(path for path in lake_folder.rglob("*") if path.is_file()):
        if path.parent != lake_folder:
            tables.upload(path, path.relative_to(lake_folder).as_posix())
    for table in lake_folder.iterdir():
        if table.is_dir():
            shutil.rmtree(table)


@pytest.fixture
def kill_worker(local_cluster) -> Callable[[str], None]:
    """Hears how far a run is, and kills one worker once it has scored its first people."""
    local_cluster.wait_for_workers(2, timeout=300)
    with local_cluster.get_client() as client:
        victims = [max(client.run(os.getpid).values())]

    def hear(said: str) -> None:
        if victims and ("scored " in said or ("of " in said and "moments" in said)):
            os.kill(victims.pop(), signal.SIGKILL)

    return hear


def rows_of(settings: Settings, table: type[Base], *without: str) -> list[dict[str, Any]]:
    """Everything that a table holds, in the order of its keys."""
    columns = [column for column in table.__table__.columns if column.name not in without]
    keys = table.__table__.primary_key.columns
    with read_transaction(open_database(settings.serving_database_url)) as session:
        found = session.execute(select(*columns).order_by(*keys))
        return [dict(row._mapping) for row in found]


def newest_run(settings: Settings) -> Run:
    with read_transaction(open_database(settings.serving_database_url)) as session:
        return read_overview(session, at=wall_clock()).runs[0]


def test_lists_of_the_night_and_of_the_day_are_the_same(alone, together, kill_worker):
    for kind, at in (("nightly", NIGHT_AT), ("intraday", TICK_AT)):
        expected = run_score(alone, at=at, kind=kind)
        found = run_score(together, at=at, kind=kind, progress=kill_worker)
        assert expected.alerts
        assert found.alerts == expected.alerts
        assert (found.scored, found.drift) == (expected.scored, expected.drift)
        assert expected.pieces is None
        assert found.pieces.on_workers > found.pieces.here
        facts = newest_run(together).facts
        assert facts["pieces_by_workers"] == found.pieces.on_workers
        assert facts["workers"] >= 1
        if kind == "nightly":
            assert facts["worker_lost"] == 1
        assert "workers" not in newest_run(alone).facts
    for table, *without in (
        (WatchlistRow, "published_at"),
        (AlertRow,),
        (ScoreRow,),
        (SuspectRow,),
    ):
        rows = rows_of(together, table, *without)
        assert rows == rows_of(alone, table, *without)
        assert rows
    logs = [ScoreLog(settings.scores_folder) for settings in (alone, together)]
    for day in (NIGHT_AT.date(), NIGHT_AT.date() - timedelta(days=1)):
        kept, expected = (log.read(day) for log in logs)
        assert_frame_equal(kept, expected, check_exact=True)


def test_every_score_and_every_feature_is_the_same(together, kill_worker):
    known = load_known_records(together, at=NIGHT_AT, span=timedelta(days=1))
    event_index, reference = known.event_index, known.reference
    points = query_points_for_everyone(event_index, at=NIGHT_AT)
    registry = open_registry(together)
    model = registry.load(registry.champion())
    few = [points[start : start + 100] for start in range(0, 500, 100)]

    def features(workers):
        return workers.compute_pieces(
            snapshot_piece, few, event_index=event_index, shared=model.reputations
        )

    with open_workers(together.cluster, event_index=event_index, reference=reference) as workers:
        scored = score_query_points(
            event_index, model, points, workers=workers, progress=kill_worker
        )
        snapshots = list(features(workers))
        assert workers.report().on_workers >= len(points) // 150 + len(few) - 2
    assert_frame_equal(scored, score_query_points(event_index, model, points), check_exact=True)
    for found, expected in zip(snapshots, features(THIS_MACHINE), strict=True):
        assert_frame_equal(found, expected, check_exact=True)


def test_a_model_learned_with_a_cluster_is_the_same_file_by_file(alone, together, kill_worker):
    expected = run_train(alone, at=NIGHT_AT, promote="never", seed=7)
    found = run_train(together, at=NIGHT_AT, promote="never", seed=7, progress=kill_worker)
    assert found.digest == expected.digest  # of all files of the model
    assert dict(found.metrics) == pytest.approx(dict(expected.metrics), rel=0, abs=0, nan_ok=True)
    assert (found.figures, found.reasons) == (expected.figures, expected.reasons)
    assert found.pieces.on_workers > found.pieces.here
    facts = newest_run(together).facts
    assert facts["pieces_by_workers"] == found.pieces.on_workers
    assert facts["worker_lost"] == 1
