"""The page of settings is the one the code gives, and values in force say where they come from."""

from pathlib import Path

from pipelines.settings import Settings
from pipelines.settings.documentation import list_values, settings_documentation
from pipelines.settings.keys import list_keys
from serving.context.settings import ServingSettings

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_is_the_one_the_code_gives():
    assert PAGE.read_text(encoding="utf-8") == settings_documentation(), (
        "write it anew with `forestall docs`"
    )


def test_every_setting_says_what_it_means():
    keys = list_keys(Settings)
    assert [key.dotted for key in keys if not key.schema.get("description")] == []
    serving = {key.path[1] for key in keys if key.path[0] == "serving"}
    assert serving == set(ServingSettings.model_fields)


def test_a_row_gives_bounds_default_and_variable():
    page = settings_documentation()
    assert (
        "| `training.rounds` | `FORESTALL_TRAINING__ROUNDS` | whole number, at least 1 | `400` |"
        " trees of the risk model |" in page
    )
    assert "| `serving.queue_days` | `FORESTALL_QUEUE_DAYS` | whole number, above 0 | `7` |" in page
    assert "`FORESTALL_FEEDS__<DATASET>__<SOURCE>__DELAY_MINUTES` | number, at least 0 |" in page


def test_values_in_force_say_where_they_come_from(tmp_path, monkeypatch):
    (tmp_path / "forestall.toml").write_text(
        "daily_budget = 8\n[feeds.calls.cmcc]\ndelay_minutes = 5\n"
        '[serving]\ndatabase_url = "postgresql+psycopg://me:secret@db/forestall"\n'
        "[training]\nquiet_moments = 3000\n"
    )
    monkeypatch.setenv("FORESTALL_QUEUE_DAYS", "4")
    monkeypatch.setenv("FORESTALL_OIDC_CLIENT_SECRET", "hush")
    found = {one.key: (one.value, one.origin) for one in list_values(Settings.load(tmp_path))}
    file = tmp_path / "forestall.toml"
    assert found["carry"] == ("0.5", "default")
    assert found["daily_budget"] == ("8", f"{file}, line 1")
    assert found["feeds.calls.cmcc.delay_minutes"] == ("5.0", f"{file}, line 3")
    assert found["training.negative_samples"] == ("3000", f"{file}, line 7")
    assert found["serving.queue_days"] == ("4", "FORESTALL_QUEUE_DAYS")
    assert found["serving.oidc_client_secret"] == ("**********", "FORESTALL_OIDC_CLIENT_SECRET")
    assert found["serving.database_url"] == (
        "postgresql+psycopg://me:***@db/forestall",
        f"{file}, line 5",
    )
