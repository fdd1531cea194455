"""``forestall store``: the event store, which is made from the lake."""

from typing import TYPE_CHECKING

import typer

from data_contracts.errors import LakeError
from data_contracts.words.counts import count_things
from pipelines.cli.arguments import AsJson, Home, load_installation
from pipelines.cli.printing.terminal import echo_text, print_json, print_table, progress_printer

if TYPE_CHECKING:
    from pipelines.storage.event_store.store import EventStore, StoreReport

__all__ = ["store"]

store = typer.Typer(
    help="The event store: sorted events that scores are computed from, made from the lake.",
    no_args_is_help=True,
)


@store.command()
def update(home: Home = None, as_json: AsJson = False) -> None:
    """Bring the store forward to what the lake holds; scoring does the same by itself."""
    report = open_store(home).bring_forward(progress=progress_printer(as_json))
    print_report(report, as_json=as_json)


@store.command()
def rebuild(home: Home = None, as_json: AsJson = False) -> None:
    """Make the store anew from the lake."""
    report = open_store(home).rebuild(progress=progress_printer(as_json))
    print_report(report, as_json=as_json)


@store.command()
def verify(home: Home = None, as_json: AsJson = False) -> None:
    """Compare the store with one made anew from the lake; exit code 1 where they differ."""
    found = open_store(home).verify(progress=progress_printer(as_json))
    if as_json:
        print_json({"differing_days": found.to_dicts()})
    elif len(found):
        print_table(("timeline", "day", "rows", "rows anew"), found.rows())
    else:
        echo_text("The store holds what the lake says.")
    if len(found):
        raise LakeError(
            f"the store differs from the lake on {count_things(found['day'].n_unique(), 'day')}",
            remedy="Run `forestall store rebuild`.",
        )


def open_store(home: Home) -> "EventStore":
    """The store of the installation in ``home``."""
    from pipelines.storage.event_store.store import EventStore

    return EventStore.of(load_installation(home))


def print_report(report: "StoreReport", *, as_json: bool) -> None:
    """Say what was written."""
    from pipelines.storage.event_store.parts.days import day_of

    anew = report.anew_from
    since = None if anew is None else "the first" if anew < 0 else day_of(anew).isoformat()
    if as_json:
        print_json({"days": report.days, "anew_from": since})
        return
    echo_text(
        f"{count_things(report.days, 'day')} written"
        + (f", those from {since} on anew." if since else ".")
    )
