"""Commands for when something is gone or damaged, and so that nothing is lost by it."""

from typing import Annotated

import typer

from pipelines.cli.arguments import AsJson, Home, load_installation
from pipelines.cli.printing.terminal import echo_text, print_json, print_table
from pipelines.clock import wall_clock

__all__ = ["safekeeping"]

safekeeping = typer.Typer()


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

    settings = load_installation(home)
    done = run_withdrawal(settings, path=file, why=why, received_at=wall_clock())
    if as_json:
        print_json(done)
        return
    echo_text(
        f"{done.rows} rows of {done.path} on {done.days} days left the lake (load {done.batch}); "
        "the file is not loaded again unless it is named with --accept"
    )
