"""Commands for what is kept how long, and for what one person may ask for."""

from pathlib import Path
from typing import Annotated

import typer

from data_contracts.errors import ConflictError, SettingsError
from pipelines.cli.arguments import AsJson, Home, load_installation
from pipelines.cli.printing.terminal import echo_text, print_json, print_table, to_json_value
from pipelines.clock import wall_clock

__all__ = ["person", "retention"]

retention = typer.Typer(help="What is kept how long.", no_args_is_help=True)
person = typer.Typer(
    help="What is kept about one person. The ID number is asked for, or read from a file, so that "
    "no list of commands keeps it.",
    no_args_is_help=True,
)

Why = Annotated[str, typer.Option(help="Whose request it is and where it is filed; audited.")]
IdNumberFile = Annotated[
    Path | None,
    typer.Option(help="Read the ID number from the first line of FILE (- the input); else asked."),
]
SHORTEST_REASON = 10


@retention.command("show")
def show_retention(home: Home = None, as_json: AsJson = False) -> None:
    """What is kept until when, and what `run` would take out today. Changes nothing."""
    from pipelines.retention.kept_until import describe_retention

    kept = describe_retention(load_installation(home), at=wall_clock())
    if as_json:
        print_json({"classes": kept})
        return
    print_table(
        ("class", "days kept", "oldest", "kept from", "too old", ""),
        [
            (
                one.name,
                one.days if one.days is not None else "–",
                one.oldest or "–",
                one.kept_from or "–",
                one.too_old or "–",
                one.why,
            )
            for one in kept
        ],
    )


@retention.command("run")
def start_retention(home: Home = None, as_json: AsJson = False) -> None:
    """Take out for good what is older than the settings keep, and, in a restored home, what was
    erased after its backup. The audit trail says how much of what left.
    """
    from pipelines.retention.kept_until import run_retention

    gone = run_retention(load_installation(home), at=wall_clock())
    if as_json:
        print_json({"gone": gone})
    elif gone:
        print_table(("class", "gone"), sorted(gone.items()))
    else:
        echo_text("nothing is older than it is kept")


@person.command("export")
def export_file(
    why: Why,
    out: Annotated[Path, typer.Option(help="Write to the new FILE, readable by its owner only.")],
    id_number_file: IdNumberFile = None,
    home: Home = None,
) -> None:
    """Write all that is kept about a person, with names and numbers, into one JSON file."""
    import json

    from pipelines.retention.person import export_person
    from pipelines.storage.places.durable_files import write_durably
    from pipelines.webapp.accounts import record_person_export

    require_reason(why)
    if out.exists():
        raise ConflictError(f"{out} exists", remedy="Name a file that is not there yet.")
    settings = load_installation(home)
    found = export_person(settings, id_number=ask_id_number(id_number_file))
    subject = found["pseudonym"]
    record_person_export(settings, subject=subject, why=why.strip(), out=out, at=wall_clock())
    document = json.dumps(to_json_value(found), ensure_ascii=False, indent=1)
    write_durably(out, document.encode() + b"\n")
    echo_text(f"all that is kept about the person is in {out}; hand it over and remove it")


@person.command("erase")
def erase_file(
    why: Why,
    id_number_file: IdNumberFile = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take all that is kept about a person out for good: records, event store, scores, rejected
    rows, alerts, results, vault. What has to stay is said with its reason.
    """
    from pipelines.retention.person import erase_person

    require_reason(why)
    settings = load_installation(home)
    id_number = ask_id_number(id_number_file)
    done = erase_person(settings, id_number=id_number, why=why.strip(), at=wall_clock())
    if as_json:
        print_json(done)
        return
    print_table(("class", "gone"), sorted(done.counts.items()))
    for name, reason in done.kept.items():
        echo_text(f"kept: {name}: {reason}")


def require_reason(why: str) -> None:
    """Raise ``SettingsError`` for a reason that says nothing."""
    if len(why.strip()) < SHORTEST_REASON:
        raise SettingsError(
            "the reason says too little",
            remedy='Say whose request it is and where it is filed: --why "request 2026-31, filed".',
        )


def ask_id_number(file: Path | None) -> str:
    """The number of an identity document, from a file or from who sits at the terminal."""
    if file is None:
        typed: str = typer.prompt("ID number", hide_input=True)
        return typed.strip()
    if str(file) == "-":
        return typer.get_text_stream("stdin").readline().strip()
    try:
        number = file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        number = ""
    if not number:
        raise SettingsError(
            f"{file} is no file with a number in its first line", remedy="Name the number's file."
        )
    return number
