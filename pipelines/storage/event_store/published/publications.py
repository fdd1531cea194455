"""What was published: files named by their digests, and manifests by numbers that are given out
once.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from data_contracts.errors import LakeError
from pipelines.settings import Storage
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.places.objects import ObjectEntry, Objects

__all__ = ["Publication", "PublicationEntry", "Publications"]

STORE, FILES, MANIFESTS = "store", "files", "manifests"


@dataclass(frozen=True)
class Publication:
    """A manifest as it was published under ``number``."""

    number: int
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest. Raises ``LakeError`` for one that cannot be read."""
        return Manifest.parse(self.content, named=f"the published manifest {self.number}")


@dataclass(frozen=True)
class PublicationEntry:
    """The number of a manifest, and when it was published by the clock of the place."""

    number: int
    published_at: datetime


@dataclass(frozen=True)
class Publications:
    """What was published at the place that ``storage`` names."""

    storage: Storage

    @cached_property
    def objects(self) -> Objects:
        """Where it lies."""
        return Objects(self.storage, STORE)

    def entries(self) -> list[PublicationEntry]:
        """What there is, the newest last."""
        found = self.objects.list_below(MANIFESTS)
        return sorted(
            (PublicationEntry(number_of(one.name), one.written_at) for one in found),
            key=lambda one: one.number,
        )

    def find(self, number: int) -> Publication | None:
        """What was published under a number, if it is still there."""
        content = self.objects.read(manifest_name(number))
        return None if content is None else Publication(number, content)

    def newest(self) -> Publication | None:
        """What was published last, None where nothing was."""
        entries = self.entries()
        return self.find(entries[-1].number) if entries else None

    def add(self, publication: Publication) -> bool:
        """Publish a manifest under its number at once; false where that number is another's."""
        return self.objects.put_once(manifest_name(publication.number), publication.content)

    def files(self) -> dict[str, ObjectEntry]:
        """All files, by name."""
        found = self.objects.list_below(FILES)
        return {one.name.rpartition("/")[2]: one for one in found}

    def remove(self, *, numbers: list[int], files: list[str]) -> None:
        """Remove manifests, then files."""
        self.objects.remove(manifest_name(number) for number in numbers)
        self.objects.remove(file_name(file) for file in files)


def file_name(file: str) -> str:
    """The name of the object of a file."""
    return f"{FILES}/{file}"


def manifest_name(number: int) -> str:
    """The name of the object of a manifest."""
    return f"{MANIFESTS}/{number:010d}.json"


def number_of(name: str) -> int:
    """The number in the name of a manifest's object. Raises ``LakeError`` where it has none."""
    text = name.rpartition("/")[2].removesuffix(".json")
    if not text.isdecimal():
        raise LakeError(
            f"{name} does not belong among what is published of the event store",
            remedy="Remove it from the place that storage.url names.",
        )
    return int(text)
