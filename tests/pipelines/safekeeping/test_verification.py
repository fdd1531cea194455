"""Every part that a tester damaged is found, and the parts that are whole are called whole."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from pipelines.safekeeping.verification import verify_installation
from pipelines.settings import Settings
from pipelines.storage.event_store.store import EventStore
from pipelines.webapp.accounts import add_user
from tests.pipelines.conftest import Home
from tests.pipelines.landing import DAY, calls, put, put_district


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("whole"))
    put_district(home.landing)
    bad = [row | {"duration_s": -1} for row in calls(1, first=80, first_line=40)]
    put(home.landing, f"calls/{DAY}/cmcc-0930.parquet", calls(30, first=50, first_line=20) + bad)
    home.ingest()
    add_user(home.settings, name="chen.jie", role="admin", communities=())
    EventStore.of(home.settings).bring_forward()
    return home


@pytest.fixture
def settings(whole, tmp_path) -> Settings:
    shutil.copytree(whole.settings.home, tmp_path / "home")
    return Settings(home=tmp_path / "home")


def not_whole(settings: Settings) -> dict[str, str]:
    found = verify_installation(settings)
    assert all(one.remedy for one in found if not one.is_whole)
    return {one.part: one.detail for one in found if not one.is_whole}


def flip(path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_whole_installation_is_called_whole(settings):
    found = {one.part: one for one in verify_installation(settings)}
    assert all(one.is_whole for one in found.values()), found
    assert found["lake"].detail.endswith("data files, each what was written")
    assert found["vault.db"].detail.endswith("entries, each opens")
    assert found["serving.db"].detail == "whole, with 2 entries of the audit trail"
    assert found["quarantine"].detail == "1 row in 1 file"


def test_a_home_without_anything_is_whole_and_nothing_is_made_in_it(tmp_path):
    assert not_whole(Settings(home=tmp_path)) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == []


def test_one_flipped_bit_of_the_lake_is_found(settings):
    place = next((settings.lake_folder / "calls").rglob("*.parquet"))
    flip(place, place.stat().st_size // 2)
    (detail,) = not_whole(settings).values()
    assert detail.startswith("1 of ")
    assert place.name in detail


def test_a_data_file_that_is_gone_is_found(settings):
    place = next((settings.lake_folder / "calls").rglob("*.parquet"))
    place.unlink()
    assert place.name in not_whole(settings)["lake"]


def test_a_key_a_ledger_and_a_database_that_are_gone_are_found(settings):
    (settings.keys_folder / "vault.key").unlink()
    (settings.lake_folder / "ledger.db").unlink()
    (settings.home / "serving.db").unlink()
    found = not_whole(settings)
    assert set(found) == {"vault.key", "ledger and lake", "vault.db", "serving.db"}
    assert not (settings.lake_folder / "ledger.db").exists()


def test_entries_of_the_vault_that_do_not_open_are_counted(settings):
    with closing(sqlite3.connect(settings.vault_file)) as connection:
        connection.execute("UPDATE entries SET sealed = zeroblob(60) WHERE kind = 'account'")
        connection.commit()
    assert "entries do not open with the key" in not_whole(settings)["vault.db"]


def test_a_damaged_database_is_found(settings):
    place = settings.home / "serving.db"
    content = bytearray(place.read_bytes())
    content[8192:16384] = bytes(8192)
    place.write_bytes(content)
    assert set(not_whole(settings)) == {"serving.db"}


def test_a_changed_audit_trail_is_found(settings):
    with closing(sqlite3.connect(settings.home / "serving.db")) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit SET actor = 'nobody'")
        connection.commit()
    assert not_whole(settings) == {"serving.db": "the audit trail is not whole at entry 1"}


def test_files_of_store_and_quarantine_that_cannot_be_read_are_found(settings):
    next(settings.store_folder.glob("*.arrow")).write_bytes(b"nothing")
    next(settings.quarantine_folder.glob("*.parquet")).write_bytes(b"nothing")
    assert set(not_whole(settings)) == {"store", "quarantine"}
