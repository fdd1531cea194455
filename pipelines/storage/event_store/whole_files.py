"""Whether the files of the store are what was written: each bears its digest in its name."""

from collections.abc import Iterable
from pathlib import Path

from data_contracts.errors import LakeError
from data_contracts.words.counts import choose_form, count_things
from pipelines.storage.checked_files import CHECKED_FILES, CheckedFiles
from pipelines.storage.event_store.parts.frame_files import digest_in_name
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.places.durable_files import file_digest, file_mark

__all__ = ["remember_whole", "require_whole"]

NAMED = 3


def require_whole(manifest: Manifest, folder: Path) -> None:
    """Make sure that the files of ``manifest`` are what was written; one that was compared before
    and not touched since is not read again. Files of before names said so are taken as they are.

    Raises ``LakeError`` naming those that are gone or are not.
    """
    checked = CheckedFiles(folder / CHECKED_FILES)
    names = [name for name in sorted(manifest.files()) if digest_in_name(name)]
    there = [name for name in names if (folder / name).is_file()]
    marks = {key_of(name): file_mark(folder / name) for name in there}
    unchecked = {name_of(key) for key in checked.unchecked(marks)}
    changed = {name for name in unchecked if file_digest(folder / name) != digest_in_name(name)}
    checked.remember({key_of(name): marks[key_of(name)] for name in unchecked - changed})
    damaged = sorted({*changed, *names} - ({*there} - changed))
    if damaged:
        more = ", …" if len(damaged) > NAMED else ""
        raise LakeError(
            f"{count_things(len(damaged), 'file')} of the event store "
            f"{choose_form(len(damaged), 'is', 'are')} not what was written: "
            f"{', '.join(damaged[:NAMED])}{more}",
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
