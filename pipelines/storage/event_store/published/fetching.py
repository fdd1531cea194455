"""What was published, fetched into a folder of this machine: only what is missing there, each file
checked against the digest in its name.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from data_contracts.errors import LakeError
from pipelines.storage.event_store.parts.frame_files import digest_in_name
from pipelines.storage.event_store.parts.locks import (
    SWEEP_LOCK,
    WRITER_LOCK,
    Hold,
    hold_lock,
    try_lock,
)
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.event_store.published.publications import (
    Publication,
    Publications,
    file_name,
)
from pipelines.storage.places.durable_files import flush_to_disk, write_durably
from pipelines.storage.places.objects import ObjectGoneError

__all__ = ["fetch_publication", "hold_fetched"]

AT_ONCE = 4  # files
NEWER = 3  # so many times the newest publication may be replaced while its files are fetched
KEPT = 3  # publications whose files stay in the folder, so that runs side by side fetch once
OWNER_ONLY = 0o700
MANIFEST = "fetched-{:010d}.json"


@contextmanager
def hold_fetched(
    publications: Publications, folder: Path, *, number: int | None = None
) -> Iterator[Publication]:
    """Bring ``folder`` to the publication of this number, or to the newest, and give it; its files
    stay until the end of the block. Any number of processes may do so at once.

    Raises ``LakeError`` where it is no longer there, or where a file is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)  # it will hold personal data
    with hold_lock(folder / SWEEP_LOCK, Hold.SHARED):
        with hold_lock(folder / WRITER_LOCK, Hold.ALONE):
            publication = fetch_publication(publications, folder, number=number)
            write_durably(folder / MANIFEST.format(publication.number), publication.content)
        yield publication
    sweep_fetched(folder, publication.number)


def fetch_publication(
    publications: Publications, folder: Path, *, number: int | None
) -> Publication:
    """Fetch the files of a publication; of the newest again where a newer one took its place."""
    for _ in range(1 if number else NEWER):
        found = find_publication(publications, number)
        try:
            fetch_files(publications, found.manifest, folder=folder)
        except ObjectGoneError:
            continue
        return found
    raise LakeError(
        "what was published of the event store is no longer there whole",
        remedy="Begin the run anew, from what is published now; what is older than a day is "
        "removed.",
    )


def find_publication(publications: Publications, number: int | None) -> Publication:
    """The publication of this number, or the newest."""
    found = publications.find(number) if number else publications.newest()
    if found is not None:
        return found
    what = f"publication {number}" if number else "nothing"
    raise LakeError(
        f"{what} of the event store is at the place that storage.url names"
        + (" any more" if number else ""),
        remedy="Begin the run anew, from what is published now."
        if number
        else "Run `forestall store update` where data are loaded.",
    )


def fetch_files(publications: Publications, manifest: Manifest, *, folder: Path) -> None:
    """Fetch the files of a manifest that are not in ``folder``.

    Raises :class:`ObjectGoneError` where one is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [file for file in sorted(manifest.files()) if not (folder / file).exists()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fetched = [pool.submit(fetch_file, publications, file, folder) for file in missing]
        try:
            for one in fetched:
                one.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def fetch_file(publications: Publications, file: str, folder: Path) -> None:
    """Fetch one file, and once more where it is not what its name says."""
    part = folder / f".{file}.{os.getpid()}.part"
    try:
        for _ in range(2):
            if download(publications, file, part) == digest_in_name(file):
                flush_to_disk(part)
                part.rename(folder / file)
                return
    finally:
        part.unlink(missing_ok=True)
    raise LakeError(
        f"store/{file_name(file)} at the place that storage.url names is damaged: twice it was not "
        "what its name says",
        remedy="Remove this object and run `forestall store update` where data are loaded: it is "
        "uploaded again.",
    )


def download(publications: Publications, file: str, path: Path) -> str:
    """Write an object into a file; return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as target:
        for part in publications.objects.read_parts(file_name(file)):
            digest.update(part)
            target.write(part)
    return digest.hexdigest()


def sweep_fetched(folder: Path, number: int) -> None:
    """Remove the files of which no publication needs any: of ``number`` and the newest ones here.
    While somebody else is fetching or opening it is left to the next.
    """
    with try_lock(folder / SWEEP_LOCK) as alone:
        if not alone:
            return
        numbered = sorted(folder.glob(MANIFEST.replace("{:010d}", "*")), reverse=True)
        own = folder / MANIFEST.format(number)
        kept = {own, *numbered[:KEPT]}
        held = {path.name for path in kept}
        for path in kept:
            held |= Manifest.parse(path.read_bytes(), named=str(path)).files()
        for path in (*folder.glob("*.arrow"), *folder.glob(".*.part"), *numbered):
            if path.name not in held:
                path.unlink()
