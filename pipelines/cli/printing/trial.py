"""What a trial of a file says at the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data_contracts.words.counts import count_things
from pipelines.cli.printing.load import describe_finding
from pipelines.cli.printing.terminal import echo_text, print_table

if TYPE_CHECKING:
    from pipelines.ingestion.outcomes.findings import Finding
    from pipelines.ingestion.trial import Trial

__all__ = ["print_trial"]

ROWS_ACROSS = 3


def print_trial(trial: "Trial") -> None:
    """Print layout, columns, first rows, what is rejected and left out, and a guessed mapping."""
    layout = ", ".join(f"{key} {_said(value)}" for key, value in trial.layout.items())
    echo_text(f"{trial.file}: {trial.dataset} of {trial.source}; {layout or 'Parquet'}")
    if trial.format:
        echo_text(f"read as {trial.format}: {trial.format_title}")
    shown = trial.shown[:ROWS_ACROSS]
    rows = [
        (column, how, *(_said(row.get(column)) for row in shown))
        for column, how in trial.filled_by.items()
    ]
    if rows:
        print_table(("column", "filled by", *(f"row {row['_row']}" for row in shown)), rows)
    if trial.ignored:
        echo_text(f"not used: {', '.join(trial.ignored)}")
    if trial.problem:
        echo_text(f"it cannot be read: {trial.problem}\n{trial.remedy}")
    else:
        left_out = sum(trial.skipped.values())
        echo_text(
            f"{count_things(trial.rows, 'row')}: {trial.accepted:,} would be accepted, "
            f"{trial.rejected:,} rejected, {left_out:,} left out"
        )
    _print_findings("rejected", trial.reasons)
    _print_findings("warned of", trial.row_warnings)
    for reason, number in trial.skipped.items():
        echo_text(f"left out: {count_things(number, 'row')}: {reason}")
    for warning in trial.warnings:
        echo_text(f"warning: {warning}")
    if trial.problem or trial.rejected > trial.accepted:
        echo_text(f"\nA mapping to start from:\n\n{trial.guess}")


def _print_findings(what: str, findings: "Sequence[Finding]") -> None:
    for one in findings:
        echo_text(f"{what}: {describe_finding(one)}")


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "–" if value is None else {"\t": "tab"}.get(str(value), str(value))
