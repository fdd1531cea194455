"""What became of rejected rows that were tried again, at the terminal."""

from typing import TYPE_CHECKING

from data_contracts.words.counts import count_things
from pipelines.cli.printing.terminal import echo_text, print_table

if TYPE_CHECKING:
    from pipelines.ingestion.retries.retry import RetryReport

__all__ = ["print_retry"]

COUNTS = ("retried", "accepted", "duplicates", "skipped", "rejected")
HEADINGS = ("dataset", "file", "retried", "accepted", "duplicate", "left out", "still rejected")


def print_retry(report: "RetryReport") -> None:
    """Print what became of the rows, file by file."""
    print_table(
        HEADINGS,
        [
            (file.dataset, file.path, *(getattr(file, name) for name in COUNTS))
            for file in report.files
        ],
    )
    for file in report.files:
        for problem in file.problems:
            echo_text(f"{file.path}: {problem}")
        for reason in file.reasons:
            echo_text(f"{file.path}: {reason.rows} still rejected: {reason.words}")
    accepted = sum(file.accepted for file in report.files)
    echo_text(
        f"{count_things(accepted, 'row')} accepted of {sum(file.retried for file in report.files)}"
    )
