"""A key that is gone, or has become another, stops everything that would write or reveal."""

import json
import shutil
import stat
import subprocess
import sys

import pytest

from data_contracts.errors import NotReadyError, SettingsError
from pipelines.settings import Settings
from pipelines.storage.installation.keys import fingerprint_of, open_key
from pipelines.storage.installation.memory import MEMORY_FILE, read_memory
from pipelines.storage.installation.vault import Vault
from pipelines.webapp.wiring import build_application
from tests.pipelines.landing import DAY, calls, put, residents, subscribers

FIRST_STARTS = 12
LATER = f"calls/{DAY}/cmcc-0930.parquet"
MAKES_A_KEY = """
import sys
from pathlib import Path
from pipelines.settings import Settings
from pipelines.storage.installation.keys import open_key
settings = Settings(home=Path(sys.argv[1]))
sys.stdin.read(1)
print(open_key(settings, "pseudonym.key").hex())
"""


@pytest.fixture
def loaded(home):
    put(home.landing, "residents.parquet", residents())
    put(home.landing, "subscribers.parquet", subscribers())
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    home.ingest()
    return home


def keep(settings: Settings, name: str):
    return (settings.keys_folder / name).read_bytes()


def test_the_key_is_made_once_and_is_the_owners(tmp_path):
    settings = Settings(home=tmp_path / "home", keys=tmp_path / "safe" / "keys")
    key = open_key(settings, "vault.key")
    assert len(key) == 32
    assert open_key(settings, "vault.key") == key
    (path,) = settings.keys_folder.iterdir()
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("vault.key", 0o600)
    assert read_memory(settings.home).keys == {"vault.key": fingerprint_of(key)}
    assert key.hex() not in (settings.home / MEMORY_FILE).read_text()


def test_a_damaged_key_is_refused(tmp_path):
    settings = Settings(home=tmp_path, keys=tmp_path)
    (tmp_path / "vault.key").write_text("abc")
    with pytest.raises(SettingsError, match="holds no key"):
        open_key(settings, "vault.key")


@pytest.mark.parametrize("name", ["pseudonym.key", "vault.key"])
def test_a_key_that_is_gone_is_not_made_anew(loaded, name):
    kept = keep(loaded.settings, name)
    (loaded.settings.keys_folder / name).unlink()
    put(loaded.landing, LATER, calls(5, first=100, first_line=20))
    with pytest.raises(NotReadyError, match=name) as error:
        loaded.ingest()
    assert name in error.value.remedy
    assert not (loaded.settings.keys_folder / name).exists()
    (loaded.settings.keys_folder / name).write_bytes(kept)
    assert loaded.ingest()[LATER].accepted == 5


@pytest.mark.parametrize("name", ["pseudonym.key", "vault.key"])
def test_another_key_in_its_place_is_refused(loaded, name):
    (loaded.settings.keys_folder / name).write_text(bytes(32).hex())
    with pytest.raises(NotReadyError, match="not the key that this home's data were made with"):
        loaded.ingest()


def test_without_the_folder_of_keys_nothing_is_revealed(loaded):
    shutil.rmtree(loaded.settings.keys_folder)  # as when it was not mounted
    with pytest.raises(NotReadyError, match=r"vault\.key"):
        Vault.open(loaded.settings)
    assert not loaded.settings.keys_folder.exists()


@pytest.mark.parametrize("name", ["pseudonym.key", "vault.key"])
def test_a_home_of_a_former_version_makes_no_second_key(loaded, name):
    """Such a home has data and remembers nothing."""
    (loaded.settings.home / MEMORY_FILE).unlink()
    (loaded.settings.keys_folder / name).unlink()
    with pytest.raises(NotReadyError, match=name):
        loaded.ingest()


def test_a_home_of_a_former_version_takes_its_own_keys(loaded):
    before = read_memory(loaded.settings.home)
    (loaded.settings.home / MEMORY_FILE).unlink()
    loaded.ingest()
    assert read_memory(loaded.settings.home).keys == before.keys


@pytest.mark.parametrize("name", ["pseudonym.key", "vault.key"])
def test_a_home_of_a_former_version_refuses_keys_that_its_vault_does_not_know(loaded, name):
    (loaded.settings.home / MEMORY_FILE).unlink()
    (loaded.settings.keys_folder / name).write_text(bytes(32).hex())
    with pytest.raises(NotReadyError, match="not the key that this home's data were made with"):
        loaded.ingest()


def test_the_pages_start_with_the_vault_key_alone_and_make_no_other(loaded):
    (loaded.settings.keys_folder / "pseudonym.key").unlink()
    app = build_application(loaded.settings)
    made = [path.name for path in loaded.settings.keys_folder.iterdir()]
    assert [name for name in made if not name.startswith("audit.")] == ["vault.key"]
    with pytest.raises(NotReadyError, match=r"pseudonym\.key"):
        app.state.services.finder("13800000001")


def test_first_starts_at_once_work_with_the_key_that_is_on_the_disk(tmp_path):
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", MAKES_A_KEY, str(tmp_path / "home")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(FIRST_STARTS)
    ]
    for process in starts:  # all wait until now, each with everything imported
        process.stdin.write("\n")
        process.stdin.flush()
    used = {process.communicate()[0].strip() for process in starts}
    assert used == {(tmp_path / "home" / "keys" / "pseudonym.key").read_text().strip()}


def test_the_memory_is_no_secret_and_is_readable(loaded):
    memory = json.loads((loaded.settings.home / MEMORY_FILE).read_text())
    assert set(memory["keys"]) == {"pseudonym.key", "vault.key"}
