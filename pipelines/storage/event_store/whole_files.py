"""Whether the files of the store are what was written: each bears its digest in its name."""

from collections.abc import Iterable
from pathlib import Path

from pipelines.storage.checked_files import CHECKED_FILES, CheckedFiles, refuse_damaged
from pipelines.storage.event_store.parts.frame_files import digest_in_name
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.places.durable_files import file_digest, file_mark

__all__ = ["remember_whole", "require_whole"]


def require_whole(manifest: Manifest, folder: Path) -> None:
    """Make sure that the files of ``manifest`` are what was written; one that was compared before
    and not touched since is not read again. Files of before names said so are taken as they are.

    Raises ``LakeError`` naming those that are gone or are not.
    """
    names = [name for name in sorted(manifest.files()) if digest_in_name(name)]
    gone = [name for name in names if not (folder / name).is_file()]
    marks = {key_of(name): file_mark(folder / name) for name in names if name not in gone}
    changed = CheckedFiles(folder / CHECKED_FILES).find_changed(
        marks,
        is_whole=lambda key: file_digest(folder / name_of(key)) == digest_in_name(name_of(key)),
    )
    refuse_damaged(
        sorted([*gone, *map(name_of, changed)]),
        thing="file",
        of="the event store",
        remedy="Run `forestall store rebuild`: it is made from the lake.",
    )


def remember_whole(names: Iterable[str], folder: Path) -> None:
    """Remember files that this process has just written or compared: they need not be read
    again.
    """
    marks = {key_of(name): file_mark(folder / name) for name in names if digest_in_name(name)}
    checked = CheckedFiles(folder / CHECKED_FILES)
    checked.unchecked({})  # so that the database is there
    checked.remember(marks)


def key_of(name: str) -> str:
    """A file of the store among those of the lake, which are remembered beside them."""
    return f"store/{name}"


def name_of(key: str) -> str:
    """The file of a key."""
    return key.removeprefix("store/")
