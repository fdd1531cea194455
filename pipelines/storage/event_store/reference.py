"""What opens the same event index in another process, and on another machine."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data_contracts.errors import LakeError
from features.catalogue.definitions import MassRule
from features.event_index import EventIndex
from pipelines.settings import Storage
from pipelines.storage.event_store.opened import open_manifest, open_store
from pipelines.storage.event_store.published.fetching import hold_fetched
from pipelines.storage.event_store.published.publications import Publications
from pipelines.storage.lake import Lake
from pipelines.storage.places.chosen import choose_place

__all__ = ["StoreReference", "open_reference"]


@dataclass(frozen=True, kw_only=True)
class StoreReference:
    """One state of a store and of the lake below it, for moments up to ``at``. It can be pickled
    and hashed; equal references, equal indexes.

    ``manifest`` is the digest of the store's manifest, ``number`` that of its publication, None
    where it lies below a home and is opened there. ``lake_versions`` are the Delta versions of the
    lake by dataset. It holds no credentials: they come from the environment of whoever opens it.
    """

    storage: Storage
    lake_folder: Path
    lake_versions: tuple[tuple[str, int], ...]
    store_folder: Path
    manifest: str
    number: int | None
    at: datetime
    mass_rule: MassRule


def open_reference(reference: StoreReference, *, cache_folder: Path) -> EventIndex:
    """The event index of a reference; a store below a home is opened where it lies, any other is
    fetched into ``cache_folder`` first, where any number of processes may do so at once.

    Raises ``LakeError`` where that state is no longer to be had, where what was fetched is damaged,
    or where the object store does not answer.
    """
    place = choose_place(reference.storage, lake_folder=reference.lake_folder)
    versions = dict(reference.lake_versions)
    lake = Lake(reference.lake_folder, place=place, versions=versions)
    at, mass_rule = reference.at, reference.mass_rule
    if reference.number is None:
        folder, digest = reference.store_folder, reference.manifest
        return open_store(folder, lake, at=at, mass_rule=mass_rule, digest=digest)
    folder = cache_folder / name_place(reference.storage)
    with hold_fetched(
        Publications(reference.storage), folder, number=reference.number
    ) as publication:
        if publication.digest != reference.manifest:
            raise LakeError(
                f"publication {publication.number} of the event store is not the one referred to",
                remedy="Begin the run anew, from what is published now.",
            )
        return open_manifest(publication.manifest, lake, folder=folder, at=at, mass_rule=mass_rule)


def name_place(storage: Storage) -> str:
    """The name of a place's folder among what was fetched from several."""
    return hashlib.sha256(f"{storage.endpoint} {storage.url}".encode()).hexdigest()[:16]
