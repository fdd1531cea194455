"""What a load says at the terminal: counts, then every file that waits or lost rows, with the
reason and what to do.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from data_contracts.words.counts import choose_form, count_things
from pipelines.cli.printing.terminal import echo_text, print_table

if TYPE_CHECKING:
    from pipelines.ingestion.outcomes.findings import Finding
    from pipelines.ingestion.outcomes.reports import FileReport

__all__ = ["describe_finding", "print_load"]

MANY_FILES = 4  # that warn of the same stand in one line
COUNT_OF_ROWS = re.compile(r"^([0-9,]+) rows? ")

COUNTS = ("accepted", "quarantined", "duplicates", "skipped", "held")
TITLES = {
    "held": "Held: nothing of these files was taken",
    "unreadable": "Not read: nothing of these files was taken",
    "gone": "Gone: these files waited, lie there no longer, and wait no more",
    "duplicate": "Not loaded again: these files were taken out of the lake",
    "partly": "Partly taken: some rows of these files are in quarantine",
}


def print_load(files: "Sequence[FileReport]") -> None:
    """Print the counts by source, then file by file what somebody has to do or should know."""
    totals: dict[tuple[str, str], list[int]] = {}
    for file in files:
        if file.status == "gone":
            continue
        row = totals.setdefault((file.dataset, file.source), [0] * (1 + len(COUNTS)))
        for place, number in enumerate((1, *(getattr(file, name) for name in COUNTS))):
            row[place] += number
    print_table(
        ("dataset", "source", "files", "accepted", "quarantined", "duplicate", "left out", "held"),
        [(*key, *row) for key, row in sorted(totals.items())],
    )
    for status, title in TITLES.items():
        _print_section(title, [line for file in files for line in _lines_about(file, status)])
    _print_section("Warnings: taken, but somebody should look", list(_lines_of_warnings(files)))


def _lines_of_warnings(files: "Sequence[FileReport]") -> Iterator[str]:
    """Each warning with its file; one that many files of a dataset share stands once, its rows
    added up.
    """
    alike: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for file in files:
        for text in file.warnings:
            words = COUNT_OF_ROWS.sub("", text)
            alike.setdefault((file.dataset, words), []).append((file.path, text))
    for (dataset, words), warnings in alike.items():
        if len(warnings) < MANY_FILES or warnings[0][1] == words:
            yield from (f"  {path}: {text}" for path, text in warnings)
            continue
        found = (COUNT_OF_ROWS.match(text) for _, text in warnings)
        rows = sum(int(one[1].replace(",", "")) for one in found if one)
        span = f"{warnings[0][0]} to {warnings[-1][0]}"
        yield f"  {len(warnings)} files of {dataset}, {span}: {count_things(rows, 'row')} {words}"


def _print_section(title: str, lines: Sequence[str]) -> None:
    if lines:
        echo_text("\n".join((f"{title}.", *lines, "")))


def _lines_about(file: "FileReport", status: str) -> Iterator[str]:
    if file.status != status or (status == "duplicate" and not file.remedy):
        return
    yield f"  {file.path}: {file.reason.rstrip('.')}."
    yield from (f"    {describe_finding(one)}" for one in file.rejected)
    if file.remedy:
        yield f"    → {file.remedy}"


def describe_finding(found: "Finding") -> str:
    """A reason with the number of its rows and the first of them."""
    rows = ", ".join(map(str, found.first_rows))
    more = ", …" if found.rows > len(found.first_rows) else ""
    noun = choose_form(found.rows, "row", "rows")
    return f"{count_things(found.rows, 'row')}: {found.words} ({found.code}; {noun} {rows}{more})"
