"""What the command line prints: progress, tables, lists and JSON."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from serving.vocabulary.languages import Language, read_in

__all__ = [
    "format_figure",
    "print_json",
    "print_progress",
    "print_table",
    "print_watchlist",
    "progress_counter",
    "progress_printer",
    "to_json_value",
]


WIDE = 200  # characters of a line of a table in a file or a pipe


def print_progress(text: str) -> None:
    """A line of progress, beside the results."""
    typer.echo(text, err=True)


def progress_printer(as_json: bool) -> Callable[[str], None]:  # noqa: FBT001 -- mirrors the option
    """Progress in words unless a machine reads."""
    return (lambda _: None) if as_json else print_progress


def progress_counter(thing: str) -> Callable[[int, int], None]:
    """Progress of many small things: one line, written over; nothing where nobody looks."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            sys.stderr.write(f"\r{thing} {done} of {total}{end}")
            sys.stderr.flush()

    return show


def format_figure(value: float | None) -> str:
    """A number for a table."""
    return "–" if value is None else f"{value:.4g}"


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a plain table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for heading in headings:
        grid.add_column(heading)
    for row in rows:
        grid.add_row(*(str(cell) for cell in row))
    # Where nobody looks, nothing has to fit a screen.
    Console(width=None if sys.stdout.isatty() else WIDE).print(grid)


def print_watchlist(alerts: Sequence[Any], *, language: Language) -> None:
    """The alerts as a person reads them: a line each, and the reasons below it."""
    from serving.presentation.translations import get_translator
    from serving.presentation.wording import HELP_TO_FREEZE, LEVELS, scam_type_name

    say = get_translator(language)
    for alert in alerts:
        kind = scam_type_name(alert.scam_type, say.language)
        typer.echo(
            f"\n{alert.rank:3}  {say.label(LEVELS, alert.level)}  {alert.score:.0%}  {kind}"
            f"  {say('Community')} {alert.community_id}  {alert.person[:10]}…"
        )
        if alert.already_paid_cny is not None:
            typer.echo(f"     ! {say(HELP_TO_FREEZE)}")
        for reason in alert.reasons:
            typer.echo(f"       · {read_in(reason, language)}")
    typer.echo("")


def to_json_value(thing: object) -> Any:
    """A result as JSON can hold it: dataclasses and models as objects, moments in ISO form."""
    from pydantic import TypeAdapter

    return TypeAdapter(Any).dump_python(thing, mode="json", fallback=str)


def print_json(content: object) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(to_json_value(content), ensure_ascii=False))
