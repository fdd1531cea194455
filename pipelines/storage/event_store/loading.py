"""The event index that a run works with: from the store, or laid out anew where it cannot be."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from data_contracts.errors import ConflictError
from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from pipelines.progress import Progress, no_progress
from pipelines.settings import Settings
from pipelines.storage.as_of import source_tables_before
from pipelines.storage.event_store.reference import StoreReference
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.lake import Lake

__all__ = ["KnownRecords", "load_event_index", "load_known_records"]


@dataclass(frozen=True, eq=False)
class KnownRecords:
    """What was known before a moment: the records, the index of their events, and the one version
    of the lake that both were read at.

    ``reference`` opens the same index in another process; None where this one alone has it, or
    where no cluster is set.
    """

    tables: SourceTables
    event_index: EventIndex
    data_version: str
    reference: StoreReference | None = None


def load_known_records(
    settings: Settings,
    *,
    at: datetime,
    span: timedelta,
    progress: Progress = no_progress,
) -> KnownRecords:
    """What was known before ``at``, far enough back to ask for moments in ``[at - span, at]``; a
    load that commits meanwhile is no part of it.

    Raises ``NotReadyError`` where the lake holds no residents, or no events of that time.
    """
    lake = Lake.of(settings).fixed()
    tables = source_tables_before(settings, at=at, span=span, lake=lake)
    if lake.registers_changed_since(at):
        progress("building the event index from older registers")
        return KnownRecords(tables, build_event_index(tables), lake.version())
    store = EventStore.of(settings)
    while True:
        version = store.bring_forward(progress=progress).lake_version
        progress("opening the event store")
        try:
            reference = refer_for_cluster(settings, store, version=version, at=at)
            event_index = store.open(at=at, lake_version=version)
            if reference != refer_for_cluster(settings, store, version=version, at=at):
                continue
        except ConflictError:  # somebody brought it forward once more
            continue
        if version != lake.version():
            lake = lake.at_version(version)
            tables = source_tables_before(settings, at=at, span=span, lake=lake)
        return KnownRecords(tables, event_index, version, reference)


def refer_for_cluster(
    settings: Settings, store: EventStore, *, version: str, at: datetime
) -> StoreReference | None:
    """What opens the store as it is at a ``version`` of the lake; None where nobody would."""
    if not settings.cluster.scheduler:
        return None
    return replace(store, lake=store.lake.at_version(version)).reference(at=at)


def load_event_index(
    settings: Settings, tables: SourceTables, *, at: datetime, progress: Progress = no_progress
) -> EventIndex:
    """The event index for moments up to ``at``, from the store brought forward.

    The store knows the registers of today. Where others stood before ``at``, as when an old list is
    made again, the index is laid out from ``tables``, with all events in memory.
    """
    if Lake.of(settings).registers_changed_since(at):
        progress("building the event index from older registers")
        return build_event_index(tables)
    store = EventStore.of(settings)
    store.bring_forward(progress=progress)
    progress("opening the event store")
    return store.open(at=at)
