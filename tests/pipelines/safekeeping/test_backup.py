"""A backup taken while loads run and are killed holds every row that was acknowledged before it."""

import json
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from threading import Event, Thread

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import ConflictError, LakeError, SettingsError
from pipelines.safekeeping.backup import BACKUP_FILE, back_up, restore_backup
from pipelines.safekeeping.verification import verify_installation
from pipelines.settings import Settings
from pipelines.storage.installation.vault import Vault
from pipelines.storage.lake_schemas import TABLES
from pipelines.storage.ledger import Ledger
from pipelines.webapp.accounts import add_user, list_users
from tests.pipelines.conftest import Home
from tests.pipelines.crash import started
from tests.pipelines.landing import DAY, RECEIVED_AT, calls, put, put_district, transfers

DAYS = 8


def put_days(landing) -> None:
    put_district(landing)
    for number in range(DAYS):
        day = DAY + timedelta(days=number)
        put(landing, f"calls/{day}/cmcc.parquet", calls(day=day))
        put(landing, f"transfers/{day}/icbc.parquet", transfers(day=day))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("undisturbed"))
    put_days(home.landing)
    home.ingest(received_at=RECEIVED_AT + timedelta(days=DAYS))
    add_user(home.settings, name="chen.jie", role="admin", communities=())
    return home


def restored(folder, tmp_path, keys) -> Home:
    """The backup in a home of its own, with the keys put back."""
    home = Home(tmp_path)
    shutil.rmtree(home.landing)
    home.settings = Settings(home=tmp_path / "restored")
    restore_backup(folder, home=home.settings.home)
    shutil.copytree(keys, home.settings.keys_folder)
    home.lake = home.lake.of(home.settings)
    return home


def test_what_comes_back_is_what_was_there(undisturbed, tmp_path):
    settings = undisturbed.settings
    made = back_up(settings, tmp_path / "backup", at=RECEIVED_AT)
    assert made.data_version == undisturbed.lake.version()
    assert not list((tmp_path / "backup").rglob("*.key"))
    home = restored(tmp_path / "backup", tmp_path, settings.keys_folder)
    for dataset in TABLES:
        assert_frame_equal(home.table(dataset), undisturbed.table(dataset), check_row_order=False)
    assert [user.name for user in list_users(home.settings)] == ["chen.jie"]
    people = undisturbed.table("residents")["person"].to_list()
    assert Vault.open(home.settings).reveal("person", people) == Vault.open(settings).reveal(
        "person", people
    )
    found = verify_installation(home.settings)
    assert [one for one in found if not one.is_whole] == []
    shutil.copytree(undisturbed.landing, tmp_path / "landing")
    home.landing = tmp_path / "landing"
    assert {one.status for one in home.ingest().values()} <= {"duplicate", "held"}


def test_a_backup_under_loads_that_are_killed_has_all_that_was_acknowledged(undisturbed, tmp_path):
    own = Home(tmp_path)
    own.landing = undisturbed.landing
    keys = undisturbed.settings.keys_folder
    limits = own.settings.ingest.model_copy(update={"batch_rows": 1})
    own.settings = own.settings.model_copy(update={"keys": keys, "ingest": limits})
    ledger_file = own.settings.lake_folder / "ledger.db"
    backups = []

    def take_backup() -> None:
        known = Ledger(ledger_file).written_batches()
        backups.append((known, tmp_path / f"backup-{len(backups)}"))
        back_up(own.settings, backups[-1][1], at=RECEIVED_AT)

    for _ in range(2):
        before = len(Ledger(ledger_file).committed_batches())
        process = started(own.landing, own.settings)
        while process.is_alive() and len(Ledger(ledger_file).committed_batches()) < before + 4:
            time.sleep(0.02)
        take_backup()  # while it goes on
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        take_backup()  # of what it left
    for number, (known, folder) in enumerate(backups):
        place = tmp_path / f"place-{number}"
        place.mkdir()
        home = restored(folder, place, keys)
        kept = Ledger(home.settings.lake_folder / "ledger.db")
        assert known.items() <= kept.written_batches().items()
        rows = kept.arrivals().group_by("dataset").agg(pl.col("rows").sum())
        assert dict(rows.iter_rows()) == {
            name: home.table(name).height for name in TABLES if home.table(name).height
        }
        assert [one for one in verify_installation(home.settings) if not one.is_whole] == []
        numbers = home.table("calls")["number"].unique().to_list()
        assert len(Vault.open(home.settings).reveal("number", numbers)) == len(numbers)
    home.landing = undisturbed.landing  # and the last of them goes on to the end
    home.ingest(received_at=RECEIVED_AT + timedelta(days=DAYS))
    for dataset in TABLES:
        assert_frame_equal(home.table(dataset), undisturbed.table(dataset), check_row_order=False)


def test_a_database_copied_under_writes_is_whole(tmp_path):
    settings = Settings(home=tmp_path / "home")
    for name in ("a", "b"):
        add_user(settings, name=name, role="analyst", communities=())
    stop = Event()

    def write() -> None:
        with closing(sqlite3.connect(settings.home / "serving.db", timeout=60)) as connection:
            connection.execute("CREATE TABLE noise (text)")
            while not stop.is_set():
                connection.execute("INSERT INTO noise VALUES (hex(randomblob(20000)))")
                connection.commit()

    writer = Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            back_up(settings, tmp_path / str(number), at=RECEIVED_AT)
    finally:
        stop.set()
        writer.join()
    for number in range(10):
        with closing(sqlite3.connect(tmp_path / str(number) / "serving.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_nothing_is_written_over(undisturbed, tmp_path):
    back_up(undisturbed.settings, tmp_path / "backup", at=RECEIVED_AT)
    with pytest.raises(ConflictError, match="is not empty"):
        back_up(undisturbed.settings, tmp_path / "backup", at=RECEIVED_AT)
    with pytest.raises(ConflictError, match="is not empty"):
        restore_backup(tmp_path / "backup", home=undisturbed.settings.home)


def test_a_backup_that_was_changed_or_cut_short_is_refused(undisturbed, tmp_path):
    folder = tmp_path / "backup"
    back_up(undisturbed.settings, folder, at=RECEIVED_AT)
    place = next((folder / "lake" / "calls").rglob("*.parquet"))
    content = place.read_bytes()
    place.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(LakeError, match="is not what was backed up"):
        restore_backup(folder, home=tmp_path / "home")
    place.unlink()
    with pytest.raises(LakeError, match="is gone"):
        restore_backup(folder, home=tmp_path / "home")
    assert not (tmp_path / "home").exists()
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    (folder / BACKUP_FILE).unlink()
    with pytest.raises(SettingsError, match="no finished backup"):
        restore_backup(folder, home=tmp_path / "home")


def test_a_file_outside_the_home_is_not_written(undisturbed, tmp_path):
    folder = tmp_path / "backup"
    back_up(undisturbed.settings, folder, at=RECEIVED_AT)
    document = json.loads((folder / BACKUP_FILE).read_text())
    document["files"][0]["path"] = "../outside"
    (folder / BACKUP_FILE).write_text(json.dumps(document))
    with pytest.raises(LakeError, match="outside the backup"):
        restore_backup(folder, home=tmp_path / "home")


def test_a_database_elsewhere_is_named(tmp_path):
    settings = Settings(home=tmp_path / "home")
    add_user(settings, name="a", role="analyst", communities=())
    serving = settings.serving.model_copy(
        update={"database_url": "postgresql+psycopg://forestall:secret@db/forestall"}
    )
    made = back_up(
        settings.model_copy(update={"serving": serving}), tmp_path / "backup", at=RECEIVED_AT
    )
    words = "; ".join(made.elsewhere)
    assert "pg_dump" in words
    assert "forestall on db" in words
    assert "secret" not in (tmp_path / "backup" / BACKUP_FILE).read_text()
