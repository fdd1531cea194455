"""Arguments and options that commands share: what people type as moments and spans, read with a
clear word on what cannot be, and where data are kept.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_contracts.errors import NotReadyError, SettingsError
from data_contracts.words.counts import choose_form, count_things
from pipelines.cli.printing.terminal import echo_text
from pipelines.clock import SHANGHAI

if TYPE_CHECKING:
    from pipelines.settings import Settings

__all__ = [
    "AsJson",
    "At",
    "End",
    "Home",
    "InLanguage",
    "Language",
    "Seed",
    "Start",
    "load_installation",
    "load_settings",
    "moment_or_latest",
    "parse_day",
    "parse_days",
    "parse_list",
    "parse_moment",
    "parse_numbers",
    "require_dataset",
]


class Language(StrEnum):
    """Languages that results are printed in."""

    zh = "zh"
    en = "en"


Home = Annotated[
    Path | None,
    typer.Option(help="Where data, models and lists are kept. Default ./var or FORESTALL_HOME."),
]
InLanguage = Annotated[Language, typer.Option("--language", help="What is printed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]
Start = Annotated[
    str,
    typer.Option("--from", help="Its first moment, such as 2026-07-05 or 2026-07-05T14:30."),
]
End = Annotated[str, typer.Option("--to", help="The moment it ends, no longer part of it.")]
Seed = Annotated[int, typer.Option(help="What chance starts from: the same gives the same.")]
At = Annotated[
    str | None,
    typer.Option(
        help="The moment, such as 2026-07-05 or 2026-07-05T14:30; default: the newest data."
    ),
]


def load_settings(home: Path | None) -> "Settings":
    """The settings of the chosen home, which is closed to other users of the machine."""
    from pipelines.settings import Settings
    from pipelines.storage.places.private_files import close_home, write_privately

    write_privately()
    settings = Settings.load(home)
    if closed := close_home(settings.home):
        echo_text(
            f"{settings.home} was open to other users of this machine: "
            f"{count_things(closed, 'file or folder', 'files and folders')} "
            f"{choose_form(closed, 'is', 'are')} closed now",
            err=True,
        )
    return settings


def load_installation(home: Path | None) -> "Settings":
    """The settings of a home that is there: who only looks makes none, it may be a typing error."""
    settings = load_settings(home)
    if not settings.home.is_dir():
        raise NotReadyError(
            f"there is no installation in {settings.home}",
            remedy="Name its folder with --home, or make one with `forestall ingest LANDING`.",
        )
    return settings


def moment_or_latest(text: str | None, settings: "Settings") -> datetime:
    """The given moment, or that of the newest data."""
    from pipelines.storage.as_of import latest_moment

    return parse_moment(text) if text else latest_moment(settings)


def parse_moment(text: str) -> datetime:
    """An ISO date or time; without a zone it is Shanghai's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{text!r} is not a moment", remedy="Write 2026-07-05 or 2026-07-05T14:30."
        ) from None
    return found.replace(tzinfo=SHANGHAI) if found.tzinfo is None else found.astimezone(SHANGHAI)


def parse_day(text: str) -> date:
    """An ISO date."""
    return parse_moment(text).date()


def parse_days(text: str) -> timedelta:
    """``7d`` as a span of whole days."""
    if not (text.endswith("d") and text[:-1].isdecimal() and int(text[:-1]) > 0):
        raise SettingsError(f"{text!r} is not a number of days", remedy="Write it as 7d.")
    return timedelta(days=int(text[:-1]))


def parse_numbers(text: str) -> list[int]:
    """``12,23`` as numbers; raises ``SettingsError`` for what is none."""
    try:
        return [int(part) for part in parse_list(text)]
    except ValueError as error:
        raise SettingsError(
            f"{text!r} are no whole numbers", remedy="Give them with commas, such as 12,23."
        ) from error


def parse_list(text: str) -> tuple[str, ...]:
    """``1d,6h`` as its parts; ``none`` has none."""
    return () if text == "none" else tuple(part.strip() for part in text.split(",") if part.strip())


def require_dataset(name: str) -> str:
    """The name, if a delivered file can be of it; ``unknown`` are files of none."""
    from pipelines.storage.lake_schemas import EVENTS, REGISTERS

    names = (*EVENTS, *REGISTERS, "unknown")
    if name not in names:
        raise SettingsError(
            f"there is no dataset {name}", remedy=f"Name one of {', '.join(names)}."
        )
    return name
