"""A load in a process of its own that dies, as by ``kill -9``, at a moment of the test's choice."""

import multiprocessing
import os
import signal
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from pipelines.ingestion.ingest import ingest
from pipelines.ingestion.retries.retry import retry_quarantine
from pipelines.settings import Settings
from pipelines.storage.event_store.store import EventStore
from tests.pipelines.landing import RECEIVED_AT

# Nothing of ours: a fork of a process in which Polars has started its threads waits for ever.
PRELOADED = ["great_expectations"]


def started(
    landing: Path,
    settings: Settings,
    *,
    die_before: tuple[str, str] | None = None,
    die_at: int = 2,
    replace: tuple[str, ...] = (),
    retries: bool = False,
    updates: bool = False,
) -> ForkServerProcess:
    """Start loading, or with ``retries`` trying rejected rows again, or with ``updates`` bringing
    the event store forward; with ``die_before`` (a class
    of pipelines and its method) the process kills itself before the method is called for the time
    number ``die_at``.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)  # importing takes seconds: once is enough
    process = context.Process(
        target=_load,
        args=(
            str(landing),
            settings.model_dump_json(),
            die_before,
            die_at,
            replace,
            retries,
            updates,
        ),
    )
    process.start()
    return process


def _load(
    landing: str,
    settings: str,
    die_before: tuple[str, str] | None,
    die_at: int,
    replace: tuple[str, ...],
    retries: bool,  # noqa: FBT001 -- a process is given its arguments by place
    updates: bool,  # noqa: FBT001
) -> None:
    if die_before is not None:
        _die_before(*die_before, die_at=die_at)
    if updates:
        EventStore.of(Settings.model_validate_json(settings)).bring_forward()
        return
    if retries:
        retry_quarantine(Settings.model_validate_json(settings), received_at=RECEIVED_AT)
        return
    ingest(
        Path(landing),
        settings=Settings.model_validate_json(settings),
        received_at=RECEIVED_AT,
        replace=replace,
    )


def _die_before(place: str, method: str, *, die_at: int) -> None:
    """Let this call of the method be the last thing this process does."""
    import deltalake

    from pipelines.storage import lake, ledger
    from pipelines.storage.event_store.parts.manifest import Manifest
    from pipelines.storage.installation import vault
    from pipelines.storage.places.objects import Objects

    owner = {
        "Ledger": ledger.Ledger,
        "Lake": lake.Lake,
        "Vault": vault.Vault,
        "DeltaTable": deltalake.DeltaTable,
        "Manifest": Manifest,
        "Objects": Objects,
    }[place]
    original, calls = getattr(owner, method), []

    def deadly(*args, **options):
        calls.append(1)
        if len(calls) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **options)

    setattr(owner, method, deadly)
