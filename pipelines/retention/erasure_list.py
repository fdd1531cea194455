"""The list of what was taken out for good, kept twice: in the home, and beside the keys, where no
backup of the home takes it along. A home restored from an older backup lacks what the other list
has, and has it to do again.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from pipelines.settings import Settings
from pipelines.storage.event_store.parts.locks import Hold, hold_lock
from pipelines.storage.places.durable_files import write_durably

__all__ = [
    "ERASURES_FILE",
    "Erased",
    "begin_erasure",
    "erasing",
    "list_erasures",
    "note_erasure",
    "pending_erasures",
]

ERASURES_FILE = "erasures.json"
LOCK = "erasures.lock"


@dataclass(frozen=True, kw_only=True)
class Erased:
    """One erasure: of a ``person`` by pseudonym with the numbers and accounts held then, or
    (``person`` empty) of what was older than the settings keep; ``counts`` by class.
    """

    at: datetime
    person: str = ""
    held: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


ADAPTER = TypeAdapter(tuple[Erased, ...])


def list_erasures(folder: Path) -> tuple[Erased, ...]:
    """What the list in a folder says, in order; nothing where there is none."""
    try:
        return ADAPTER.validate_json((folder / ERASURES_FILE).read_bytes())
    except FileNotFoundError:
        return ()


def begin_erasure(settings: Settings, erased: Erased) -> None:
    """Write an erasure into the list beside the keys before it is made: it is pending until it is
    noted as done, whatever comes between.
    """
    _add(settings.keys_folder, erased)


def note_erasure(settings: Settings, erased: Erased) -> None:
    """Write an erasure that was made into both lists."""
    _add(settings.keys_folder, erased)
    _add(settings.home, erased)


def pending_erasures(settings: Settings) -> tuple[Erased, ...]:
    """What was begun and not ended, or was erased after the backup was taken from which this home
    was restored.
    """
    done = {(one.at, one.person) for one in list_erasures(settings.home)}
    listed = list_erasures(settings.keys_folder)
    return tuple(one for one in listed if (one.at, one.person) not in done)


def _add(folder: Path, erased: Erased) -> None:
    others = [
        one for one in list_erasures(folder) if (one.at, one.person) != (erased.at, erased.person)
    ]
    listed = json.loads(ADAPTER.dump_json((*others, erased)))
    write_durably(folder / ERASURES_FILE, json.dumps(listed, indent=1).encode() + b"\n")


@contextmanager
def erasing(settings: Settings, *, hold: Hold = Hold.ALONE) -> Iterator[None]:
    """Be the only one who takes anything out; a backup holds it ``SHARED`` while it copies."""
    with hold_lock(settings.home / LOCK, hold):
        yield
