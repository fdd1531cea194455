"""``forestall export``: lists for people who work away from the screen."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.arguments import At, Home, load_installation, parse_day

__all__ = ["export"]

export = typer.Typer(help="Lists for people who work away from the screen.", no_args_is_help=True)


class Language(StrEnum):
    """Languages of lists."""

    zh = "zh"
    en = "en"


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
    language: Annotated[Language, typer.Option()] = Language.zh,
    home: Home = None,
) -> None:
    """A community's outreach list of a day, with the names and numbers that officers need."""
    from pipelines.webapp.wiring import issue_outreach_list

    settings = load_installation(home)
    day = parse_day(at) if at else None
    number, content = issue_outreach_list(
        settings, community=community, day=day, form=format.value, language=language.value
    )
    if out is not None:
        out.write_bytes(content)
        typer.echo(f"list {number} of {community} in {out}")
    else:
        sys.stdout.buffer.write(content)
