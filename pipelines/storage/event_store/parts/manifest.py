"""The manifest: of which files the store consists, and what of the lake they hold.

It is replaced at once. A process that is killed before that leaves files which nothing names, and
the store as it was; the next run sweeps them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data_contracts.errors import LakeError
from pipelines.storage.event_store.parts.code_book import BookPart
from pipelines.storage.event_store.parts.days import day_start
from pipelines.storage.places.durable_files import write_durably

__all__ = ["Checkpoint", "Manifest", "SegmentFile", "StateFile"]

FORMAT = 1
FILE = "manifest.json"


@dataclass(frozen=True)
class SegmentFile:
    """A segment of a timeline: milliseconds since 1970 of its first and last event, and the least
    and the greatest owner. ``totals`` is the file of what each owner's events come to, where it is
    worth one.
    """

    file: str
    origin_ms: int
    end_ms: int
    first_owner: int
    last_owner: int
    length: int
    totals: str | None = None


@dataclass(frozen=True)
class StateFile:
    """The last events of the relationships of one bucket of people."""

    file: str
    length: int


@dataclass(frozen=True)
class Checkpoint:
    """The relationships as they were before ``day`` (number of the local day since 1970)."""

    day: int
    states: dict[str, tuple[StateFile, ...]]


@dataclass(frozen=True)
class Manifest:
    """What the store holds.

    ``lake_files`` are the lake's data files whose rows are in it, by dataset. ``registers`` names
    the files with the registers that it was made with, from the ``register_versions`` of the lake;
    ``feeds`` those that say when each source delivered, ``busy`` the one that says how many
    contacts the busiest numbers had each day. ``head_day`` is the latest day of any event.
    ``lake_version`` is the version of the lake at which all of this was read; empty in one of a
    former version.
    """

    format: int = FORMAT
    lake_version: str = ""
    lake_files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    registers: dict[str, str] = field(default_factory=dict)
    register_versions: dict[str, int] = field(default_factory=dict)
    head_day: int = 0
    books: dict[str, tuple[BookPart, ...]] = field(default_factory=dict)
    timelines: dict[str, tuple[SegmentFile, ...]] = field(default_factory=dict)
    states: dict[str, tuple[StateFile, ...]] = field(default_factory=dict)
    checkpoints: tuple[Checkpoint, ...] = ()
    feeds: dict[str, str] = field(default_factory=dict)
    busy: str = ""

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a store in ``folder`` was ever begun."""
        return (folder / FILE).exists()

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of the store in ``folder``; an empty one where there is none.

        Raises ``LakeError`` for one that cannot be read.
        """
        path = folder / FILE
        return cls.parse(path.read_bytes(), named=str(path)) if path.exists() else cls()

    @classmethod
    def parse(cls, content: bytes, *, named: str) -> "Manifest":
        """The manifest in the bytes of a file that errors call ``named``.

        Raises ``LakeError`` for one that cannot be read.
        """
        try:
            found = ADAPTER.validate_json(content)
        except ValidationError:
            found = None
        if found is None or found.format != FORMAT:
            raise LakeError(
                f"{named} is not a manifest of this version",
                remedy="Run `forestall store rebuild`.",
            )
        return found

    def content(self) -> bytes:
        """The bytes of its file."""
        return ADAPTER.dump_json(self, indent=1)

    def digest(self) -> str:
        """SHA-256 of its file, in hex: equal digests, equal stores."""
        return hashlib.sha256(self.content()).hexdigest()

    def write(self, folder: Path) -> None:
        """Make this the manifest of the store in ``folder``, whole or not at all."""
        write_durably(folder / FILE, self.content())

    def files(self) -> set[str]:
        """The names of all files that the store consists of."""
        states = [*self.states.values()]
        for checkpoint in self.checkpoints:
            states.extend(checkpoint.states.values())
        return {
            *self.registers.values(),
            *self.feeds.values(),
            *([self.busy] if self.busy else []),
            *(part.file for parts in self.books.values() for part in parts),
            *(
                file
                for segments in self.timelines.values()
                for segment in segments
                for file in (segment.file, segment.totals)
                if file
            ),
            *(state.file for files in states for state in files),
        }

    def renamed(self, names: Mapping[str, str]) -> "Manifest":
        """The same with other names of some files."""
        text = self.content().decode()
        for name, other in names.items():
            text = text.replace(f'"{name}"', f'"{other}"')
        return ADAPTER.validate_json(text)

    def before(self, point: Checkpoint) -> "Manifest":
        """The same as it was before the day of a checkpoint. When sources delivered is kept: what
        they delivered since they deliver again.
        """
        start_ms = int(day_start(point.day).timestamp() * 1000)
        return replace(
            self,
            lake_files={},
            head_day=point.day - 1,
            timelines={
                name: tuple(one for one in segments if one.origin_ms < start_ms)
                for name, segments in self.timelines.items()
            },
            states=point.states,
            checkpoints=tuple(one for one in self.checkpoints if one.day < point.day),
        )

    def with_segments(self, name: str, segments: tuple[SegmentFile, ...]) -> "Manifest":
        """The same with these segments of the timeline ``name``."""
        return replace(self, timelines={**self.timelines, name: segments})

    def since(self, start_ms: int) -> "Manifest":
        """The same without the segments that end before a moment."""
        return replace(
            self,
            timelines={
                name: tuple(one for one in segments if one.end_ms >= start_ms)
                for name, segments in self.timelines.items()
            },
        )


ADAPTER = TypeAdapter(Manifest)
