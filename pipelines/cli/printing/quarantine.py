"""What lies in quarantine, at the terminal: rejected rows, warnings and files that wait apart."""

from typing import TYPE_CHECKING

from data_contracts.words.counts import count_things
from pipelines.cli.printing.terminal import echo_text, print_table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["describe_rows", "print_quarantine"]

SHOWN_ROWS = 50


def print_quarantine(rows: "pl.DataFrame") -> None:
    """Print the first rows of what ``read_quarantine`` returned, revealed ones with their values,
    and how many there are of what.
    """
    shown = list(rows.head(SHOWN_ROWS).iter_rows(named=True))
    print_table(
        ("dataset", "file", "row", "what", "reason"),
        [
            (one["dataset"], one["path"], one["row"] or "–", _kind(one), one["reason_text_en"])
            for one in shown
        ],
    )
    for one in shown:
        if one.get("row_json"):  # too wide for a column
            echo_text(f"{one['path']}, row {one['row']}: {one['row_json']}")
    first = f"; the first {SHOWN_ROWS} are shown" if len(rows) > SHOWN_ROWS else ""
    echo_text(f"{describe_rows(rows)}{first}; --out FILE writes them all")


def describe_rows(rows: "pl.DataFrame") -> str:
    """How many rows are rejected, how many taken with a warning, and how many files wait."""
    kinds = [_kind(one) for one in rows.select("row", "severity").iter_rows(named=True)]
    found = (
        (kinds.count("rejected"), "rejected row", "rejected rows"),
        (kinds.count("warning"), "row taken with a warning", "rows taken with a warning"),
        (kinds.count("file waits"), "file that waits", "files that wait"),
    )
    said = [count_things(number, one, many) for number, one, many in found if number]
    return ", ".join(said) or "Nothing is in quarantine"


def _kind(one: dict[str, object]) -> str:
    return str(one["severity"]) if one["row"] is not None else "file waits"
