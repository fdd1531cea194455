"""Options that commands share, and what they stand for."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.arguments import parse_moment

if TYPE_CHECKING:
    from pipelines.settings import Settings

__all__ = ["AsJson", "At", "Home", "load_settings", "moment_or_latest"]

Home = Annotated[
    Path | None,
    typer.Option(help="Where data, models and lists are kept. Default ./var or FORESTALL_HOME."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]
At = Annotated[
    str | None,
    typer.Option(
        help="The moment, such as 2026-07-05 or 2026-07-05T14:30; default: the newest data."
    ),
]


def load_settings(home: Path | None) -> "Settings":
    """The settings of the chosen home."""
    from pipelines.settings import Settings

    return Settings.load(home)


def moment_or_latest(text: str | None, settings: "Settings") -> datetime:
    """The given moment, or that of the newest data."""
    from pipelines.storage.as_of import latest_moment

    return parse_moment(text) if text else latest_moment(settings)
