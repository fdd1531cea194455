from datetime import timedelta

import pytest

from data_contracts.errors import SettingsError
from pipelines.settings import Settings


def test_without_file_the_defaults_hold(tmp_path):
    settings = Settings.load(tmp_path)
    assert settings.daily_budget == 20
    assert (settings.warm_up_days, settings.tick) == (3, "15m")
    assert settings.ingest.held_share == 0.05
    assert settings.delay("calls", "cmcc") is None
    assert settings.vault_file == tmp_path / "vault.db"
    assert settings.keys_folder == tmp_path / "keys"
    assert settings.serving_database_url == f"sqlite:///{tmp_path / 'serving.db'}"


def test_the_file_in_the_home_is_read(tmp_path):
    (tmp_path / "forestall.toml").write_text(
        "daily_budget = 8\n[feeds.calls.default]\ndelay_minutes = 5\n[feeds.calls.cmcc]\ndelay_minutes = 1.5\n"
    )
    settings = Settings.load(tmp_path)
    assert settings.daily_budget == 8
    assert settings.delay("calls", "cmcc") == timedelta(seconds=90)
    assert settings.delay("calls", "ctcc") == timedelta(minutes=5)
    assert settings.delay("transfers", "icbc") is None


def test_the_environment_is_stronger_than_the_file(tmp_path, monkeypatch):
    (tmp_path / "forestall.toml").write_text("daily_budget = 8\n[ingest]\nbatch_rows = 10\n")
    monkeypatch.setenv("FORESTALL_DAILY_BUDGET", "30")
    monkeypatch.setenv("FORESTALL_FEEDS__CALLS__CMCC__DELAY_MINUTES", "15")
    monkeypatch.setenv("FORESTALL_KEYS", str(tmp_path / "safe"))
    settings = Settings.load(tmp_path)
    assert settings.daily_budget == 30
    assert settings.ingest.batch_rows == 10
    assert settings.delay("calls", "cmcc") == timedelta(minutes=15)
    assert settings.keys_folder == tmp_path / "safe"


def test_the_home_is_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("FORESTALL_HOME", str(tmp_path / "elsewhere"))
    assert Settings.load().home == tmp_path / "elsewhere"
    assert Settings.load(tmp_path).home == tmp_path


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("daily_budgt = 8\n", "daily_budgt"),
        ("daily_budget = 0\n", "daily_budget"),
        ("daily_budget = \n", "forestall.toml"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path, content, named):
    (tmp_path / "forestall.toml").write_text(content)
    with pytest.raises(SettingsError, match=named):
        Settings.load(tmp_path)
