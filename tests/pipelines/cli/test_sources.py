"""Sources from the command line: declared, listed, tried."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from data_contracts.errors import SettingsError
from data_contracts.mappings.mapping import load_mapping
from pipelines.cli.main import app
from pipelines.settings import Settings
from pipelines.storage.installation.databases import open_serving_database

EXPORTS = Path(__file__).parents[2] / "data_contracts" / "mappings" / "exports"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a home that is not there yet."""
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["sources", *arguments, "--home", str(home)])


def said(home: Path, *arguments: str) -> str:
    result = run(home, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_source_is_declared_by_one_command_and_listed(home: Path) -> None:
    said(home, "declare", "ruralbank")
    said(home, "declare", "icbc", "--format", "police_bank_34")

    folder = home / "sources"
    assert sorted(file.name for file in folder.iterdir()) == [
        *("icbc.yaml", "mapping.schema.json", "ruralbank.yaml")
    ]
    assert load_mapping("icbc", folder=folder).of("transfers").format is None
    assert load_mapping("icbc", folder=folder).formats_named == ("police_bank_34",)
    listed = json.loads(said(home, "list", "--json"))["sources"]
    assert [(one["name"], one["datasets"], one["formats"]) for one in listed] == [
        ("icbc", ["transfers"], ["police_bank_34"]),
        ("ruralbank", [], []),
    ]


def test_declaring_again_changes_the_formats_and_nothing_else(home: Path) -> None:
    said(home, "declare", "cmcc", "--format", "cmcc_calls")
    path = home / "sources" / "cmcc.yaml"
    path.write_text(path.read_text() + "encoding: gb18030  # they never change it\n")

    said(home, "declare", "cmcc", "--format", "cmcc_calls", "--format", "cmcc_texts")
    assert "they never change it" in path.read_text()
    assert load_mapping("cmcc", folder=path.parent).format == ("cmcc_calls", "cmcc_texts")
    said(home, "declare", "cmcc")
    assert load_mapping("cmcc", folder=path.parent).format == ("cmcc_calls", "cmcc_texts")


def test_a_guessed_mapping_is_declared(home: Path, tmp_path: Path) -> None:
    guessed = tmp_path / "guessed.yaml"
    guessed.write_text(said(home, "try", str(EXPORTS / "cucc_calls.csv"), "--guess"))
    said(home, "declare", "cucc", "--mapping", str(guessed))
    mapping = load_mapping("cucc", folder=home / "sources")
    assert mapping.of("calls").durations == {"duration_s": ("words", "h:m:s")}


def test_what_cannot_be_declared_is_refused_and_changes_nothing(home: Path) -> None:
    said(home, "declare", "icbc", "--format", "icbc_web")
    before = (home / "sources" / "icbc.yaml").read_text()
    for arguments in (("ICBC 2",), ("icbc", "--format", "icbc_wep")):
        assert isinstance(run(home, "declare", *arguments).exception, SettingsError)
    assert (home / "sources" / "icbc.yaml").read_text() == before


def test_the_schema_checks_what_a_mapping_says(home: Path) -> None:
    result = CliRunner().invoke(app, ["sources", "schema"])
    schema = json.loads(result.output)
    check = jsonschema.Draft202012Validator(schema)
    good = "values: {calls: {direction: {1: out}}}\ntransfers: {format: icbc_web, nothing: '-'}"
    assert list(check.iter_errors(yaml.safe_load(good))) == []
    for bad in ("transfers: {headings: {a: b}}", "calls: {fromat: x}", "headings: {x: {}}"):
        assert list(check.iter_errors(yaml.safe_load(bad)))
    page = Path(__file__).parents[3] / "docs" / "mapping.schema.json"
    assert json.loads(page.read_text(encoding="utf-8")) == schema


def test_a_try_says_what_would_become_of_a_file(home: Path) -> None:
    words = said(home, "try", str(EXPORTS / "police_bank_34.csv"), "--source", "icbc")
    assert "transfers of icbc; encoding utf-8, delimiter ,, heading_row 1" in words
    assert "left out: 1 row: status is failed" in words
    assert "currency.not_cny; row 6" in words
    assert "6222020200010000000" not in words
    found = json.loads(said(home, "try", str(EXPORTS / "cmcc_calls.csv"), "--json"))
    assert (found["dataset"], found["accepted"]) == ("calls", 3)
    assert not home.exists()


def test_the_formats_are_listed(home: Path) -> None:
    result = CliRunner().invoke(app, ["sources", "formats", "--json"])
    names = [one["name"] for one in json.loads(result.output)["formats"]]
    assert {"police_bank_34", "wechat_pay", "alipay_bill", "cmcc_calls"} <= set(names)


def test_a_mapping_to_try_that_cannot_be_opened_is_refused_in_words(
    home: Path, tmp_path: Path
) -> None:
    mapping = tmp_path / "icbc.yaml"
    missing = run(home, "try", "icbc.csv", "--mapping", str(mapping)).exception
    assert isinstance(missing, SettingsError)
    assert str(missing).startswith("The source mapping icbc.yaml cannot be opened")

    mapping.write_bytes("transfers: {headings: {流水: record_id}}".encode("gb18030"))
    foreign = run(home, "try", "icbc.csv", "--mapping", str(mapping)).exception
    assert str(foreign) == "The source mapping icbc.yaml cannot be used: it is not UTF-8."


def test_values_that_are_revealed_are_an_entry_of_the_trail(home: Path) -> None:
    file = EXPORTS / "police_bank_34.csv"
    said(home, "try", str(file), "--source", "icbc")
    assert run(home, "try", str(file), "--source", "icbc", "--reveal").exit_code == 1
    assert not home.exists()  # where nothing can be audited nothing is revealed
    home.mkdir()
    open_serving_database(Settings(home=home)).dispose()
    said(home, "try", str(file), "--source", "icbc", "--reveal")
    with closing(sqlite3.connect(home / "serving.db")) as database:
        entries = database.execute(
            "SELECT action, subject FROM audit WHERE action = 'reveal'"
        ).fetchall()
    assert entries == [("reveal", "sources try")]
