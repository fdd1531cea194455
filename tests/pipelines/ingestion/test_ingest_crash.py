"""A load killed at any moment and started again leaves the lake as an undisturbed one would."""

import random
import shutil
import signal
import time
from datetime import timedelta

import pytest
from polars.testing import assert_frame_equal

from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.storage.lake_schemas import TABLES
from pipelines.storage.ledger import Ledger
from tests.pipelines.conftest import Home
from tests.pipelines.crash import started
from tests.pipelines.landing import DAY, calls, put, residents, transfers


def put_mixed(landing):
    """A small delivery with rows to accept and to reject, duplicates, and a file to hold: all must
    come out right.
    """
    put(landing, "residents.parquet", residents())
    for day in (DAY, DAY + timedelta(days=1)):
        rows = calls(day=day)
        rows[4] |= {"duration_s": -1}
        put(landing, f"calls/{day}/cmcc.parquet", rows)
        put(landing, f"calls/{day}/cmcc-0930.parquet", calls(5, day=day))
    put(landing, f"calls/{DAY}/cucc.parquet", [row | {"duration_s": -1} for row in calls()])
    put(landing, f"transfers/{DAY}/icbc.parquet", transfers())


def one_file_a_batch(home):
    limits = home.settings.ingest.model_copy(update={"batch_rows": 1})
    return home.settings.model_copy(update={"ingest": limits})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("undisturbed"))
    put_mixed(home.landing)
    home.settings = one_file_a_batch(home)
    begun = time.monotonic()
    home.ingest()
    home.seconds = time.monotonic() - begun
    return home


@pytest.fixture
def disturbed(undisturbed, tmp_path):
    """A second home for the same landing folder, with the same keys."""
    home = Home(tmp_path)
    home.landing = undisturbed.landing
    home.settings = undisturbed.settings.model_copy(
        update={"home": home.settings.home, "keys": undisturbed.settings.keys_folder}
    )
    return home


def assert_same(home, other):
    for dataset in TABLES:
        assert_frame_equal(home.table(dataset), other.table(dataset), check_row_order=False)
    assert_frame_equal(
        read_quarantine(home.settings, reveal=True), read_quarantine(other.settings, reveal=True)
    )
    assert_frame_equal(home.lake.arrivals(), other.lake.arrivals())
    assert Ledger(home.settings.lake_folder / "ledger.db").unfinished_batches() == []


@pytest.mark.parametrize(
    "moment",
    [
        ("Vault", "put_identifiers"),
        ("Ledger", "prepare"),
        ("Lake", "append"),
        ("DeltaTable", "create_write_transaction"),
        ("Ledger", "commit"),
        ("Ledger", "next_batch"),
    ],
    ids="-".join,
)
def test_killed_at_a_delicate_moment(undisturbed, disturbed, moment):
    process = started(disturbed.landing, disturbed.settings, die_before=moment)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    disturbed.ingest()
    assert_same(disturbed, undisturbed)


def test_killed_again_and_again_at_random_moments(undisturbed, disturbed):
    moments = random.Random(20260801)
    for _ in range(4):
        process = started(disturbed.landing, disturbed.settings)
        process.join(moments.uniform(0.1, 0.4) * undisturbed.seconds)
        process.kill()
        process.join()
    disturbed.ingest()
    assert_same(disturbed, undisturbed)
    for report in disturbed.ingest().values():
        assert report.accepted == 0


CORRECTED = f"calls/{DAY}/cmcc.parquet"


@pytest.fixture(scope="module")
def corrected(undisturbed, tmp_path_factory):
    """The landing folder with another content of one file, and a home that took it undisturbed in
    the place of the first.
    """
    folder = tmp_path_factory.mktemp("corrected")
    home = Home(folder)
    shutil.rmtree(home.landing)
    shutil.copytree(undisturbed.landing, home.landing)
    put(home.landing, CORRECTED, [row | {"duration_s": 75} for row in calls(38)])
    shutil.copytree(undisturbed.settings.home, home.settings.home)
    home.settings = undisturbed.settings.model_copy(
        update={"home": home.settings.home, "keys": undisturbed.settings.keys_folder}
    )
    assert home.ingest(replace=[CORRECTED])[CORRECTED].accepted == 38
    return home


@pytest.mark.parametrize(
    "moment",
    [
        ("Ledger", "prepare"),
        ("Lake", "amend"),
        ("DeltaTable", "create_write_transaction"),
        ("Ledger", "commit"),
        ("Lake", "version"),
    ],
    ids="-".join,
)
def test_a_replacement_killed_at_a_delicate_moment(corrected, undisturbed, tmp_path, moment):
    home = Home(tmp_path)
    home.landing = corrected.landing
    shutil.copytree(undisturbed.settings.home, home.settings.home)
    home.settings = corrected.settings.model_copy(update={"home": home.settings.home})
    process = started(
        home.landing, home.settings, die_before=moment, die_at=1, replace=(CORRECTED,)
    )
    process.join()
    assert process.exitcode == -signal.SIGKILL
    home.ingest(replace=[CORRECTED])
    assert_same(home, corrected)
    assert (
        Ledger(home.settings.lake_folder / "ledger.db").decisions()
        == Ledger(corrected.settings.lake_folder / "ledger.db").decisions()
    )
