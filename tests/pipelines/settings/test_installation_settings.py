"""Settings from defaults, file and environment, and what is said when one is wrong."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from data_contracts.errors import SettingsError
from pipelines.settings import Settings


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """Only the variables that a test sets."""
    for name in [name for name in os.environ if name.startswith("FORESTALL_")]:
        monkeypatch.delenv(name)


def write(home: Path, text: str) -> None:
    (home / "forestall.toml").write_text(text, encoding="utf-8")


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
        "daily_budget = 8\n[feeds.calls.default]\ndelay_minutes = 5\n"
        "[feeds.calls.cmcc]\ndelay_minutes = 1.5\n"
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


def test_the_pages_settings_stand_in_the_same_file(tmp_path):
    write(tmp_path, "[serving]\nqueue_days = 3\n[serving.act_within_minutes]\n")
    with pytest.raises(SettingsError, match=r"line 3: serving\.act_within_minutes: "):
        Settings.load(tmp_path)
    write(tmp_path, "[serving]\nqueue_days = 3\nfollow_up_days = {police = [2, 4]}\n")
    serving = Settings.load(tmp_path).located_serving
    assert serving.queue_days == 3
    assert serving.follow_up_days == {"police": (2, 4)}
    assert serving.session_hours == 12
    assert serving.oidc_roles["forestall-admin"] == "admin"
    assert serving.database_url == f"sqlite:///{tmp_path / 'serving.db'}"


def test_a_table_takes_the_place_of_its_default(tmp_path):
    write(tmp_path, "[serving.oidc_roles]\nfraud-desk = 'analyst'\n")
    assert Settings.load(tmp_path).serving.oidc_roles == {"fraud-desk": "analyst"}


def test_serving_has_short_names_in_the_environment_and_nested_ones(tmp_path, monkeypatch):
    write(tmp_path, "[serving]\nqueue_days = 3\nclaim_minutes = 5\n")
    monkeypatch.setenv("FORESTALL_QUEUE_DAYS", "4")
    monkeypatch.setenv("FORESTALL_DATABASE_URL", "sqlite:///elsewhere.db")
    monkeypatch.setenv("FORESTALL_FOLLOW_UP_DAYS", '{"police": [1]}')
    settings = Settings.load(tmp_path)
    assert (settings.serving.queue_days, settings.serving.claim_minutes) == (4, 5)
    assert settings.serving.follow_up_days == {"police": (1,)}
    assert settings.serving_database_url == "sqlite:///elsewhere.db"
    monkeypatch.setenv("FORESTALL_SERVING__QUEUE_DAYS", "5")
    assert Settings.load(tmp_path).serving.queue_days == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "# mine\n\ndaily_budgt = 8\n",
            "line 3: daily_budgt is no setting, did you mean daily_budget",
        ),
        ("daily_budget = 0\n", "line 1: daily_budget: Input should be greater than or equal to 1"),
        ("daily_budget = \n", "forestall.toml cannot be read: .*line 1"),
        ("queue_days = 3\n", "line 1: queue_days is no setting, did you mean serving.queue_days"),
        ("[serving]\nqueue_day = 3\n", "line 2: serving.queue_day is .* mean serving.queue_days"),
        ("carry = 0\n[trainng]\n", "line 2: trainng is no setting, did you mean training"),
        ("[zebra]\nstripes = 3\n", "line 1: zebra is no setting[.]"),
        (
            "[training]\nrounds = [\n  1,\n]\n[feeds.calls.cmcc]\ndelay_minuts = 3\n",
            "line 6: feeds.calls.cmcc.delay_minuts is no setting, "
            "did you mean feeds.calls.cmcc.delay_minutes[?] .*line 2: training.rounds",
        ),
        ("[training]\nquiet_moments = 3\n", "line 2: training.quiet_moments: Input should be"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_the_nearest_key(tmp_path, content, message):
    write(tmp_path, content)
    with pytest.raises(SettingsError, match=message):
        Settings.load(tmp_path)


def test_a_variable_that_is_nearly_a_setting_stops_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("FORESTALL_QUEU_DAYS", "3")
    with pytest.raises(SettingsError, match="FORESTALL_QUEU_DAYS is no setting") as caught:
        Settings.load(tmp_path)
    assert caught.value.remedy == "Did you mean FORESTALL_SERVING__QUEUE_DAYS?"


def test_a_variable_of_something_else_is_only_reported(tmp_path, monkeypatch, caplog):
    for name in ("FORESTALL_HOME", "FORESTALL_TEST_SHOTS", "FORESTALL_TOKEN", "FORESTALL_ZEBRA"):
        monkeypatch.setenv(name, "x")
    Settings.load(tmp_path)
    assert caplog.messages == ["FORESTALL_ZEBRA is no setting and has no effect"]


def test_a_wrong_value_in_the_environment_is_named_by_its_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("FORESTALL_QUEUE_DAYS", "0")
    with pytest.raises(SettingsError, match="FORESTALL_QUEUE_DAYS: Input should be greater than 0"):
        Settings.load(tmp_path)
    monkeypatch.setenv("FORESTALL_QUEUE_DAYS", "3")
    monkeypatch.setenv("FORESTALL_INTERVENTION_EFFECT", "no JSON")
    with pytest.raises(SettingsError, match="intervention_effect"):
        Settings.load(tmp_path)


def test_former_names_are_read_and_said(tmp_path, monkeypatch, caplog):
    write(
        tmp_path,
        'database_url = "sqlite:///old.db"\nwarning_works = {police = 0.2}\n'
        "[training]\ncalibrate_by_data = true\nunreported = 0.3\n",
    )
    monkeypatch.setenv("FORESTALL_TRAINING__QUIET_MOMENTS", "4000")
    monkeypatch.setenv("FORESTALL_WARNING_WORKS__INVESTMENT", "0.1")
    settings = Settings.load(tmp_path)
    assert settings.serving_database_url == "sqlite:///old.db"
    assert settings.intervention_effect == {"police": 0.2, "investment": 0.1}
    assert settings.training.group_calibration
    assert settings.training.pseudo_labels_per_reported == 0.3
    assert settings.training.negative_samples == 4000
    file = tmp_path / "forestall.toml"
    assert caplog.messages == [
        f"{file}, line 1: database_url is now called serving.database_url",
        f"{file}, line 2: warning_works is now called intervention_effect",
        f"{file}, line 4: training.calibrate_by_data is now called training.group_calibration",
        f"{file}, line 5: training.unreported is now called training.pseudo_labels_per_reported",
        "FORESTALL_TRAINING__QUIET_MOMENTS is now called FORESTALL_TRAINING__NEGATIVE_SAMPLES",
        "FORESTALL_WARNING_WORKS__INVESTMENT is now called "
        "FORESTALL_INTERVENTION_EFFECT__INVESTMENT",
    ]


def test_the_former_clock_of_comparisons_is_the_clock_of_the_policy(tmp_path):
    write(tmp_path, '[training]\njudged_every = "1h"\n')
    assert Settings.load(tmp_path).tick == "1h"
    write(tmp_path, 'tick = "5m"\n[training]\njudged_every = "1h"\n')
    assert Settings.load(tmp_path).tick == "5m"


def test_the_former_name_of_the_gap_of_a_series_is_read(tmp_path, monkeypatch):
    write(tmp_path, "[serving]\nepisode_days = 3\n")
    assert Settings.load(tmp_path).serving.series_gap_days == 3
    monkeypatch.setenv("FORESTALL_EPISODE_DAYS", "4")
    assert Settings.load(tmp_path).serving.series_gap_days == 4
    monkeypatch.setenv("FORESTALL_SERVING__SERIES_GAP_DAYS", "5")
    assert Settings.load(tmp_path).serving.series_gap_days == 5


def test_a_name_of_today_wins_over_a_former_one(tmp_path, monkeypatch):
    write(tmp_path, "[training]\nnegative_samples = 2000\nquiet_moments = 3000\n")
    assert Settings.load(tmp_path).training.negative_samples == 2000
    monkeypatch.setenv("FORESTALL_TRAINING__QUIET_MOMENTS", "4000")
    assert Settings.load(tmp_path).training.negative_samples == 4000
    monkeypatch.setenv("FORESTALL_TRAINING__NEGATIVE_SAMPLES", "5000")
    assert Settings.load(tmp_path).training.negative_samples == 5000


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('scheduler = "tcp://10.0.0.5:8786"', r"line 2: cluster\.scheduler: .*not encrypted"),
        ('scheduler = "tcp://localhost:8786"', "not encrypted"),  # a name can mean any machine
        ('scheduler = "10.0.0.5:8786"', "named as tls://host:8786"),
        ('scheduler = "tls://10.0.0.5"', "named as tls://host:8786"),
        ('scheduler = "http://127.0.0.1:8786"', "named as tls://host:8786"),
        ('scheduler = "tls://10.0.0.5:8786"\nca_file = "ca.pem"', "needs cert_file, key_file"),
    ],
)
def test_a_scheduler_is_reached_by_tls_or_stands_on_this_machine(tmp_path, lines, problem):
    write(tmp_path, f"[cluster]\n{lines}\n")
    with pytest.raises(SettingsError, match=problem):
        Settings.load(tmp_path)


def test_a_cluster_is_named_with_certificates_or_not_at_all(tmp_path):
    assert Settings.load(tmp_path).cluster.scheduler == ""
    write(tmp_path, '[cluster]\nscheduler = "tcp://127.0.0.1:8786"\npiece_seconds = 5\n')
    assert Settings.load(tmp_path).cluster.piece_seconds == 5
    files = "".join(f'{name}_file = "{name}.pem"\n' for name in ("ca", "cert", "key"))
    write(tmp_path, f'[cluster]\nscheduler = "tls://10.0.0.5:8786"\n{files}')
    assert Settings.load(tmp_path).cluster.key_file == Path("key.pem")


@pytest.mark.parametrize(
    "url",
    [
        "gs://bucket/city",
        "https://bucket.s3.amazonaws.com/city",
        "s3://",
        "s3://key:secret@bucket/city",
        "s3://bucket/city?versionId=1",
        "file:///srv/shared",
        "shared/lake",
    ],
)
def test_a_place_of_another_kind_is_refused_and_not_repeated(tmp_path, url):
    write(tmp_path, f'[storage]\nregion = "cn-north-1"\nurl = "{url}"\n')
    with pytest.raises(SettingsError, match=r"line 3: storage\.url: .*cannot be used") as caught:
        Settings.load(tmp_path)
    assert "s3://BUCKET/PREFIX" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('endpoint = "http://10.0.0.5:9000"', r"line 2: storage\.endpoint: .*not encrypted"),
        ('endpoint = "10.0.0.5:9000"', "named as https://host:9000"),
        ('endpoint = "https://key:secret@10.0.0.5"', "named as https://host:9000"),
        ('access_key = "AKIA"', "storage.access_key is no setting"),
        ("retries = 51", "less than or equal to 50"),
    ],
)
def test_an_object_store_is_reached_by_tls_and_its_keys_are_no_settings(tmp_path, lines, problem):
    write(tmp_path, f"[storage]\n{lines}\n")
    with pytest.raises(SettingsError, match=problem) as caught:
        Settings.load(tmp_path)
    assert "secret" not in str(caught.value)


def test_places_of_all_kinds(tmp_path):
    assert Settings.load(tmp_path).storage.is_home
    write(tmp_path, f'[storage]\nurl = "{tmp_path}"\n')
    assert not Settings.load(tmp_path).storage.is_home
    assert not Settings.load(tmp_path).storage.is_objects
    objects = '[storage]\nurl = "s3://bucket/city/east/"\n'
    for address in ("http://127.0.0.1:9000", "https://10.0.0.5:9000"):
        write(tmp_path, f'{objects}endpoint = "{address}"\n')
        found = Settings.load(tmp_path).storage
        assert (found.bucket, found.prefix, found.endpoint) == ("bucket", "city/east", address)
    write(tmp_path, f'{objects}allow_http = true\nendpoint = "http://10.0.0.5:9000"\n')
    assert Settings.load(tmp_path).storage.endpoint == "http://10.0.0.5:9000"
