"""The memory of an installation: which keys its data were made with and which databases it has.

It lies in ``HOME/installation.json``. A key or a database that is gone, or has become another, is
told from one that never was by what stands there.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data_contracts.errors import NotReadyError
from pipelines.settings import Settings
from pipelines.storage.places.durable_files import write_durably
from pipelines.storage.sqlite import fetch_rows

__all__ = ["MEMORY_FILE", "Memory", "has_data", "locked_home", "read_memory", "write_memory"]

MEMORY_FILE = "installation.json"
LOCK_FILE = "installation.lock"


@dataclass(frozen=True)
class Memory:
    """``keys`` are fingerprints by the name of the key's file, ``databases`` ids by the name of the
    database, ``has_loads`` whether anything ever reached the lake.
    """

    keys: dict[str, str] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)
    has_loads: bool = False

    def with_key(self, name: str, fingerprint: str) -> "Memory":
        """The same with this key."""
        return replace(self, keys={**self.keys, name: fingerprint})

    def with_database(self, name: str, id_: str) -> "Memory":
        """The same with this database."""
        return replace(self, databases={**self.databases, name: id_})

    def with_loads(self) -> "Memory":
        """The same with a lake that holds loads."""
        return replace(self, has_loads=True)


ADAPTER = TypeAdapter(Memory)


def read_memory(home: Path) -> Memory:
    """What the installation in ``home`` remembers; nothing where it is new.

    Raises ``NotReadyError`` where the file cannot be read.
    """
    path = home / MEMORY_FILE
    try:
        return ADAPTER.validate_json(path.read_bytes())
    except FileNotFoundError:
        return Memory()
    except ValidationError:
        raise NotReadyError(
            f"{path} cannot be read",
            remedy="Restore it from a backup; without one remove it, and check that both keys and "
            "all databases of this home are in their places.",
        ) from None


def write_memory(home: Path, memory: Memory) -> None:
    """Remember this instead; call it under ``locked_home``."""
    write_durably(home / MEMORY_FILE, TypeAdapter(dict).dump_json(asdict(memory), indent=1) + b"\n")


@contextmanager
def locked_home(home: Path) -> Iterator[None]:
    """Be the only process that makes a key or a database in ``home``: others are waited for, and
    none waits for a process that has ended. The home must be there.
    """
    with (home / LOCK_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def has_data(settings: Settings) -> bool:
    """Whether the home holds anything that was made with its keys: loads, sealed identifiers,
    rejected rows.
    """
    ledger, vault = settings.lake_folder / "ledger.db", settings.vault_file
    return (
        _has_rows(ledger, table="batches")
        or _has_rows(vault, table="entries")
        or any(settings.quarantine_folder.glob("*.parquet"))
    )


def _has_rows(path: Path, *, table: str) -> bool:
    if not path.exists():
        return False
    tables = fetch_rows(
        path, query="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", values=(table,)
    )
    return bool(tables and fetch_rows(path, query=f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608 -- a name of ours
