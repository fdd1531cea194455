"""The command line as a user meets it: names, words, JSON, and errors that say what to do."""

import csv
import io
import json
import os
import pwd
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from data_contracts.errors import NotReadyError, SettingsError
from pipelines.cli import main as cli
from pipelines.storage.installation.terminal import terminal_user
from tests.pipelines.conftest import Home
from tests.pipelines.district import QUICK, TRAIN_AT
from tests.pipelines.landing import DAY, calls, lines, put_text


@pytest.fixture(scope="module")
def home(own_district):
    return str(own_district.home)


@pytest.fixture(scope="module", autouse=True)
def small_training():
    with pytest.MonkeyPatch.context() as patch:
        quick = {
            "ROUNDS": "15",
            "NEGATIVE_SAMPLES": "1000",
            "JUDGED_DAYS": "3",
            "OUTAGE_SHARE": "0",
            "THREADS": "1",
        }
        for name, value in quick.items():
            patch.setenv(f"FORESTALL_TRAINING__{name}", value)
        for name, value in {**QUICK, "daily_budget": 5}.items():
            patch.setenv(f"FORESTALL_{name.upper()}", str(value))
        yield


def run(*words: str, exit_code: int = 0) -> str:
    """What a command prints, having ended with ``exit_code``."""
    result = CliRunner().invoke(cli.app, list(words), catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result.stdout


@pytest.fixture
def failed(monkeypatch, capsys) -> Callable[..., str]:
    """Runs a command that fails, from the words of the command line to the exit code; gives what it
    says of the error.
    """

    def run_main(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["forestall", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code not in (None, 0)
        return capsys.readouterr().err

    return run_main


def test_help_imports_nothing_heavy():
    code = "import sys, pipelines.cli.main; print([m for m in sys.modules if m in "
    code += "('polars', 'lightgbm', 'mlflow', 'prefect', 'great_expectations', 'shap',"
    code += "'fastapi', 'sqlalchemy')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_verb_has_a_word_of_help():
    text = run("--help")
    for verb in (
        "demo",
        "simulate",
        "ingest",
        "train",
        "score",
        "replay",
        "measure",
        "serve",
        "schedule",
        "users",
        "export",
        "quarantine",
    ):
        assert verb in text


def test_the_description_of_the_api_is_printed_as_json():
    assert "/api/v1/alerts" in json.loads(run("openapi"))["paths"]


def test_a_district_at_the_true_rate_is_one_word_away(tmp_path):
    size = ("--people", "2000", "--days", "2", "--json")
    life = json.loads(run("simulate", str(tmp_path / "life"), "--life", *size))
    dense = json.loads(run("simulate", str(tmp_path / "dense"), *size))
    assert sum(life["outcomes"].values()) < 6 < sum(dense["outcomes"].values())
    assert life["lookalikes"] > 50


def test_errors_name_the_remedy_and_show_no_traceback(tmp_path):
    """A process of its own ends as a user sees it."""
    command = [
        sys.executable,
        "-m",
        "pipelines.cli.main",
        "status",
        "--home",
        str(tmp_path / "none"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "forestall ingest LANDING" in result.stderr
    assert "Traceback" not in result.stderr


def test_each_error_names_its_own_remedy(tmp_path, failed):
    empty = str(tmp_path)
    assert "forestall ingest LANDING" in failed("train", "--home", empty)
    assert "forestall train" in failed("score", "--at", "2026-07-05", "--home", empty)
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    assert "holds no delivery" in failed("ingest", str(nothing), "--home", str(tmp_path / "new"))
    assert "2026-07-05T14:30" in failed("score", "--at", "yesterday", "--home", empty)
    community = ("--community", "C000")
    assert "forestall score" in failed("export", "outreach", *community, "--home", empty)


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("quarantine",),
        ("quarantine", "--retry"),
        ("export", "outreach", "--community", "C000"),
        ("audit", "verify"),
        ("users", "list"),
        ("models",),
    ],
)
def test_who_only_looks_makes_no_home(tmp_path, words):
    """It may be a typing error."""
    home = tmp_path / "vra"
    result = CliRunner().invoke(cli.app, [*words, "--home", str(home)])
    assert isinstance(result.exception, NotReadyError)
    assert "forestall ingest LANDING" in result.exception.remedy
    assert not home.exists()


def test_ingest_reports_each_file_as_json(tmp_path):
    landing, home = tmp_path / "landing", str(tmp_path / "home")
    run("simulate", str(landing), "--people", "120", "--days", "2", "--seed", "1")
    (landing / "calls" / "2026-06-01" / "cmcc-2359.parquet").write_bytes(b"PAR1 not really")
    ingest = ("ingest", str(landing), "--home", home, "--json")
    files = json.loads(run(*ingest, exit_code=cli.FILES_WAIT))["files"]
    keys = {"path", "dataset", "rows", "accepted", "quarantined", "duplicates", "held", "reason"}
    keys |= {"status", "remedy", "skipped", "warnings"}
    assert all(keys <= file.keys() for file in files)
    for file in files:
        whole = file["accepted"] + file["quarantined"] + file["duplicates"]
        assert file["rows"] == (file["held"] or whole)
    (broken,) = (file for file in files if file["path"].endswith("cmcc-2359.parquet"))
    assert broken["reason"]
    again = json.loads(run(*ingest, exit_code=cli.FILES_WAIT))["files"]
    assert sum(file["accepted"] for file in again) == 0


def test_quarantine_lists_and_exports(tmp_path):
    landing, home = tmp_path / "landing", str(tmp_path / "home")
    landing.mkdir()
    tags = pl.DataFrame(
        {"number": ["13800000000"] * 30 + ["nonsense"], "tag": [f"t{n}" for n in range(30)] + ["x"]}
    )
    tags.write_parquet(landing / "number_tags.parquet")
    run("ingest", str(landing), "--home", home)
    run(
        "quarantine",
        "--dataset",
        "number_tags",
        "--out",
        str(tmp_path / "rejected.csv"),
        "--home",
        home,
    )
    (row,) = csv.DictReader(
        io.StringIO((tmp_path / "rejected.csv").read_text(encoding="utf-8-sig"))
    )
    assert (row["path"], row["row"]) == ("number_tags.parquet", "31")
    assert "nonsense" not in str(row)


def test_a_dataset_that_does_not_exist_is_refused(tmp_path, failed):
    Home(tmp_path).settings.home.mkdir()
    place = ("--home", str(tmp_path / "home"))
    for words in ((), ("--retry",)):
        said = failed("quarantine", "--dataset", "payments", *words, *place)
        assert "there is no dataset payments" in said
        assert "Name one of calls, transfers, residents, " in said


def test_a_file_is_taken_out_with_a_reason_and_said_of_in_every_load(tmp_path, failed):
    home = Home(tmp_path)
    path, place = f"calls/{DAY}/cmcc.csv", ("--home", str(home.settings.home))
    put_text(home.landing, path, lines(calls(1)))
    run("ingest", str(home.landing), *place)
    for why in ("", " "):
        assert "there is no reason why" in failed("withdraw", path, "--why", why, *place)
    taken_out = run("withdraw", path, "--why", "delivered twice", *place)
    assert taken_out.startswith(f"1 row of {path} on 1 day left the lake (load 2);")
    said = run("ingest", str(home.landing), *place)
    assert f"{path}: taken out of the lake again: delivered twice." in said
    assert f"→ If it belongs there, ingest the folder with --accept {path}." in said
    assert "was taken out already: delivered twice" in failed(
        "withdraw", path, "--why", "x", *place
    )


def test_rejected_rows_are_tried_again(tmp_path, failed):
    home = Home(tmp_path)
    rows = calls()
    rows[3] |= {"duration_s": "1分5秒"}
    put_text(home.landing, f"calls/{DAY}/cmcc.csv", lines(rows))
    home.only()
    place = ("--home", str(home.settings.home))
    assert "1分5秒" not in run("quarantine", *place)
    shown = run("quarantine", "--reveal", *place)
    assert f"calls/{DAY}/cmcc.csv, row 5: " in shown
    assert "1分5秒" in shown
    assert "duration_s: The value cannot be read." in run("quarantine", "--retry", *place)
    home.settings.sources_folder.mkdir()
    mapping = "calls:\n  durations: {duration_s: words}\n"
    (home.settings.sources_folder / "cmcc.yaml").write_text(mapping)
    (file,) = json.loads(run("quarantine", "--retry", "--json", *place))["files"]
    assert (file["retried"], file["accepted"], file["rejected"]) == (1, 1, 0)
    assert json.loads(run("quarantine", "--json", *place))["rows"] == []
    assert "neither --reveal nor --out" in failed("quarantine", "--retry", "--reveal")


def test_rows_shown_as_they_were_are_audited_and_written_for_their_owner_only(tmp_path):
    rows = calls()
    rows[3] |= {"duration_s": "1分5秒"}
    home = Home(tmp_path)
    put_text(home.landing, f"calls/{DAY}/cmcc.csv", lines(rows))
    home.only()
    place = ("--home", str(home.settings.home))
    out = tmp_path / "rows.csv"
    out.write_text("of before")
    out.chmod(0o644)
    run("quarantine", *place)
    run("quarantine", "--reveal", *place)
    run("quarantine", "--reveal", "--out", str(out), *place)
    assert out.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(f"file:{place[1]}/serving.db?mode=ro", uri=True) as connection:
        found = connection.execute(
            "SELECT actor, subject, details FROM audit WHERE action = 'reveal' ORDER BY id"
        ).fetchall()
    me = pwd.getpwuid(os.getuid()).pw_name
    assert [(actor, subject) for actor, subject, _ in found] == [(me, "quarantine")] * 2
    assert [json.loads(details)["file"] for _, _, details in found] == ["", "rows.csv"]
    # All that is there is its owner's alone
    written = Path(place[1])
    assert not [path for path in (written, *written.rglob("*")) if path.stat().st_mode & 0o077]


def test_the_main_job_from_train_to_outreach(home, tmp_path):
    at = TRAIN_AT.date().isoformat()
    trained = json.loads(run("train", "--at", at, "--home", home, "--json"))
    assert trained["version"] == "1"
    assert trained["promoted"] is True  # the first model of an installation has nobody to beat
    scored = json.loads(run("score", "--at", f"{at}T15:00", "--home", home, "--json"))
    assert scored["scored"] == 1200
    assert 1 <= len(scored["alerts"]) <= 5
    again = ("score", "--at", f"{at}T15:00", "--home", home)
    assert "Community" in run(*again)
    assert "社区" in run(*again, "--language", "zh")

    community = scored["alerts"][0]["community_id"]
    sheet = run("export", "outreach", "--community", community, "--format", "json", "--home", home)
    assert (
        len(json.loads(sheet)["rows"] if isinstance(json.loads(sheet), dict) else json.loads(sheet))
        >= 1
    )

    paper = f"{home}/paper.csv"
    said = run("export", "outreach", "--community", community, "--out", paper, "--home", home)
    for words in (("export", "outreach"), ("users", "add", "zhao", "--role", "officer")):
        mistyped = CliRunner().invoke(cli.app, [*words, "--community", "C9999", "--home", home])
        assert isinstance(mistyped.exception, SettingsError)
        assert str(mistyped.exception).startswith("there is no community C9999")
        assert community in mistyped.exception.remedy
    assert re.search(r"list L\w+ of \w+ in .*paper\.csv: [1-9]\d* (person|people) to reach", said)

    token = run(
        "users",
        "add",
        "zhang",
        "--role",
        "officer",
        "--community",
        community,
        "--token",
        "--home",
        home,
    )
    assert token.strip().startswith("fst_")

    out = tmp_path / "alerts.parquet"
    end = (TRAIN_AT + timedelta(days=2)).date().isoformat()
    words = (
        "replay",
        "--from",
        at,
        "--to",
        end,
        "--every",
        "6h",
        "--budget",
        "5",
        "--out",
        str(out),
        "--reveal",
        "--scores",
        str(tmp_path / "scores.csv"),
        "--floor",
        "0.02",
    )
    report = tmp_path / "report.html"
    figures = json.loads(run(*words, "--report", str(report), "--home", home, "--json"))["figures"]
    assert {"precision_at_budget", "baseline_precision_at_budget"} <= figures.keys()
    alerts = pl.read_parquet(out)
    assert {"id_number", "issued_at", "score", "level", "scam_type", "reasons"} <= set(
        alerts.columns
    )
    assert (tmp_path / "alerts.rule.parquet").exists()
    scores = pl.read_csv(tmp_path / "scores.csv")
    assert scores.columns == ["id_number", "at", "score", "baseline_score"]
    assert scores["score"].min() >= 0.02
    assert set(alerts["id_number"]) <= set(scores["id_number"])
    assert scores["at"].min() == f"{at}T00:00:00+08:00"  # the warm-up is left out
    assert "每日预算" in report.read_text(encoding="utf-8")
    measured = json.loads(run("measure", "--from", at, "--to", end, "--home", home, "--json"))
    assert measured["alerts_per_day"] == len(scored["alerts"]) / 2
    (listed,) = json.loads(run("models", "--home", home, "--json"))["models"]
    assert (listed["version"], listed["alias"]) == ("1", "champion")
    assert (listed["promoted_by"], listed["why"]) == (None, None)  # the first needs nobody
    shown = run("models", "--promote", "1", "--why", "tried by hand", "--home", home)
    assert "tried by hand" in shown
    (listed,) = json.loads(run("models", "--home", home, "--json"))["models"]
    assert listed["promoted_by"] == terminal_user()


@pytest.mark.training
def test_the_demo_ends_with_a_list_and_a_link(tmp_path):
    words = ("demo", "--home", str(tmp_path / "demo"), "--people", "500", "--days", "20")
    assert "社区" in run(*words, "--language", "zh")
    # A second run begins where the first ended.
    assert "login?token=" in CliRunner().invoke(cli.app, list(words)).output


def test_an_object_store_that_does_not_answer_is_one_line(failed, tmp_path, monkeypatch):
    """Nobody listens at this address."""
    storage = {
        "URL": "s3://forestall/city",
        "ENDPOINT": "http://127.0.0.1:9",
        "RETRIES": "0",
        "RETRY_SECONDS": "1",
    }
    for name, value in storage.items():
        monkeypatch.setenv(f"FORESTALL_STORAGE__{name}", value)
    (tmp_path / "lake").mkdir()
    (line,) = failed("store", "update", "--home", str(tmp_path)).splitlines()
    assert line.startswith("forestall: the object store did not answer. What was committed before")
    assert "Run the command again" in line
