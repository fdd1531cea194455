"""Keys leave the installation under a passphrase only, and come back without writing over any."""

import json

import pytest

from data_contracts.errors import ConflictError, NotReadyError, SettingsError
from pipelines.ingestion.pseudonymisation import load_pseudonymiser
from pipelines.safekeeping import wrapped_keys
from pipelines.safekeeping.wrapped_keys import unwrap_keys, wrap_keys
from pipelines.settings import Settings
from pipelines.storage.installation.vault import Vault

PASSPHRASE = "four words nobody guesses"


@pytest.fixture(autouse=True)
def cheap_guesses(monkeypatch):
    monkeypatch.setattr(wrapped_keys, "COST", 2**10)


@pytest.fixture
def settings(tmp_path) -> Settings:
    found = Settings(home=tmp_path / "home", keys=tmp_path / "keys")
    load_pseudonymiser(found)
    Vault.open(found).put_identifiers("number", {"n1_a": "13800000001"})
    return found


@pytest.fixture
def file(settings, tmp_path):
    found = tmp_path / "keys.json"
    assert wrap_keys(settings, file=found, passphrase=PASSPHRASE) == ("pseudonym.key", "vault.key")
    return found


def test_keys_come_back_as_they_were(settings, file):
    kept = {path.name: path.read_bytes() for path in settings.keys_folder.iterdir()}
    for path in settings.keys_folder.iterdir():
        path.unlink()
    assert unwrap_keys(settings, file=file, passphrase=PASSPHRASE) == tuple(sorted(kept))
    assert {path.name: path.read_bytes() for path in settings.keys_folder.iterdir()} == kept
    assert Vault.open(settings).reveal("number", ["n1_a"]) == {"n1_a": "13800000001"}
    assert unwrap_keys(settings, file=file, passphrase=PASSPHRASE) == ()


def test_the_file_holds_no_key_in_the_open_and_is_the_owners(settings, file):
    text = file.read_text()
    for path in settings.keys_folder.iterdir():
        assert path.read_text().strip() not in text
    assert file.stat().st_mode & 0o077 == 0


def test_another_passphrase_or_a_changed_file_opens_nothing(settings, file, tmp_path):
    with pytest.raises(SettingsError, match="does not open with this passphrase"):
        unwrap_keys(settings, file=file, passphrase="another one of the kind")
    document = json.loads(file.read_text())
    document["sealed"] = "A" + document["sealed"][1:]
    (tmp_path / "changed").write_text(json.dumps(document))
    with pytest.raises(SettingsError, match="or was changed"):
        unwrap_keys(settings, file=tmp_path / "changed", passphrase=PASSPHRASE)
    (tmp_path / "other").write_text("{}")
    with pytest.raises(SettingsError, match="holds no keys"):
        unwrap_keys(settings, file=tmp_path / "other", passphrase=PASSPHRASE)


def test_nothing_is_written_over(settings, file, tmp_path):
    with pytest.raises(ConflictError, match="exists"):
        wrap_keys(settings, file=file, passphrase=PASSPHRASE)
    other = Settings(home=tmp_path / "other")
    Vault.open(other)
    with pytest.raises(ConflictError, match="is not the key of this home"):
        unwrap_keys(other, file=file, passphrase=PASSPHRASE)
    new = Settings(home=tmp_path / "new")
    new.keys_folder.mkdir(parents=True)
    (new.keys_folder / "vault.key").write_text(bytes(32).hex())
    with pytest.raises(ConflictError, match="another key is in"):
        unwrap_keys(new, file=file, passphrase=PASSPHRASE)


def test_a_short_passphrase_and_a_home_without_keys_are_refused(settings, tmp_path):
    with pytest.raises(SettingsError, match="fewer than 12"):
        wrap_keys(settings, file=tmp_path / "short", passphrase="short")
    empty = Settings(home=tmp_path / "empty")
    with pytest.raises(NotReadyError, match="there is no key"):
        wrap_keys(empty, file=tmp_path / "none", passphrase=PASSPHRASE)
