"""Rejected rows, rows with a warning and files that wait are told apart at the terminal."""

import polars as pl
import pytest

from pipelines.cli.printing.quarantine import describe_rows, print_quarantine

CALLS, CASES, RESIDENTS = "calls/2026-06-15/cmcc.csv", "cases.csv", "residents.csv"


def rows_of(*found: tuple[str, int | None, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(path.split("/")[0].removesuffix(".csv"), *rest) for path, *rest in found],
        schema=("dataset", "row", "severity", "reason_text_en"),
        orient="row",
    ).with_columns(path=pl.Series([path for path, *_ in found], dtype=pl.String))


MIXED = rows_of(
    (CALLS, 3, "rejected", "The value cannot be read."),
    (CALLS, 4, "rejected", "The value cannot be read."),
    (CASES, 6, "warning", "The list holds something that is no number."),
    (RESIDENTS, None, "rejected", "37 of the 40 entries are missing."),
)


def test_rows_that_were_taken_and_files_that_wait_are_not_counted_as_rejected() -> None:
    assert describe_rows(MIXED) == "2 rejected rows, 1 row taken with a warning, 1 file that waits"
    assert describe_rows(MIXED.head(0)) == "Nothing is in quarantine"


def test_every_line_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_quarantine(MIXED)
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[2][:5] == ["calls", CALLS, "3", "rejected", "The"]
    assert lines[4][:5] == ["cases", CASES, "6", "warning", "The"]
    assert lines[5][:5] == ["residents", RESIDENTS, "–", "file", "waits"]


def test_that_only_the_first_rows_are_shown_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_quarantine(rows_of(*((CALLS, row, "rejected", "Wrong.") for row in range(1, 52))))
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "51 rejected rows; the first 50 are shown; --out FILE writes them all"
