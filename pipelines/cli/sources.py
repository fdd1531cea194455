"""Commands about the sources: who delivers, how their files are read, and trying one of them."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.arguments import AsJson, Home, load_installation, load_settings
from pipelines.cli.printing.terminal import echo_text, print_json, print_table
from pipelines.clock import wall_clock

__all__ = ["sources"]

sources = typer.Typer(
    help="Sources, the mappings by which their files are read, and trying a file.",
    no_args_is_help=True,
)


@sources.command("list")
def list_sources(home: Home = None, as_json: AsJson = False) -> None:
    """The sources with a mapping of their own, and what each says."""
    from pipelines.ingestion.landing.declared_sources import list_declared

    found = list_declared(load_settings(home))
    if as_json:
        print_json({"sources": found})
        return
    rows = [(one.name, " ".join(one.datasets), " ".join(one.formats), one.place) for one in found]
    print_table(("source", "datasets", "formats", "mapping"), rows)


@sources.command("declare")
def declare(
    name: Annotated[str, typer.Argument(help="As in the names of the source's files.")],
    format_: Annotated[
        list[str] | None,
        typer.Option("--format", help="A shipped format; again for another dataset."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="A mapping to take, such as a guessed one.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Declare a source: write its mapping, or change it, in the folder of mappings."""
    from pipelines.ingestion.landing.declared_sources import declare_source

    path = declare_source(
        load_settings(home), name=name, formats=tuple(format_ or ()), mapping=mapping
    )
    if as_json:
        print_json({"source": name, "mapping": path})
    else:
        echo_text(f"{name} is declared: {path}")


@sources.command("formats")
def list_formats(as_json: AsJson = False) -> None:
    """The shipped formats, and the headings by which each is known."""
    from data_contracts.mappings.shipped_formats import load_formats

    formats = load_formats().values()
    if as_json:
        print_json({"formats": [one.model_dump(include=_FORMAT_FIELDS) for one in formats]})
        return
    rows = [(one.name, one.dataset, one.title.en, one.title.zh) for one in formats]
    print_table(("format", "dataset", "what it is", "中文"), rows)


_FORMAT_FIELDS = {"name", "dataset", "title", "known_by", "asks_for"}


@sources.command("schema")
def print_schema() -> None:
    """The JSON schema of mappings, for editors."""
    from data_contracts.mappings.schema import mapping_schema

    print_json(mapping_schema())


@sources.command("try")
def try_one(
    file: Path,
    mapping: Annotated[
        Path | None, typer.Option(help="A mapping to try; default: that of the source.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="calls, transfers, residents, …; default: a guess.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Whose file it is; default: from its name.")
    ] = None,
    reveal: Annotated[bool, typer.Option(help="Show identifiers as they are.")] = False,
    guess: Annotated[bool, typer.Option("--guess", help="Print only a guessed mapping.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Read one file and show what is understood, rejected and left out. Nothing is written, but for
    an entry of the audit trail where values are revealed.
    """
    from data_contracts.mappings.mapping import read_mapping_file
    from pipelines.ingestion.trial import try_file

    text = None
    if mapping is not None:
        read_mapping_file(mapping)
        text = mapping.read_text(encoding="utf-8")
    settings = load_installation(home) if reveal else load_settings(home)
    if reveal:
        from pipelines.webapp.accounts import record_reveal_at_terminal

        record_reveal_at_terminal(settings, subject="sources try", out=None)
    found = try_file(
        file,
        settings=settings,
        received_at=wall_clock(),
        dataset=dataset,
        source=source,
        mapping=text,
        reveal=reveal,
    )
    if as_json:
        print_json(found)
    elif guess:
        echo_text(found.guess, nl=False)
    else:
        from pipelines.cli.printing.trial import print_trial

        print_trial(found)
