"""Users and the audit trail from the command line."""

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from data_contracts.errors import ForestallError
from pipelines.cli.main import app


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a home that is not there yet."""
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--home", str(home)])


def said(home: Path, *arguments: str) -> str:
    result = run(home, *arguments)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_users_are_added_listed_and_disabled(home: Path) -> None:
    assert said(home, "users", "add", "li", "--role", "analyst", "--token").startswith("fst_")
    said(
        home, "users", "add", "wu", "--role", "officer", "--community", "C02", "--community", "C01"
    )
    assert said(home, "users", "disable", "li") == "li is disabled"
    listed = json.loads(said(home, "users", "list", "--json"))["users"]
    assert [(user["name"], user["communities"], bool(user["disabled_at"])) for user in listed] == [
        ("li", [], True),
        ("wu", ["C01", "C02"], False),
    ]
    assert said(home, "users", "disable", "li", "--restore") == "li is enabled again"
    assert "disabled" not in said(home, "users", "list")


def test_links_and_tokens_are_printed_once(home: Path) -> None:
    said(home, "users", "add", "li", "--role", "analyst")
    assert said(home, "users", "link", "li").startswith("http://127.0.0.1:8000/login?token=fst_")
    token = json.loads(
        said(home, "users", "token", "li", "--for", "gateway", "--read-only", "--json")
    )
    assert (token["name"], token["read_only"], token["secret"][:4]) == ("gateway", True, "fst_")
    assert isinstance(run(home, "users", "link", "nobody").exception, ForestallError)


def test_the_trail_is_proved_whole_or_broken(home: Path) -> None:
    said(home, "users", "add", "li", "--role", "analyst")
    said(home, "users", "add", "wu", "--role", "analyst")
    verdict = json.loads(said(home, "audit", "verify", "--json"))
    assert (verdict["whole"], verdict["entries"]) == (True, 2)
    assert f"head: {verdict['head']}" in said(home, "audit", "verify", "--head", verdict["head"])
    cut = run(home, "audit", "verify", "--head", "0" * 63 + "1")
    assert (cut.exit_code, cut.output.split(":")[0]) == (1, "cut off")
    with sqlite3.connect(home / "serving.db") as connection:
        connection.executescript(
            "DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'x' WHERE id = 2;"
        )
    broken = run(home, "audit", "verify")
    assert broken.exit_code == 1
    assert (
        broken.output.splitlines()[0]
        == "broken at entry 2: the entry was changed after it was written"
    )
