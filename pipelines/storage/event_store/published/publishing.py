"""The one writer of what is published: new files first, then the manifest at once."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data_contracts.errors import ConflictError, LakeError
from pipelines.progress import Progress
from pipelines.settings import Storage
from pipelines.storage.event_store.parts.frame_files import digest_in_name, file_named
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.event_store.published.fetching import fetch_publication
from pipelines.storage.event_store.published.publications import (
    Publication,
    Publications,
    file_name,
)
from pipelines.storage.places.durable_files import file_digest, write_durably

__all__ = ["Publisher"]

RECORD = "published.json"
KEPT = timedelta(days=1)  # whoever opened a store that long ago may still fetch of it


@dataclass(frozen=True)
class PublishedRecord:
    """The number that this home published last, and the digests of all that it tried to publish
    under it, the last one last: they are written down before, since an answer can be lost.
    """

    number: int
    digests: tuple[str, ...]


ADAPTER = TypeAdapter(PublishedRecord)


@dataclass(frozen=True)
class Publisher:
    """Publishes the store in ``folder`` at the place that ``storage`` names."""

    folder: Path
    storage: Storage

    @cached_property
    def publications(self) -> Publications:
        """What is published there."""
        return Publications(self.storage)

    def begin(self, *, progress: Progress) -> None:
        """See that nobody else publishes there. A store that was never begun, as on a new machine,
        begins with what was published.
        """
        newest = self.publications.newest()
        if newest is None or Manifest.exists(self.folder):
            self._require_own(newest)
            return
        progress("event store: fetching what was published")
        fetched = fetch_publication(self.publications, self.folder, number=None)
        self._record(fetched)
        fetched.manifest.write(self.folder)

    def publish(self, *, progress: Progress) -> None:
        """Publish the store as it is, unless it is published already; a file that is missing among
        what is published is uploaded again in any case.

        Raises ``LakeError`` where somebody else published meanwhile; nothing of theirs is touched.
        """
        manifest = with_digests(Manifest.read(self.folder), self.folder)
        newest = self.publications.newest()
        self._require_own(newest)
        if newest is None:
            self.publications.objects.require_conditional_puts()
        self._upload(manifest)
        content = manifest.content()
        while newest is None or newest.content != content:
            progress("event store: publishing")
            own = Publication(newest.number + 1 if newest else 1, content)
            self._record(own)
            if self.publications.add(own):
                newest = own
            else:  # another's, or an earlier one of ours whose answer was lost and that came late
                newest = self.publications.newest()
                self._require_own(newest)
        self._sweep()

    def require_published(self, manifest: Manifest) -> int:
        """The number under which this manifest is published; ``ConflictError`` where it is not."""
        record = self._last_record()
        found = self.publications.find(record.number) if record else None
        if found is None or found.digest != manifest.digest():
            raise ConflictError(
                "the event store is not published as it is", remedy="Run `forestall store update`."
            )
        return found.number

    def _require_own(self, newest: Publication | None) -> None:
        """Raise ``LakeError`` where the newest publication is not one of this home."""
        if newest is None:
            return
        last = self._last_record()
        # Numbers are given out once, so what stands before one of ours was ours as well.
        if last is None or not (
            (newest.number == last.number and newest.digest in last.digests)
            or newest.number == last.number - 1
        ):
            raise LakeError(
                "another home publishes its event store at the place that storage.url names; "
                "nothing of it was touched",
                remedy="Let one home alone load and publish there. To make it this one, stop the "
                "other and remove the folder of this store: the next `forestall store update` "
                "begins with what is published.",
            )

    def _record(self, publication: Publication) -> None:
        last = self._last_record()
        tried = last.digests if last and last.number == publication.number else ()
        record = PublishedRecord(publication.number, (*tried, publication.digest))
        write_durably(self.folder / RECORD, ADAPTER.dump_json(record))

    def _last_record(self) -> PublishedRecord | None:
        path = self.folder / RECORD
        if not path.exists():
            return None
        try:
            return ADAPTER.validate_json(path.read_bytes())
        except ValidationError as error:
            raise LakeError(
                f"{path} cannot be read",
                remedy="Remove the folder of the store: the next `forestall store update` begins "
                "with what is published.",
            ) from error

    def _upload(self, manifest: Manifest) -> None:
        """Upload the files that are not there yet."""
        there = self.publications.files()
        for file in sorted(manifest.files()):
            path = self.folder / file
            if file in there and there[file].size == path.stat().st_size:
                continue
            if file_digest(path) != digest_in_name(file):
                raise LakeError(
                    f"{path} of the event store is damaged", remedy="Run `forestall store rebuild`."
                )
            self.publications.objects.upload(path, file_name(file))

    def _sweep(self) -> None:
        """Remove the manifests that were not the newest during the last day, by the clock of the
        place, and the files that none of the others names.
        """
        entries = self.publications.entries()
        since = entries[-1].published_at - KEPT
        gone = [one.number for one, after in pairwise(entries) if after.published_at <= since]
        if not gone:
            return
        held: set[str] = set()
        for one in entries:
            found = None if one.number in gone else self.publications.find(one.number)
            held |= found.manifest.files() if found else set()
        files = [
            file
            for file, entry in self.publications.files().items()
            if file not in held and entry.written_at <= since
        ]
        self.publications.remove(numbers=gone, files=files)


def with_digests(manifest: Manifest, folder: Path) -> Manifest:
    """The manifest of a store whose files are all named by their digests: those written before
    names said so get another name.
    """
    old = [file for file in manifest.files() if digest_in_name(file) is None]
    if not old:
        return manifest
    names = {file: file_named(file_digest(folder / file)) for file in old}
    for file, name in names.items():
        if not (folder / name).exists():
            (folder / name).hardlink_to(folder / file)
    renamed = manifest.renamed(names)
    renamed.write(folder)
    return renamed
