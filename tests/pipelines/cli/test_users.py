"""Users and the audit trail from the command line."""

import base64
import json
import os
import pwd
import re
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from typer.testing import CliRunner

from data_contracts.errors import ForestallError, SettingsError
from pipelines.cli.main import app
from pipelines.settings import Settings
from pipelines.storage.installation.terminal import terminal_user


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
    # Signing began with the first of them
    assert (verdict["whole"], verdict["entries"], verdict["signed"]) == (True, 3, 3)
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


def test_a_lost_device_is_helped_at_the_terminal(home: Path) -> None:
    said(home, "users", "add", "li", "--role", "analyst")
    assert "no second factor" in str(run(home, "users", "reset-second-factor", "li").exception)
    with sqlite3.connect(home / "serving.db") as connection:
        connection.execute("INSERT INTO second_factors VALUES (1, x'00', '2026-07-05', 0)")
    assert said(home, "users", "reset-second-factor", "li").startswith("li comes in without")
    with sqlite3.connect(home / "serving.db") as connection:
        assert connection.execute("SELECT count(*) FROM second_factors").fetchone() == (0,)
        (entry,) = connection.execute("SELECT subject FROM audit WHERE action = 'factor-removed'")
    assert entry == ("li",)


def test_keys_of_the_trail_are_the_owners_alone_and_the_public_one_checks_it(home: Path) -> None:
    said(home, "users", "add", "li", "--role", "analyst")
    keys = Settings.load(home).keys_folder
    assert {path.name: path.stat().st_mode & 0o777 for path in keys.glob("audit.*")} == {
        "audit.key": 0o600,
        "audit.pub": 0o600,
        "audit.head": 0o600,
        "audit.lock": 0o600,
    }
    public = load_pem_public_key((keys / "audit.pub").read_bytes())
    assert isinstance(public, Ed25519PublicKey)
    with sqlite3.connect(home / "serving.db") as connection:
        digest, signature = connection.execute(
            "SELECT digest, signature FROM audit ORDER BY id DESC LIMIT 1"
        ).fetchone()
    public.verify(base64.b64decode(signature), f"forestall audit entry 1\n{digest}".encode())


def test_a_cut_tail_shows_by_the_kept_head_and_by_anchors(home: Path, tmp_path: Path) -> None:
    said(home, "users", "add", "li", "--role", "analyst")
    file = tmp_path / "anchor"
    for _ in range(2):
        said(home, "audit", "anchor", str(file))
    code = said(home, "audit", "anchor")
    assert re.fullmatch("[0-9a-f]{5}(-[0-9a-f]{5}){3}", code)
    assert len(file.read_text().splitlines()) == 2
    for anchor in (str(file), code):
        assert said(home, "audit", "verify", "--anchor", anchor).startswith("whole: 2 entries")
    with sqlite3.connect(home / "serving.db") as connection:
        connection.executescript("DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE id = 2;")
    assert run(home, "audit", "verify").output.startswith("cut off")
    (Settings.load(home).keys_folder / "audit.head").unlink()
    assert run(home, "audit", "verify").exit_code == 0  # nobody here can tell any more
    for anchor in (str(file), code):
        assert run(home, "audit", "verify", "--anchor", anchor).output.startswith("cut off")
    file.write_text(file.read_text().replace("forestall-audit-1 2", "forestall-audit-1 3"))
    assert isinstance(run(home, "audit", "verify", "--anchor", str(file)).exception, SettingsError)


def test_the_actor_is_the_systems_user_whatever_the_environment_says(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody.else")
    monkeypatch.delenv("SUDO_UID", raising=False)
    me = pwd.getpwuid(os.getuid()).pw_name
    assert terminal_user() == me
    said(home, "users", "add", "li", "--role", "analyst")
    with sqlite3.connect(home / "serving.db") as connection:
        actors = connection.execute("SELECT actor FROM audit WHERE action = 'user-added'")
        assert actors.fetchall() == [(me,)]
    monkeypatch.setenv("SUDO_UID", "0")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert terminal_user() == "root (sudo: root)"
    monkeypatch.setenv("SUDO_UID", "54321")
    assert terminal_user() == "root (sudo: uid 54321)"
    monkeypatch.setattr(os, "getuid", lambda: 54321)  # who is not root became nobody by sudo
    assert terminal_user() == "uid 54321"
