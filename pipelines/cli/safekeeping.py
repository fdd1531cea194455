"""Commands for when something is gone or damaged, and so that nothing is lost by it."""

import typer

from pipelines.cli.arguments import AsJson, Home, load_installation
from pipelines.cli.printing.terminal import print_json, print_table

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
        typer.echo(
            "Of the loads added the lake does not tell the names of files, what was rejected or "
            "held, or which file replaced or reversed what: load the whole landing folder once "
            "more. Rows that are there count as duplicates; name corrections again with --replace."
        )
