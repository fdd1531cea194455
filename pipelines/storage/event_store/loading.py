"""The event index that a run works with: from the store, or laid out anew where it cannot be."""

from datetime import datetime

from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from pipelines.progress import Progress, no_progress
from pipelines.settings import Settings
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.lake import Lake

__all__ = ["load_event_index"]


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
