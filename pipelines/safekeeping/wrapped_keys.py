"""The keys of an installation in one file that a passphrase opens, for a place apart from the data.

The passphrase becomes a key by scrypt, which makes guessing dear; the keys are sealed with AES-GCM,
so that a wrong passphrase and a changed file are both noticed.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from data_contracts.errors import ConflictError, NotReadyError, SettingsError
from pipelines.settings import Settings
from pipelines.storage.installation.keys import (
    KEY_BYTES,
    KEY_NAMES,
    fingerprint_of,
    open_key,
    place_key,
    read_key,
)
from pipelines.storage.installation.memory import read_memory
from pipelines.storage.places.durable_files import write_durably

__all__ = ["unwrap_keys", "wrap_keys"]

FORMAT = "forestall keys 1"
AUDIT_KEY = "audit.key"  # the home does not remember it: the audit trail itself knows its own
WRAPPED = (*KEY_NAMES, AUDIT_KEY)
COST, BLOCK, PARALLEL = 2**17, 8, 1  # 128 MB and some tenths of a second for each guess
SALT_BYTES, NONCE_BYTES = 16, 12
SHORTEST_PASSPHRASE = 12


def wrap_keys(settings: Settings, *, file: Path, passphrase: str) -> tuple[str, ...]:
    """Write the keys that are there into ``file``, sealed with the passphrase; return their names.

    Raises ``SettingsError`` for a passphrase that is too short, ``ConflictError`` where ``file``
    exists, ``NotReadyError`` where no key is there or one is not this home's.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise SettingsError(
            f"the passphrase has fewer than {SHORTEST_PASSPHRASE} characters",
            remedy="Take some words that nobody would guess together.",
        )
    if file.exists():
        raise ConflictError(f"{file} exists", remedy="Name a file that is not there yet.")
    names = [name for name in WRAPPED if (settings.keys_folder / name).exists()]
    if not names:
        raise NotReadyError(
            f"there is no key in {settings.keys_folder}", remedy="Name the folder of the keys."
        )
    keys = {name: read_key(settings.keys_folder / name).hex() for name in names}
    for name in KEY_NAMES:
        if name in keys:
            open_key(settings, name, makes=False)  # this home's, or an error
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    cost = {"n": COST, "r": BLOCK, "p": PARALLEL}
    content = json.dumps(keys).encode()
    sealed = AESGCM(_stretch(passphrase, salt=salt, **cost)).encrypt(
        nonce, content, FORMAT.encode()
    )
    document = {
        "format": FORMAT,
        "scrypt": cost,
        "salt": b64encode(salt).decode(),
        "nonce": b64encode(nonce).decode(),
        "sealed": b64encode(sealed).decode(),
    }
    write_durably(file, json.dumps(document, indent=1).encode() + b"\n")
    return tuple(names)


def unwrap_keys(settings: Settings, *, file: Path, passphrase: str) -> tuple[str, ...]:
    """Put the keys of ``file`` back where they are missing; return the names of those.

    Raises ``SettingsError`` where the passphrase is another or ``file`` holds no keys,
    ``ConflictError`` where other keys are in their places or the home remembers others.
    """
    keys = _read_keys(file, passphrase=passphrase)
    memory = read_memory(settings.home).keys
    for name, key in keys.items():
        path = settings.keys_folder / name
        if memory.get(name, fingerprint_of(key)) != fingerprint_of(key):
            raise ConflictError(
                f"{name} of {file} is not the key of this home", remedy="Name another file of keys."
            )
        if path.exists() and read_key(path) != key:
            raise ConflictError(
                f"another key is in {path}", remedy="Move it away; nothing is written over."
            )
    missing = [name for name in keys if not (settings.keys_folder / name).exists()]
    for name in missing:
        place_key(settings.keys_folder / name, keys[name])
    return tuple(missing)


def _read_keys(file: Path, *, passphrase: str) -> Mapping[str, bytes]:
    try:
        document: dict[str, Any] = json.loads(file.read_bytes())
        salt, nonce, sealed = (b64decode(document[part]) for part in ("salt", "nonce", "sealed"))
        key = _stretch(passphrase, salt=salt, **document["scrypt"])
        found = json.loads(AESGCM(key).decrypt(nonce, sealed, FORMAT.encode()))
        keys = {name: bytes.fromhex(found[name]) for name in WRAPPED if name in found}
    except FileNotFoundError:
        raise SettingsError(f"there is no {file}", remedy="Name the file of the keys.") from None
    except InvalidTag:
        raise SettingsError(
            f"{file} does not open with this passphrase, or was changed",
            remedy="Try the passphrase again, or another copy of the file.",
        ) from None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{file} holds no keys", remedy="Name the file that `forestall keys backup` wrote."
        ) from None
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise SettingsError(f"{file} holds no keys", remedy="Name another copy of the file.")
    return keys


def _stretch(passphrase: str, *, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p).derive(passphrase.encode())
