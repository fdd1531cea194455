"""Whole loads into an object store: what comes of them is what comes of them in a folder."""

import shutil
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import LakeError
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import TABLES
from tests.pipelines.conftest import Home
from tests.pipelines.crash import started
from tests.pipelines.ingestion.test_ingest_crash import CORRECTED, assert_same, put_mixed
from tests.pipelines.landing import DAY, calls, put
from tests.pipelines.storage.objects.proxy import Rule


def home_at(folder: Path, landing: Path, keys: Path, storage) -> Home:
    """A home for the same landing folder with the same keys, whose lake lies elsewhere."""
    folder.mkdir()
    home = Home(folder)
    home.landing = landing
    limits = home.settings.ingest.model_copy(update={"batch_rows": 1})
    home.settings = home.settings.model_copy(
        update={"keys": keys, "storage": storage, "ingest": limits}
    )
    home.lake = Lake.of(home.settings)
    return home


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A home that holds everything itself, before and after a file was corrected."""
    folder = tmp_path_factory.mktemp("local")
    home = Home(folder)
    put_mixed(home.landing)
    corrected = folder / "corrected"
    shutil.copytree(home.landing, corrected)
    put(corrected, CORRECTED, [row | {"duration_s": 75} for row in calls(38)])
    limits = home.settings.ingest.model_copy(update={"batch_rows": 1})
    home.settings = home.settings.model_copy(
        update={"ingest": limits, "keys": home.settings.keys_folder}
    )
    home.ingest()
    after = Home(folder_of(folder, "after"))
    shutil.copytree(home.settings.home, after.settings.home)
    after.landing = corrected
    after.settings = home.settings.model_copy(update={"home": after.settings.home})
    after.ingest(replace=[CORRECTED])
    return home, after


def folder_of(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_the_same_streams_give_the_same_lake(local, bucket, tmp_path):
    before, after = local
    home = home_at(tmp_path / "own", before.landing, before.settings.keys_folder, bucket)
    home.ingest()
    assert_same(home, before)
    version = home.lake.version()
    assert version == before.lake.version()
    home.landing = after.landing
    home.ingest(replace=[CORRECTED])
    assert_same(home, after)
    for dataset in TABLES:
        old = home.lake.at_version(version).scan(dataset).collect()
        assert_frame_equal(old, before.table(dataset), check_row_order=False)
    assert home.lake.compact("calls") == [DAY + timedelta(days=1)]  # the other was written anew
    assert_same(home, after)
    assert home.lake.damaged_files() == []
    assert {path.name for path in home.settings.lake_folder.iterdir()} == {
        "ledger.db",
        "scratch",
        "writer.lock",
    }


@pytest.mark.parametrize(
    ("moment", "replaces"),
    [
        (("Ledger", "prepare"), False),
        (("DeltaTable", "create_write_transaction"), False),
        (("Ledger", "commit"), False),
        (("DeltaTable", "create_write_transaction"), True),
        (("Ledger", "commit"), True),
    ],
)
def test_killed_at_a_delicate_moment(local, bucket, tmp_path, moment, replaces):
    before, after = local
    home = home_at(tmp_path / "own", before.landing, before.settings.keys_folder, bucket)
    options = {"replace": (CORRECTED,)} if replaces else {}
    if replaces:
        home.ingest()
        home.landing = after.landing
    process = started(
        home.landing, home.settings, die_before=moment, die_at=1 if replaces else 2, **options
    )
    process.join()
    assert process.exitcode == -signal.SIGKILL
    home.ingest(**options)
    assert_same(home, after if replaces else before)


def test_a_day_of_lost_answers_ends_with_the_same_lake(object_server, local, bucket, tmp_path):
    before, _ = local
    rules = [
        Rule("PUT", r"_delta_log/0+[135]\.json", "lost", times=12),
        Rule("PUT", r"_delta_log/0+[24]\.json", "busy", times=6),
        Rule("PUT", r"\.parquet", "reset", times=4),
        Rule("GET", r"\.parquet", "cut", times=2),
    ]
    home = home_at(
        tmp_path / "own",
        before.landing,
        before.settings.keys_folder,
        object_server.with_faults(bucket, *rules),
    )
    home.ingest()
    assert {fault for *_, fault in object_server.requests()} >= {"lost", "busy", "reset"}
    assert_same(home, before)


def test_no_answer_at_all_stops_the_load_which_can_be_run_again(
    object_server, local, bucket, tmp_path
):
    before, _ = local
    keys = before.settings.keys_folder
    dead = object_server.with_faults(bucket, Rule("PUT", r"calls/_delta_log/", "reset", times=999))
    home = home_at(tmp_path / "own", before.landing, keys, dead)
    with pytest.raises(LakeError, match="did not answer"):
        home.ingest()
    home.settings = home.settings.model_copy(update={"storage": bucket})
    home.ingest()
    assert_same(home, before)


def test_another_home_cannot_load_into_the_same_lake(local, bucket, tmp_path):
    """Its numbers of batches mean other loads: they would be taken for what is there already."""
    before, _ = local
    keys = before.settings.keys_folder
    home_at(tmp_path / "own", before.landing, keys, bucket).ingest()
    with pytest.raises(LakeError, match="do not belong together"):
        home_at(tmp_path / "other", before.landing, keys, bucket).ingest()
