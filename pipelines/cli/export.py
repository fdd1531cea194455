"""What leaves the installation: lists for people who work away from the screen, and messages to
other systems.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from data_contracts.words.counts import count_things
from pipelines.cli.arguments import (
    AsJson,
    At,
    Home,
    InLanguage,
    Language,
    load_installation,
    parse_day,
)
from pipelines.cli.printing.terminal import echo_text, print_json

__all__ = ["export", "webhooks"]

export = typer.Typer(help="Lists for people who work away from the screen.", no_args_is_help=True)
webhooks = typer.Typer(help="Messages that tell other systems of new alerts.", no_args_is_help=True)


class OutreachFormat(StrEnum):
    """Forms of an outreach list."""

    csv = "csv"
    xlsx = "xlsx"
    json = "json"


@export.command("outreach")
def export_outreach(
    community: Annotated[str, typer.Option(help="The community the list is for.")],
    at: At = None,
    format: Annotated[OutreachFormat, typer.Option()] = OutreachFormat.csv,  # noqa: A002 -- the option's name
    out: Annotated[Path | None, typer.Option(help="Write to FILE instead of the terminal.")] = None,
    language: InLanguage = Language.zh,
    home: Home = None,
) -> None:
    """A community's outreach list of a day, with the names and numbers that officers need."""
    from pipelines.storage.places.private_files import make_private
    from pipelines.webapp.wiring import issue_outreach_list

    settings = load_installation(home)
    day = parse_day(at) if at else None
    made = issue_outreach_list(
        settings, community=community, day=day, form=format.value, language=language.value
    )
    if not made.is_published:
        echo_text(
            f"no watchlist was published for {made.day}: whom to reach in {community} is not known",
            err=True,
        )
    if out is not None:
        make_private(out)
        out.write_bytes(made.content)
        noun = "person" if made.people == 1 else "people"
        echo_text(f"list {made.list_id} of {community} in {out}: {made.people} {noun} to reach")
    else:
        sys.stdout.buffer.write(made.content)


@webhooks.callback()
def list_webhook_commands() -> None:
    """Messages that tell other systems of new alerts."""


@webhooks.command()
def deliver(home: Home = None, as_json: AsJson = False) -> None:
    """Send what is due, once: for a timer where the pages are not served. `serve` does it by
    itself.
    """
    from pipelines.webapp.wiring import deliver_webhooks

    done = deliver_webhooks(load_installation(home))
    if as_json:
        print_json(done)
    else:
        echo_text(
            f"{count_things(done.delivered, 'message')} delivered, "
            f"{done.failed} to be sent again or given up"
        )
