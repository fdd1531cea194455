"""What the command line prints: progress, tables, lists and JSON."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from serving.vocabulary.languages import Language, read_in

__all__ = [
    "echo_text",
    "format_figure",
    "plain_text",
    "print_json",
    "print_progress",
    "print_table",
    "print_watchlist",
    "progress_counter",
    "progress_printer",
    "to_json_value",
]


# Control characters but tab and new line, and what turns the direction of writing
UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
WIDE = 200  # characters of a line of a table in a file or a pipe


def plain_text(text: str) -> str:
    """What stands there, without what a terminal would obey: the name of a delivered file could
    clear the screen, colour a refusal green or type a command.
    """
    return UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def echo_text(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a text plainly."""
    typer.echo(plain_text(text), err=err, nl=nl)


def print_progress(text: str) -> None:
    """A line of progress, beside the results."""
    echo_text(text, err=True)


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
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for heading in headings:
        grid.add_column(heading)
    for row in rows:
        grid.add_row(*(Text(plain_text(str(cell))) for cell in row))
    # Where nobody looks, nothing has to fit a screen.
    Console(width=None if sys.stdout.isatty() else WIDE).print(grid)


def print_watchlist(alerts: Sequence[Any], *, language: Language) -> None:
    """The alerts as a person reads them: a line each, and the reasons below it."""
    from serving.presentation.translations import get_translator
    from serving.presentation.wording import HELP_TO_FREEZE, LEVELS, scam_type_name

    say = get_translator(language)
    for alert in alerts:
        kind = scam_type_name(alert.scam_type, say.language)
        echo_text(
            f"\n{alert.rank:3}  {say.label(LEVELS, alert.level)}  {alert.score:.0%}  {kind}"
            f"  {say('Community')} {alert.community_id}  {alert.person[:10]}…"
        )
        if alert.already_paid_cny is not None:
            echo_text(f"     ! {say(HELP_TO_FREEZE)}")
        for reason in alert.reasons:
            echo_text(f"       · {read_in(reason, language)}")
    echo_text("")


def to_json_value(thing: object) -> Any:
    """A result as JSON can hold it: dataclasses and models as objects, moments in ISO form."""
    from pydantic import TypeAdapter

    return TypeAdapter(Any).dump_python(thing, mode="json", fallback=str)


def print_json(content: object) -> None:
    """One JSON object on standard output."""
    echo_text(json.dumps(to_json_value(content), ensure_ascii=False))
