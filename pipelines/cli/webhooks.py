"""The webhooks' part of the command line."""

import typer

from data_contracts.words.counts import count_things
from pipelines.cli.arguments import AsJson, Home, load_installation
from pipelines.cli.printing.terminal import print_json

__all__ = ["webhooks"]

webhooks = typer.Typer(help="Messages that tell other systems of new alerts.", no_args_is_help=True)


@webhooks.callback()
def main() -> None:
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
        typer.echo(
            f"{count_things(done.delivered, 'message')} delivered, "
            f"{done.failed} to be sent again or given up"
        )
