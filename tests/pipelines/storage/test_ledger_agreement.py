"""A ledger that is lost, or is not of the lake beside it, stops the next load instead of losing
rows.
"""

import shutil
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import LakeError
from pipelines.scoring.score import score
from pipelines.storage.ledger import Ledger
from pipelines.storage.ledger_agreement import find_disagreements, rebuild_ledger
from pipelines.training.train import train
from tests.pipelines.landing import DAY, RECEIVED_AT, calls, put, residents, transfers

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def loaded(home):
    put(home.landing, "residents.parquet", residents())
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    put(home.landing, f"transfers/{DAY}/icbc.parquet", transfers())
    home.ingest()
    return home


def ledger_file(home):
    return home.settings.lake_folder / "ledger.db"


def arrivals_of_events(home):
    """What arrived, but for what the lake cannot tell."""
    arrivals = home.lake.arrivals().drop("file", "ingested_at")
    return arrivals.filter(pl.col("event_day").is_not_null())


def put_next_day(home):
    put(home.landing, f"calls/{NEXT}/cmcc.parquet", calls(day=NEXT))
    put(home.landing, f"transfers/{NEXT}/icbc.parquet", transfers(day=NEXT))


def test_without_its_ledger_the_lake_takes_no_load(loaded):
    ledger_file(loaded).unlink()
    put_next_day(loaded)
    with pytest.raises(LakeError, match="reached calls, and the ledger does not know it") as error:
        loaded.ingest()
    assert "forestall rebuild-ledger" in error.value.remedy
    assert loaded.table("calls").height == 40


def test_a_ledger_older_than_the_lake_stops_the_load(loaded, tmp_path):
    shutil.copy(ledger_file(loaded), tmp_path / "old.db")
    put_next_day(loaded)
    loaded.ingest()
    shutil.copy(tmp_path / "old.db", ledger_file(loaded))
    put(loaded.landing, f"calls/{NEXT}/cmcc-0930.parquet", calls(5, day=NEXT, first_line=20))
    with pytest.raises(LakeError, match="the ledger does not know it"):
        loaded.ingest()


def test_a_lake_older_than_its_ledger_stops_the_load(loaded, tmp_path):
    shutil.copytree(loaded.settings.lake_folder / "calls", tmp_path / "calls")
    put_next_day(loaded)
    loaded.ingest()
    shutil.rmtree(loaded.settings.lake_folder / "calls")
    shutil.copytree(tmp_path / "calls", loaded.settings.lake_folder / "calls")
    with pytest.raises(LakeError, match="of calls, which is not there"):
        loaded.ingest()
    rebuild_ledger(loaded.lake, Ledger(ledger_file(loaded)))
    reports = loaded.ingest()  # the file whose rows are gone comes again, and no other
    assert {path: one.accepted for path, one in reports.items() if one.accepted} == {
        f"calls/{NEXT}/cmcc.parquet": 40
    }
    assert loaded.table("calls").height == 80


def test_the_lake_refuses_a_batch_older_than_its_last(loaded):
    with pytest.raises(LakeError, match="was given out before"):
        loaded.lake.append("calls", loaded.table("calls"), batch=1)


def test_the_ledger_is_made_again_from_the_lake(loaded):
    put_next_day(loaded)
    loaded.ingest()
    before = arrivals_of_events(loaded)
    version, tables = loaded.lake.version(), {n: loaded.table(n) for n in ("calls", "transfers")}
    ledger_file(loaded).unlink()
    made = {one.dataset: one for one in rebuild_ledger(loaded.lake, Ledger(ledger_file(loaded)))}
    assert (made["calls"].added, made["calls"].rows, made["calls"].kept) == (2, 80, 0)
    assert (made["residents"].added, made["residents"].rows) == (1, 40)
    assert find_disagreements(loaded.lake, Ledger(ledger_file(loaded))) == []
    assert loaded.lake.version() == version
    assert_frame_equal(arrivals_of_events(loaded), before, check_row_order=False)
    reports = loaded.ingest()  # everything is read again, and nothing comes twice
    assert {one.accepted for path, one in reports.items() if "/" in path} == {0}
    assert {one.duplicates for path, one in reports.items() if "/" in path} == {40}
    for name, table in tables.items():
        assert_frame_equal(loaded.table(name), table, check_row_order=False)


def test_the_ledger_is_brought_up_to_the_lake(loaded, tmp_path):
    shutil.copy(ledger_file(loaded), tmp_path / "old.db")
    known = Ledger(ledger_file(loaded)).loads_of_path(f"calls/{DAY}/cmcc.parquet")
    put_next_day(loaded)
    loaded.ingest()
    shutil.copy(tmp_path / "old.db", ledger_file(loaded))
    made = {one.dataset: one for one in rebuild_ledger(loaded.lake, Ledger(ledger_file(loaded)))}
    assert (made["calls"].kept, made["calls"].added, made["calls"].rows) == (1, 1, 40)
    assert Ledger(ledger_file(loaded)).loads_of_path(f"calls/{DAY}/cmcc.parquet") == known
    put(loaded.landing, f"calls/{NEXT}/cmcc-0930.parquet", calls(5, day=NEXT, first_line=20))
    assert loaded.ingest()[f"calls/{NEXT}/cmcc-0930.parquet"].accepted == 5


def test_a_ledger_that_began_anew_is_put_right(loaded):
    """As an earlier version left it: batches counted from one again, and no row arrived."""
    ledger_file(loaded).unlink()
    anew = Ledger(ledger_file(loaded))
    anew.prepare(2, dataset="calls", files=(), arrivals=(), received_at=RECEIVED_AT)
    anew.commit(2, delta_version=7)
    rebuild_ledger(loaded.lake, anew)
    assert find_disagreements(loaded.lake, anew) == []


def test_a_lake_that_is_gone_with_its_ledger_is_not_begun_anew(loaded, tmp_path):
    loaded.settings.lake_folder.rename(tmp_path / "not-mounted")
    with pytest.raises(LakeError, match="is gone, and this home has loaded into it"):
        loaded.ingest()
    shutil.rmtree(loaded.settings.lake_folder)
    (tmp_path / "not-mounted").rename(loaded.settings.lake_folder)
    put_next_day(loaded)
    assert sum(one.accepted for one in loaded.ingest().values()) == 80


@pytest.mark.parametrize("gone", ["ledger.db", ""])
def test_without_lake_or_ledger_no_list_is_made_and_no_model(loaded, gone, tmp_path):
    place = loaded.settings.lake_folder / gone
    place.rename(tmp_path / "elsewhere")
    at = RECEIVED_AT
    for make in (
        lambda: train(loaded.settings, at=at),
        lambda: score(loaded.settings, at=at, kind="nightly"),
    ):
        with pytest.raises(LakeError, match="is gone, and"):
            make()
