"""``forestall quarantine --retry``: rejected rows tried again, and what became of them."""

from pathlib import Path

from data_contracts.errors import SettingsError
from data_contracts.words.counts import count_things
from pipelines.cli.arguments import load_installation
from pipelines.cli.printing.terminal import echo_text, print_json, print_table
from pipelines.clock import wall_clock

__all__ = ["retry_rows"]

COUNTS = ("retried", "accepted", "duplicates", "skipped", "rejected")
HEADINGS = ("dataset", "file", "retried", "accepted", "duplicate", "left out", "still rejected")


def retry_rows(home: Path | None, *, dataset: str | None, shows_rows: bool, as_json: bool) -> None:
    """Retry the rejected rows and print what became of them, file by file."""
    from pipelines.orchestration.recorded_loads import run_retry

    if shows_rows:
        raise SettingsError(
            "--retry goes with neither --reveal nor --out",
            remedy="Retry first, then list what is still rejected.",
        )
    report = run_retry(load_installation(home), received_at=wall_clock(), dataset=dataset)
    if as_json:
        print_json({"files": report.files})
        return
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
