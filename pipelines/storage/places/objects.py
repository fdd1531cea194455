"""Objects by their names: of an object store, or files of a folder on a shared file system."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from data_contracts.errors import LakeError, SettingsError
from pipelines.settings import Storage
from pipelines.storage.places.answers import comes_from_objects, is_refusal, plain_answers
from pipelines.storage.places.options import address_options, client_options, retry_options

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store

__all__ = ["ObjectEntry", "ObjectGoneError", "Objects"]

PART_BYTES = 16 * 2**20  # of one request: each is answered in time, or asked for again by itself


class ObjectGoneError(Exception):
    """There is no object of this name, or not any more."""


@dataclass(frozen=True)
class ObjectEntry:
    """An object: its name, bytes, and when it was written by the clock of its store."""

    name: str
    size: int
    written_at: datetime


@dataclass(frozen=True)
class Objects:
    """The objects below ``below`` at the place that ``storage`` names, which is not the home.

    A request without an answer is sent again as the settings say; then it is a ``LakeError``.
    """

    storage: Storage
    below: str

    @cached_property
    def _store(self) -> "S3Store | LocalStore":
        try:
            from obstore.store import LocalStore, S3Store
        except ModuleNotFoundError as error:
            raise SettingsError(
                "storage.url needs a library that is not installed",
                remedy='Run `pip install "forestall[cluster]"`.',
            ) from error
        if not self.storage.is_objects:
            return LocalStore(Path(self.storage.url) / self.below, mkdir=True)
        return S3Store(
            self.storage.bucket,
            prefix=f"{self.storage.prefix}/{self.below}".strip("/"),
            config=address_options(self.storage),
            client_options=client_options(self.storage),
            retry_config=retry_options(self.storage),
        )

    def list_below(self, folder: str) -> list[ObjectEntry]:
        """The objects in a folder, by name."""
        with plain_answers():
            found = [one for some in self._store.list(folder) for one in some]
        entries = (ObjectEntry(one["path"], one["size"], one["last_modified"]) for one in found)
        return sorted(entries, key=lambda one: one.name)

    def read(self, name: str) -> bytes | None:
        """The content of a small object, None where there is none."""
        with plain_answers():
            return self._read(name)

    def _read(self, name: str) -> bytes | None:
        try:
            return bytes(self._store.get(name).bytes())
        except FileNotFoundError:
            return None

    def read_parts(self, name: str) -> Iterator[bytes]:
        """The content of an object, part by part.

        Raises :class:`ObjectGoneError` where there is none, or where it goes meanwhile.
        """
        with plain_answers():
            size = self._size(name)
            if size is None:
                raise ObjectGoneError(name)
        for start in range(0, size, PART_BYTES):
            with plain_answers():
                yield self._part(name, start, min(start + PART_BYTES, size))

    def digest(self, name: str) -> str:
        """SHA-256 of an object as it lies there."""
        digest = hashlib.sha256()
        for part in self.read_parts(name):
            digest.update(part)
        return digest.hexdigest()

    def upload(self, path: Path, name: str) -> None:
        """Put a file there, whole or not at all. To do it again does no harm."""
        size = path.stat().st_size
        self.keep_trying(
            lambda: self._store.put(name, path, chunk_size=PART_BYTES, max_concurrency=4),
            is_made=lambda: self._size(name) == size,
        )

    def put_once(self, name: str, content: bytes) -> bool:
        """Put an object there unless one of this name is there; whether it has this content now."""
        from obstore.exceptions import AlreadyExistsError

        def put() -> None:
            try:
                self._store.put(name, content, mode="create")
            except AlreadyExistsError:
                return  # another's, or ours of a moment ago whose answer was lost

        self.keep_trying(put, is_made=lambda: self._read(name) is not None)
        return self.read(name) == content

    def require_conditional_puts(self) -> None:
        """Raise ``LakeError`` where a put takes the place of an object though it must not."""
        name = "conditional-puts.txt"
        content = b"Tried out before the first manifest.\n"
        self.put_once(name, content)
        if self.put_once(name, content + content):
            raise LakeError(
                "the object store writes over an object though it was asked not to",
                remedy="Use one with conditional writes (If-None-Match), or a newer version of it.",
            )
        self.remove([name])

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; one that is gone already is none to remove."""
        with plain_answers():
            for name in names:
                try:
                    self._store.delete(name)
                except FileNotFoundError:
                    continue

    def keep_trying(
        self,
        act: Callable[[], object],
        *,
        is_made: Callable[[], bool],
        conflict: type[Exception] | tuple[()] = (),
    ) -> None:
        """Do what changes the store by ``act``. Where no answer comes, or a ``conflict`` with what
        is there, ``is_made`` is asked before it is done again.
        """
        with plain_answers():
            for left in reversed(range(self.storage.retries + 1)):
                try:
                    act()
                except Exception as error:
                    unanswered = comes_from_objects(error) and not is_refusal(error)
                    if not unanswered and not isinstance(error, conflict):
                        raise
                    if is_made():
                        return
                    if not left:
                        raise
                else:
                    return

    def _part(self, name: str, start: int, end: int) -> bytes:
        try:
            return bytes(self._store.get_range(name, start=start, end=end))
        except FileNotFoundError:
            raise ObjectGoneError(name) from None

    def _size(self, name: str) -> int | None:
        try:
            return int(self._store.head(name)["size"])
        except FileNotFoundError:
            return None
