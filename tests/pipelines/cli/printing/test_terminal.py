"""What the terminal prints of a watchlist."""

import re
from pathlib import Path

import pytest

from pipelines.cli.printing.terminal import (
    echo_text,
    plain_text,
    print_progress,
    print_table,
    print_watchlist,
)
from tests.serving.published import an_alert

ROOT = Path(__file__).parents[4]
CHINESE = re.compile("[一-鿿]")


def test_a_watchlist_is_printed_in_the_language_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alerts = [an_alert("p1_a", 1, already_paid_cny=36_000.0), an_alert("p1_b", 2)]
    print_watchlist(alerts, language="zh")
    chinese = capsys.readouterr().out
    print_watchlist(alerts, language="en")
    english = capsys.readouterr().out
    assert "社区 C01" in chinese
    assert alerts[0].reasons[0].zh in chinese
    assert "Community C01" in english
    assert alerts[0].reasons[0].en in english
    assert "! Probably paid: help to freeze" in english
    assert not CHINESE.search(english)


HOSTILE = "calls/\x1b[2J\x1b]0;owned\x07\x9b31m\u202ecsv.exe\r\b[red]ok[/red].csv"
SHOWN = r"calls/\x1b[2J\x1b]0;owned\x07\x9b31m\x202ecsv.exe\x0d\x08[red]ok[/red].csv"


def test_a_files_name_gives_the_terminal_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    echo_text(f"{HOSTILE}: held")
    print_table(("file",), [(HOSTILE,)])
    print_progress(HOSTILE)
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == f"{SHOWN}: held"
    assert SHOWN in printed.out.partition("\n")[2]
    assert printed.err == f"{SHOWN}\n"
    assert not set("\x1b\x07\x9b\r\b\u202e") & set(printed.out + printed.err)


def test_lines_and_tabs_stay() -> None:
    assert plain_text("a\tb\n甲 – ¥1\n") == "a\tb\n甲 – ¥1\n"


def test_no_command_prints_past_it() -> None:
    files = [*(ROOT / "pipelines" / "cli").rglob("*.py")]
    prints = re.compile(r"typer\.(echo|secho)|\bprint\(")
    assert {path.name for path in files if prints.search(path.read_text())} == {"terminal.py"}
