"""What a load says at the terminal: counts, then every file that waits or lost rows, with the
reason and what to do.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from pipelines.cli.printing.terminal import print_table

if TYPE_CHECKING:
    from pipelines.ingestion.outcomes.findings import Finding
    from pipelines.ingestion.outcomes.reports import FileReport

__all__ = ["describe_finding", "print_load"]

COUNTS = ("accepted", "quarantined", "duplicates", "skipped", "held")
TITLES = {
    "held": "Held: nothing of these files was taken",
    "unreadable": "Not read: nothing of these files was taken",
    "partly": "Partly taken: some rows of these files are in quarantine",
}


def print_load(files: "Sequence[FileReport]") -> None:
    """Print the counts by source, then file by file what somebody has to do or should know."""
    totals: dict[tuple[str, str], list[int]] = {}
    for file in files:
        row = totals.setdefault((file.dataset, file.source), [0] * (1 + len(COUNTS)))
        for place, number in enumerate((1, *(getattr(file, name) for name in COUNTS))):
            row[place] += number
    print_table(
        ("dataset", "source", "files", "accepted", "quarantined", "duplicate", "left out", "held"),
        [(*key, *row) for key, row in sorted(totals.items())],
    )
    for status, title in TITLES.items():
        _print_section(title, [line for file in files for line in _lines_about(file, status)])
    warned = [f"  {file.path}: {text}" for file in files for text in file.warnings]
    _print_section("Warnings: taken, but somebody should look", warned)


def _print_section(title: str, lines: Sequence[str]) -> None:
    if lines:
        typer.echo("\n".join((f"{title}.", *lines, "")))


def _lines_about(file: "FileReport", status: str) -> Iterator[str]:
    if file.status != status:
        return
    yield f"  {file.path}: {file.reason.rstrip('.')}."
    yield from (f"    {describe_finding(one)}" for one in file.rejected)
    if file.remedy:
        yield f"    → {file.remedy}"


def describe_finding(found: "Finding") -> str:
    """A reason with the number of its rows and the first of them."""
    rows = ", ".join(map(str, found.first_rows))
    more = ", …" if found.rows > len(found.first_rows) else ""
    noun = "row" if found.rows == 1 else "rows"
    return f"{found.rows:,} {noun}: {found.words} ({found.code}; {noun} {rows}{more})"
