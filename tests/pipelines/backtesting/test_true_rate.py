"""A replay in a file and a district's truth, composed for the true rate: as a table and as JSON."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from data_contracts.errors import DeliveryError, SettingsError
from pipelines.backtesting.score_file import ScoreFile
from pipelines.backtesting.true_rate import composition_table, read_scores
from pipelines.cli import main as cli
from tests.models.evaluation.true_rate.test_composition import SCORES, TRUTH, _compose
from tests.pipelines.landing import id_number

ID_NUMBER = id_number(7)


def _write(folder: Path, name: str, *, who: str = "id_number") -> Path:
    rows = SCORES.with_columns(at="issued_at", baseline_score=0.0)
    with ScoreFile(
        folder / name, floor=0, reveal=lambda kept: kept.rename({"person": who})
    ) as scores:
        scores.add(rows)
    TRUTH.rename({"person": "id_number"}).write_parquet(folder / "truth.parquet")
    return folder / name


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_scores_are_read_as_they_were_written(tmp_path: Path, name: str) -> None:
    found = read_scores(_write(tmp_path, name))
    wanted = SCORES.rename({"person": "id_number"})
    assert found.sort("issued_at", "id_number").equals(wanted.sort("issued_at", "id_number"))


def test_alerts_do_too(tmp_path: Path) -> None:
    file = tmp_path / "alerts.parquet"
    SCORES.with_columns(level=pl.lit("red")).write_parquet(file)
    assert read_scores(file).equals(SCORES)


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for name in ("other.csv", "nothing.parquet"):
        with pytest.raises(DeliveryError, match="scores or the alerts of a replay"):
            read_scores(tmp_path / name)


def test_a_line_a_budget() -> None:
    lines = composition_table(_compose([1, 24])).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:3] == ["budget", "alerts a day", "from"]
    assert cells[0][3:5] == ["false per 100,000 and day", "precision a"]
    assert cells[2][:4] == ["1", "0.6", "0.900", "none, under 30.00"]
    assert cells[3][:4] == ["24", "23.2", "0.700", "10.00"]
    assert cells[3][4].startswith("0.54 (")
    assert cells[3][7:] == ["0.50 (0.00 to 1.00)", "0.15 (0.00 to 0.60)", "2"]


def test_the_command_composes_a_file_with_a_truth(tmp_path: Path) -> None:
    words = [
        "compose",
        str(_write(tmp_path, "scores.csv")),
        *("--truth", str(tmp_path / "truth.parquet"), "--people", "1004"),
        *("--from", "2026-06-08", "--to", "2026-06-18", "--budgets", "24"),
        *("--residents", "100000", "--home", str(tmp_path / "home")),
    ]
    found = CliRunner().invoke(cli.app, [*words, "--json"])
    assert found.exit_code == 0, found.output
    (row,) = json.loads(found.stdout)["budgets"]
    assert (row["threshold"], row["innocent_alerts"]) == (0.7, 1)
    assert row["alerts_per_day"] == pytest.approx(23.2)
    table = CliRunner().invoke(cli.app, [*words, "--contacts", "10", "--by-type"]).stdout
    # Six instead of twelve a day in the story without a loss, and so two alerts more fit.
    assert "| 24 | 23.2 | 0.600 |" in " ".join(table.split())
    assert "| scam type | losses | traced | coverage at 24 |" in table
    assert "| Fake police | 2 | 2 | 0.50 (0.00 to 1.00) |" in table


@pytest.mark.parametrize("who", ["id_number", "person"])
def test_the_truth_of_another_district_is_refused(tmp_path: Path, who: str) -> None:
    scores = _write(tmp_path, "scores.parquet", who=who)
    elsewhere = tmp_path / "elsewhere.parquet"
    strangers = pl.lit(ID_NUMBER).alias("id_number")
    TRUTH.drop("person").with_columns(strangers).write_parquet(elsewhere)
    words = [
        "compose",
        str(scores),
        *("--truth", str(elsewhere), "--people", "1004"),
        *("--from", "2026-06-08", "--to", "2026-06-18", "--home", str(tmp_path / "home")),
    ]
    error = CliRunner().invoke(cli.app, words).exception
    assert isinstance(error, DeliveryError)
    assert "elsewhere.parquet is the truth of another district" in str(error)
    assert "truth.parquet" in error.remedy


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--budgets", "abc"], "no whole numbers"),
        (["--budgets", "0,12"], "at least one alert a day"),
        (["--budgets", "none"], "at least one alert a day"),
        (["--to", "2026-06-01"], "ends before it starts"),
    ],
)
def test_what_cannot_be_composed_is_said_with_a_remedy(tmp_path, changed, message):
    words = [
        "compose",
        str(_write(tmp_path, "scores.csv")),
        *("--truth", str(tmp_path / "truth.parquet"), "--people", "1004"),
        *("--from", "2026-06-08", "--to", "2026-06-18", "--home", str(tmp_path / "home")),
    ]
    error = CliRunner().invoke(cli.app, [*words, *changed]).exception
    assert isinstance(error, SettingsError)
    assert message in str(error)
    assert error.remedy
