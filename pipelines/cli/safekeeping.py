"""Commands for when something is gone or damaged, and so that nothing is lost by it."""

from pathlib import Path
from typing import Annotated

import typer

from data_contracts.errors import LakeError, SettingsError
from data_contracts.words.counts import count_things
from pipelines.cli.arguments import AsJson, Home, load_installation, load_settings
from pipelines.cli.printing.terminal import echo_text, print_json, print_table, progress_printer
from pipelines.clock import wall_clock

__all__ = ["keys", "safekeeping"]

safekeeping = typer.Typer()
keys = typer.Typer(help="The keys of the installation, apart from its data.", no_args_is_help=True)

PassphraseFile = Annotated[
    Path | None, typer.Option(help="Read the passphrase from the first line of FILE; else asked.")
]


@safekeeping.command("verify")
def verify(home: Home = None, as_json: AsJson = False) -> None:
    """Look whether everything is whole: keys, ledger, lake, store, quarantine, vault, lists, audit
    trail, models. Reads all of it, changes nothing; exit code 1 where something is not.
    """
    from pipelines.safekeeping.verification import verify_installation

    found = verify_installation(load_installation(home), progress=progress_printer(as_json))
    if as_json:
        print_json({"findings": found})
    else:
        rows = [(one.part, "whole" if one.is_whole else "NOT WHOLE", one.detail) for one in found]
        print_table(("part", "", "what was found"), rows)
    damaged = [one for one in found if not one.is_whole]
    if damaged:
        raise LakeError(
            f"{', '.join(one.part for one in damaged)}: not whole",
            remedy=" ".join(dict.fromkeys(one.remedy for one in damaged if one.remedy)),
        )


@safekeeping.command("backup")
def back_up_home(folder: Path, home: Home = None, as_json: AsJson = False) -> None:
    """Copy everything but the keys into the new FOLDER; loads, lists and pages go on meanwhile."""
    from pipelines.safekeeping.backup import back_up

    settings = load_installation(home)
    made = back_up(settings, folder, at=wall_clock(), progress=progress_printer(as_json))
    if as_json:
        print_json(made)
        return
    echo_text(f"{count_things(len(made.files), 'file')} in {folder}, lake at {made.data_version}")
    echo_text("Not in it, to be backed up apart: " + "; ".join(made.elsewhere))


@safekeeping.command("restore")
def restore(folder: Path, home: Home = None, as_json: AsJson = False) -> None:
    """Put the backup in FOLDER into a new home; every file is compared with its digest."""
    from pipelines.safekeeping.backup import restore_backup

    settings = load_settings(home)
    made = restore_backup(folder, home=settings.home, progress=progress_printer(as_json))
    if as_json:
        print_json(made)
        return
    echo_text(
        f"{count_things(len(made.files), 'file')} of {made.made_at:%Y-%m-%d %H:%M} are in "
        f"{settings.home}. Put the keys back (`forestall keys restore`), then `forestall verify`."
    )


@keys.command("backup")
def back_up_keys(file: Path, passphrase_file: PassphraseFile = None, home: Home = None) -> None:
    """Write the keys into the new FILE, which only the passphrase opens. Keep both apart from the
    data, and from each other.
    """
    from pipelines.safekeeping.wrapped_keys import wrap_keys

    passphrase = ask_passphrase(passphrase_file, is_new=True)
    names = wrap_keys(load_installation(home), file=file, passphrase=passphrase)
    echo_text(f"{' and '.join(names)} in {file}")


@keys.command("restore")
def restore_keys(file: Path, passphrase_file: PassphraseFile = None, home: Home = None) -> None:
    """Put the keys of FILE back where they are missing; nothing is written over."""
    from pipelines.safekeeping.wrapped_keys import unwrap_keys

    settings = load_installation(home)
    passphrase = ask_passphrase(passphrase_file, is_new=False)
    names = unwrap_keys(settings, file=file, passphrase=passphrase)
    echo_text(f"{' and '.join(names) or 'nothing'} put back into {settings.keys_folder}")


def ask_passphrase(file: Path | None, *, is_new: bool) -> str:
    """The passphrase, from a file or from who sits at the terminal."""
    if file is None:
        typed: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new)
        return typed
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except FileNotFoundError:
        raise SettingsError(f"there is no {file}", remedy="Name the passphrase's file.") from None


@safekeeping.command("rebuild-ledger")
def remake_ledger(home: Home = None, as_json: AsJson = False) -> None:
    """Make the ledger of loads again from the lake, where it is lost or not of this lake."""
    from pipelines.storage.lake import Lake
    from pipelines.storage.ledger import Ledger
    from pipelines.storage.ledger_agreement import rebuild_ledger

    lake = Lake.of(load_installation(home))
    found = rebuild_ledger(lake, Ledger(lake.folder / "ledger.db"))
    if as_json:
        print_json({"datasets": found})
        return
    print_table(
        ("dataset", "loads known", "added", "with rows", "dropped"),
        [(one.dataset, one.kept, one.added, one.rows, one.dropped) for one in found],
    )
    if any(one.added for one in found):
        echo_text(
            "Of the loads added the lake does not tell the names of files, what was rejected or "
            "held, or which file replaced or reversed what: load the whole landing folder once "
            "more. Rows that are there count as duplicates; name corrections again with --replace."
        )


@safekeeping.command("withdraw")
def withdraw(
    file: Annotated[str, typer.Argument(help="As a load reports it: calls/2026-08-01/cmcc.csv.")],
    why: Annotated[str, typer.Option(help="In a few words; it is written into the ledger.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take all rows of a loaded file out of the lake again. What was published stays."""
    from pipelines.orchestration.recorded_loads import run_withdrawal

    if not why.strip():
        raise SettingsError(
            "there is no reason why the file is to be taken out",
            remedy='Say it in a few words: --why "delivered twice".',
        )
    settings = load_installation(home)
    done = run_withdrawal(settings, path=file, why=why.strip(), received_at=wall_clock())
    if as_json:
        print_json(done)
        return
    echo_text(
        f"{count_things(done.rows, 'row')} of {done.path} on {count_things(done.days, 'day')} left "
        f"the lake (load {done.batch}); the file is not loaded again unless it is named with "
        "--accept"
    )
    if done.repeating:
        files = count_things(len(done.repeating), "file")
        echo_text(
            f"{files} with duplicates came after it and may hold some of these rows too; the next "
            "`forestall ingest LANDING` reads them again and brings what is missing:"
        )
        echo_text("\n".join(f"  {path}" for path in done.repeating))
