"""The keys of an installation: made once, those of its data in a home without data, and never in
the place of one that is gone.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from data_contracts.errors import NotReadyError, SettingsError
from pipelines.settings import Settings
from pipelines.storage.installation.memory import (
    has_data,
    locked_home,
    read_memory,
    write_memory,
)
from pipelines.storage.places.durable_files import flush_to_disk

__all__ = [
    "KEYS_OF_DATA",
    "KEY_BYTES",
    "KEY_NAMES",
    "KeyName",
    "fingerprint_of",
    "open_key",
    "place_key",
    "read_key",
]

KeyName = Literal["pseudonym.key", "vault.key", "model.key"]

KEYS_OF_DATA: tuple[KeyName, ...] = ("pseudonym.key", "vault.key")
KEY_NAMES: tuple[KeyName, ...] = (*KEYS_OF_DATA, "model.key")
KEY_BYTES = 32
FINGERPRINT_DIGITS = 32
LOST_BY = {
    "pseudonym.key": "new data would no longer meet old data",
    "model.key": "no model would be known as one of this home",
    "vault.key": "no name, number or rejected row would open again",
}


def open_key(
    settings: Settings,
    name: KeyName,
    *,
    makes: bool = True,
    fits: Callable[[bytes], bool] = lambda _: True,
) -> bytes:
    """The 32-byte key ``name`` of an installation; in a home without data it is made on first use,
    readable by its owner only, unless ``makes`` says otherwise. ``fits`` says whether a key is that
    of the home's data; it is asked where the home remembers none, as one of a former version.

    Raises ``NotReadyError`` where the key of this home is gone or another lies in its place,
    ``SettingsError`` where the file holds none.
    """
    path = settings.keys_folder / name
    if path.exists():
        key = read_key(path)
        if read_memory(settings.home).keys.get(name) == fingerprint_of(key):
            return key
    if makes:
        settings.home.mkdir(parents=True, exist_ok=True)
    elif not settings.home.is_dir():
        raise _is_gone(path, name)
    with locked_home(settings.home):
        memory = read_memory(settings.home)
        remembered = memory.keys.get(name)
        if not path.exists():
            if not makes or remembered or (name in KEYS_OF_DATA and has_data(settings)):
                raise _is_gone(path, name)
            place_key(path, secrets.token_bytes(KEY_BYTES))
        key = read_key(path)
        fingerprint = fingerprint_of(key)
        if remembered not in {None, fingerprint} or (remembered is None and not fits(key)):
            right = f" with the fingerprint {remembered}" if remembered else ""
            raise NotReadyError(
                f"{path} is not the key that this home's data were made with: {LOST_BY[name]}",
                remedy=f"Put back the key{right}; this one has {fingerprint}.",
            )
        if remembered is None:
            write_memory(settings.home, memory.with_key(name, fingerprint))
        return key


def read_key(path: Path) -> bytes:
    """The key in a file; raises ``SettingsError`` if the file holds anything else."""
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(
            f"{path} holds no key of {KEY_BYTES} bytes", remedy="Restore the key from its backup."
        )
    return key


def place_key(path: Path, key: bytes) -> None:
    """Put a key where none is, whole or not at all, readable by the owner only. Where another
    process was faster its key stays: read what is there afterwards.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.hex().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # fails where there is a file, unlike a rename
    except FileExistsError:
        pass
    finally:
        part.unlink()
    flush_to_disk(path.parent)


def fingerprint_of(key: bytes) -> str:
    """What tells a key from any other and says nothing of it."""
    return hashlib.sha256(b"forestall key fingerprint:" + key).hexdigest()[:FINGERPRINT_DIGITS]


def _is_gone(path: Path, name: KeyName) -> NotReadyError:
    return NotReadyError(
        f"the key {path} is not there: with another one {LOST_BY[name]}",
        remedy=f"Put {name} back, mount the folder it lies in, or restore it from the file that "
        "`forestall keys backup` wrote: `forestall keys restore FILE`.",
    )
