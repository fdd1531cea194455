"""A database that is gone, or has become another, is noticed before anything is written to it."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import create_engine, make_url, text

from data_contracts.errors import NotReadyError
from pipelines.orchestration.recorded_loads import run_ingest
from pipelines.settings import Settings
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.installation.memory import MEMORY_FILE, read_memory
from pipelines.storage.installation.vault import Vault
from pipelines.storage.score_log import ScoreLog
from pipelines.webapp.accounts import add_user, list_users
from pipelines.webapp.wiring import build_application
from serving.context.settings import ServingSettings
from tests.pipelines.landing import RECEIVED_AT, put, residents, subscribers
from tests.serving.conftest import POSTGRES_URL, a_database


@pytest.fixture
def loaded(home):
    put(home.landing, "residents.parquet", residents())
    put(home.landing, "subscribers.parquet", subscribers())
    home.ingest()
    add_user(home.settings, name="chen.jie", role="admin", communities=())
    return home


def test_a_vault_that_is_gone_is_not_made_anew(loaded):
    loaded.settings.vault_file.unlink()
    for act in (
        lambda: Vault.open(loaded.settings),
        loaded.ingest,
        lambda: build_application(loaded.settings),
    ):
        with pytest.raises(NotReadyError, match=r"vault\.db of this home is gone"):
            act()
    assert not loaded.settings.vault_file.exists()


def test_a_vault_that_is_gone_is_noticed_by_who_has_it_open(loaded):
    vault = Vault.open(loaded.settings)
    loaded.settings.vault_file.unlink()
    with pytest.raises(NotReadyError, match=r"vault\.db is gone"):
        vault.reveal("number", ["n1_a"])
    assert not loaded.settings.vault_file.exists()


def test_another_vault_in_its_place_is_refused(loaded, tmp_path):
    other = Settings(home=tmp_path / "other", keys=loaded.settings.keys_folder)
    Vault.open(other)
    shutil.copy(other.vault_file, loaded.settings.vault_file)
    with pytest.raises(NotReadyError, match="not the one that this home worked with"):
        Vault.open(loaded.settings)


def test_a_serving_database_that_is_gone_is_not_made_anew(loaded):
    place = loaded.settings.home / "serving.db"
    place.unlink()
    for act in (
        lambda: list_users(loaded.settings),
        lambda: build_application(loaded.settings),
    ):
        with pytest.raises(NotReadyError, match=r"serving\.db of this home is gone"):
            act()
    run_ingest(loaded.landing, settings=loaded.settings, received_at=RECEIVED_AT)
    assert not place.exists()  # the run log does not make it either


def test_an_empty_file_in_the_place_of_the_serving_database_is_no_database(loaded):
    (loaded.settings.home / "serving.db").write_bytes(b"")
    with pytest.raises(NotReadyError, match=r"serving\.db of this home is gone"):
        list_users(loaded.settings)


def test_a_home_may_move(loaded, tmp_path):
    moved = tmp_path / "moved"
    loaded.settings.home.rename(moved)
    settings = Settings(home=moved)
    assert [user.name for user in list_users(settings)] == ["chen.jie"]
    Vault.open(settings)


def as_before_there_was_a_memory(settings: Settings) -> None:
    (settings.home / MEMORY_FILE).unlink()
    for name in ("vault.db", "serving.db"):
        with closing(sqlite3.connect(settings.home / name)) as connection:
            connection.execute("DELETE FROM installation")
            connection.commit()


def test_a_home_of_a_former_version_keeps_its_databases(loaded):
    as_before_there_was_a_memory(loaded.settings)
    Vault.open(loaded.settings)
    assert [user.name for user in list_users(loaded.settings)] == ["chen.jie"]
    assert set(read_memory(loaded.settings.home).databases) == {"vault.db", "serving.db"}


def test_a_home_of_a_former_version_makes_no_second_database(loaded, tmp_path):
    as_before_there_was_a_memory(loaded.settings)
    day = loaded.settings.scores_folder / "2026-08-05"
    day.mkdir(parents=True)
    (day / "2026-08-05T000000-nightly.parquet").touch()  # it published once
    assert ScoreLog(loaded.settings.scores_folder).newest_run() is not None
    for name in ("vault.db", "serving.db"):
        (loaded.settings.home / name).unlink()
    with pytest.raises(NotReadyError, match=r"vault\.db"):
        Vault.open(loaded.settings)
    with pytest.raises(NotReadyError, match=r"serving\.db"):
        list_users(loaded.settings)


@pytest.mark.postgres
@pytest.mark.skipif(POSTGRES_URL is None, reason="FORESTALL_TEST_POSTGRES_URL names no server")
def test_an_emptied_database_of_postgresql_is_refused(tmp_path):
    with a_database() as name:
        url = make_url(str(POSTGRES_URL)).set(database=name)
        serving = ServingSettings(database_url=url.render_as_string(hide_password=False))
        settings = Settings(home=tmp_path, serving=serving)
        open_serving_database(settings).dispose()
        open_serving_database(settings).dispose()
        (remembered,) = read_memory(tmp_path).databases
        assert remembered.endswith(f"/{name}")
        assert "@" not in remembered
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        with pytest.raises(NotReadyError, match="is gone"):
            open_serving_database(settings)
