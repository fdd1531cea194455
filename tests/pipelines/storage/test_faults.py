"""A disk that is full, takes no writes or has damaged files ends in words, and nothing is lost."""

import errno
import re
import sqlite3
import sys
from datetime import timedelta

import polars as pl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from data_contracts.errors import LakeError
from pipelines.cli import main as cli
from pipelines.settings import Settings
from pipelines.storage.faults import DiskError, explain_fault
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.lake import Lake
from pipelines.webapp.home_watch import InstallationWatch
from pipelines.webapp.wiring import build_application
from serving.context.ports import HomeState
from tests.pipelines.conftest import Home
from tests.pipelines.landing import DAY, calls, put, residents
from tests.pipelines.small_disk import mounted

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def said(monkeypatch, capsys):
    """Runs a command that fails; gives what it says of the error."""

    def run_main(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["forestall", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 1
        text = capsys.readouterr().err
        assert "Traceback" not in text
        return text

    return run_main


@pytest.fixture
def disk(tmp_path):
    with mounted(tmp_path / "disk") as found:
        yield found


@pytest.fixture
def on_disk(disk, tmp_path):
    """A home on the small disk, with a load in it."""
    home = Home(tmp_path)
    home.settings = Settings(home=disk.folder / "home")
    home.lake = Lake(home.settings.lake_folder)
    put(home.landing, "residents.parquet", residents())
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    home.ingest()
    return home


@pytest.fixture
def loaded(home):
    put(home.landing, "residents.parquet", residents())
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    home.ingest()
    return home


def ingest_words(home):
    return "ingest", str(home.landing), "--home", str(home.settings.home)


def test_a_full_disk_ends_a_load_in_words_and_keeps_what_was_there(on_disk, disk, said):
    put(on_disk.landing, f"calls/{NEXT}/cmcc.parquet", calls(day=NEXT))
    with disk.full():
        text = said(*ingest_words(on_disk))
    assert "the disk is full" in text
    assert "What was loaded and published before is kept" in text
    assert "Make room" in text
    assert on_disk.table("calls").height == 40
    assert on_disk.ingest()[f"calls/{NEXT}/cmcc.parquet"].accepted == 40


def test_a_home_that_takes_no_writes_is_told(on_disk, disk, said):
    put(on_disk.landing, f"calls/{NEXT}/cmcc.parquet", calls(day=NEXT))
    with disk.read_only():
        text = said(*ingest_words(on_disk))
    assert "the disk takes no writes" in text
    assert on_disk.ingest()[f"calls/{NEXT}/cmcc.parquet"].accepted == 40


def test_readiness_tells_of_a_full_home(on_disk, disk):
    with TestClient(build_application(on_disk.settings)) as client:
        assert client.get("/health/ready").status_code == 200
        with disk.full():
            answer = client.get("/health/ready")
            assert answer.status_code == 503
            assert answer.json()["detail"].startswith("the disk is full")
        assert client.get("/health/ready").json()["vault"] is True


def test_readiness_tells_of_a_home_that_takes_no_writes(on_disk, disk):
    watch = InstallationWatch(on_disk.settings)
    open_serving_database(on_disk.settings).dispose()
    with disk.read_only():
        state = watch()
    assert state.problem.startswith("the disk takes no writes")
    assert "Mount the home" in state.remedy
    assert watch() == HomeState(vault=True)


def test_readiness_tells_of_a_vault_that_is_gone_and_of_a_database_that_is(loaded):
    with TestClient(build_application(loaded.settings)) as client:
        kept = loaded.settings.vault_file.read_bytes()
        loaded.settings.vault_file.unlink()
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["vault"]) == (200, False)
        loaded.settings.vault_file.write_bytes(kept)
        (loaded.settings.keys_folder / "vault.key").rename(loaded.settings.home / "elsewhere")
        assert client.get("/health/ready").json()["vault"] is False
        (loaded.settings.home / "elsewhere").rename(loaded.settings.keys_folder / "vault.key")
        assert client.get("/health/ready").json()["vault"] is True
        (loaded.settings.home / "serving.db").unlink()
        assert client.get("/health/ready").status_code == 503


def test_a_damaged_database_is_told(loaded, said):
    content = bytearray(loaded.settings.vault_file.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    loaded.settings.vault_file.write_bytes(content)
    put(loaded.landing, f"calls/{NEXT}/cmcc.parquet", calls(day=NEXT, first_line=20))
    text = said(*ingest_words(loaded))
    assert "a database of the home is damaged" in text
    assert "restore it from a backup" in text


def test_a_data_file_cut_off_is_told(loaded, said):
    (place,) = (loaded.settings.lake_folder / "calls").rglob("*.parquet")
    place.write_bytes(place.read_bytes()[:200])
    put(loaded.landing, f"calls/{DAY}/cmcc-0930.parquet", calls(5, first_line=20))
    assert "a data file cannot be read" in said(*ingest_words(loaded))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOSPC, "x", "/h/a"), DiskError, r"the disk is full \(/h/a\)"),
        (OSError(errno.EROFS, "x"), DiskError, "takes no writes"),
        (OSError(errno.EIO, "x"), DiskError, "the disk fails"),
        (sqlite3.OperationalError("database or disk is full"), DiskError, "the disk is full"),
        (sqlite3.OperationalError("database is locked"), DiskError, "another process"),
        (sqlite3.DatabaseError("database disk image is malformed"), LakeError, "is damaged"),
        (
            OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error")),
            DiskError,
            "the disk fails",
        ),
    ],
)
def test_faults_of_the_disk_have_words(error, kind, words):
    found = explain_fault(error)
    assert isinstance(found, kind)
    assert re.search(words, str(found))
    assert found.remedy


def test_a_fault_of_the_program_is_none_of_the_disk():
    for error in (KeyError("a"), ValueError("a"), sqlite3.OperationalError("no such table: a")):
        assert explain_fault(error) is None
    with pytest.raises(pl.exceptions.ColumnNotFoundError) as raised:
        pl.DataFrame({"a": [1]}).select("b")
    assert explain_fault(raised.value) is None
