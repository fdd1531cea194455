"""What people hear of a load: of every file that waits or lost rows, the reason and the remedy."""

import json
import re

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.cli.printing.load import print_load
from pipelines.ingestion.outcomes.reports import FileReport
from tests.pipelines.conftest import Home
from tests.pipelines.landing import (
    DAY,
    accounts,
    calls,
    put,
    put_text,
    residents,
    subscribers,
    transfers,
)

CALLS, BROKEN = f"calls/{DAY}/cmcc.parquet", f"calls/{DAY}/ctcc.csv"
PAYMENTS, FOREIGN = f"transfers/{DAY}/icbc.parquet", "说明.docx"


def run(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home.settings.home)])


def deliver(home: Home) -> None:
    put(home.landing, "residents.parquet", residents())
    put(home.landing, "subscribers.parquet", subscribers())
    put(home.landing, "accounts.parquet", accounts())
    put(home.landing, CALLS, calls())
    put(home.landing, PAYMENTS, transfers())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two calls of 40 last less than nothing, all transfers are of no direction, a file has other
    headings and one is no delivery at all.
    """
    home = Home(tmp_path_factory.mktemp("heard"))
    deliver(home)
    bad = calls()
    for place in (4, 11):
        bad[place] |= {"duration_s": -5}
    put(home.landing, CALLS, bad)
    put_text(home.landing, BROKEN, "a,b\n1,2\n")
    put(home.landing, PAYMENTS, [row | {"direction": "sideways"} for row in transfers()])
    put_text(home.landing, FOREIGN, "read me")
    return home


@pytest.fixture(scope="module")
def said(home: Home) -> Result:
    return run(home, "ingest", str(home.landing))


def block_of(path: str, text: str) -> str:
    """The lines about one file: its own and the indented ones below it."""
    lines = iter(text.splitlines())
    own = next(line for line in lines if line.startswith(f"  {path}: "))
    below = []
    for line in lines:
        if not line.startswith("    "):
            break
        below.append(line)
    return "\n".join((own, *below))


def test_rejected_rows_are_told_with_their_words_rows_and_remedy(said: Result) -> None:
    text = block_of(CALLS, said.output)
    assert "2 of 40 rows are rejected: duration_s.negative (2)." in text
    assert "2 rows: duration_s: " in text
    assert "rows 5, 12)" in text
    assert "forestall quarantine --retry" in text


def test_a_held_file_is_told_with_reason_and_remedy(said: Result) -> None:
    text = block_of(PAYMENTS, said.output)
    assert "40 of 40 rows are bad, more than 5%: direction.unknown_value (40)." in text
    assert f"--accept {PAYMENTS}" in text


def test_files_that_cannot_be_read_are_told_too(said: Result) -> None:
    assert "lacks the columns" in block_of(BROKEN, said.output)
    assert "forestall sources try" in block_of(BROKEN, said.output)
    assert "files that end in .docx are not read" in block_of(FOREIGN, said.output)
    assert "remove the file" in block_of(FOREIGN, said.output)


def test_the_exit_code_says_that_files_wait_as_often_as_one_asks(home: Home, said: Result) -> None:
    again = run(home, "ingest", str(home.landing), "--json")
    assert (said.exit_code, again.exit_code) == (3, 3)
    files = {file["path"]: file for file in json.loads(again.stdout)["files"]}
    assert {path: file["status"] for path, file in files.items()} == {
        "accounts.parquet": "duplicate",
        "residents.parquet": "duplicate",
        "subscribers.parquet": "duplicate",
        CALLS: "duplicate",
        BROKEN: "unreadable",
        PAYMENTS: "held",
        FOREIGN: "unreadable",
    }
    assert files[PAYMENTS]["held"] == 40
    assert files[PAYMENTS]["remedy"].endswith(f"ingest with --accept {PAYMENTS}.")
    assert files[CALLS]["warnings"] == []


def test_status_and_quarantine_know_the_files_that_wait(home: Home, said: Result) -> None:
    assert said.exit_code == 3
    status, kept = run(home, "status").output, run(home, "quarantine").output
    for path in (BROKEN, PAYMENTS, FOREIGN):
        assert f"  {path} (" in status
        assert path in kept
    assert "debit" in kept  # a transfer's direction, in its own words
    assert "Most common outcomes" in status


def test_status_tells_in_chinese_why_files_wait_and_what_to_do(home: Home, said: Result) -> None:
    assert said.exit_code == 3
    shown = run(home, "status", "--language", "zh").output
    waiting = shown.partition("待处理的文件")[2].partition("\n\n")[0]
    assert f"  {PAYMENTS} (扣留)" in waiting
    assert "40 行中有 40 行不合格，超过 5%：direction.unknown_value (40)。" in waiting
    assert f"`--accept {PAYMENTS}`" in waiting
    # What is typed, and names of columns and files, stay; no two words of English in a row.
    assert re.findall("[A-Za-z]{2,} [A-Za-z]{2,}", re.sub("`[^`]+`", "", waiting)) == []


def test_a_load_of_which_nothing_waits_ends_with_zero(tmp_path) -> None:
    home = Home(tmp_path)
    deliver(home)
    heard = run(home, "ingest", str(home.landing))
    assert heard.exit_code == 0
    for title in ("Held", "Not read", "Partly"):
        assert title not in heard.output


def warned(path: str, *warnings: str) -> FileReport:
    whole = dict.fromkeys(("quarantined", "duplicates", "skipped", "held"), 0)
    return FileReport(
        path=path,
        dataset=path.split("/", maxsplit=1)[0],
        source="icbc",
        rows=9,
        accepted=9,
        status="accepted",
        reason="",
        warnings=warnings,
        **whole,
    )


def test_what_many_files_warn_of_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Four days of transfers warn of the same, two of calls as well, one of something else."""
    own, replaced = "rows with a warning: own account", "nothing was loaded before"
    print_load(
        [
            *(warned(f"transfers/2026-07-0{day}/icbc.csv", f"{day} {own}") for day in range(1, 5)),
            *(warned(f"calls/2026-07-0{day}/cmcc.csv", f"2 {own}") for day in (1, 2)),
            warned("transfers/2026-07-05/icbc.csv", replaced),
        ]
    )
    said = capsys.readouterr().out.split("should look.\n")[1]
    assert said.splitlines() == [
        "  4 files of transfers, transfers/2026-07-01/icbc.csv to transfers/2026-07-04/icbc.csv: "
        "10 rows with a warning: own account",
        "  calls/2026-07-01/cmcc.csv: 2 rows with a warning: own account",
        "  calls/2026-07-02/cmcc.csv: 2 rows with a warning: own account",
        "  transfers/2026-07-05/icbc.csv: nothing was loaded before",
        "",
    ]
