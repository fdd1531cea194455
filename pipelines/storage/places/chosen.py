"""The place that the settings choose."""

from pathlib import Path

from pipelines.settings import Storage
from pipelines.storage.places.local import LocalPlace
from pipelines.storage.places.object_store import ObjectStorePlace
from pipelines.storage.places.place import Place

__all__ = ["choose_place"]

LAKE = "lake"


def choose_place(storage: Storage, *, lake_folder: Path) -> Place:
    """Where the tables of the lake lie; ``lake_folder`` is the lake's below the home, where its
    ledger stays in any case.
    """
    if storage.is_home:
        return LocalPlace(lake_folder)
    if storage.is_objects:
        return ObjectStorePlace(storage, LAKE, scratch=lake_folder / "scratch")
    return LocalPlace(Path(storage.url) / LAKE)
