"""The vault: the only place where raw identifiers live, and only as ciphertext.

Every entry is sealed with AES-256-GCM under a key kept outside the data, and bound to its own
pseudonym, so that neither a copied database nor two swapped rows reveal or forge anything.
"""

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from data_contracts.errors import LakeError, NotReadyError
from pipelines.settings import Settings
from pipelines.storage import sqlite
from pipelines.storage.installation.databases import claim_database
from pipelines.storage.installation.keys import open_key

__all__ = ["IdentifierKind", "Identity", "Vault"]

IdentifierKind = Literal["person", "number", "account", "file"]

NONCE_BYTES = 12
KEY_VERSION = b"\x01"  # first byte of every sealed value; a new vault key gets the next one

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    kind TEXT, key TEXT, sealed BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers_of (
    person TEXT, number TEXT, PRIMARY KEY (person, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a person is: what an officer needs to reach them, and nothing more."""

    id_number: str
    name: str
    address: str
    msisdns: tuple[str, ...]


class Vault:
    """Sealed raw identifiers by pseudonym, in one SQLite file."""

    def __init__(self, path: Path, *, key: bytes) -> None:
        self._path = path
        self._cipher = AESGCM(key)
        sqlite.create_database(path, schema=SCHEMA)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the vault of an installation, making key and file on first use.

        Raises ``NotReadyError`` where either is gone or is not this home's.
        """
        path = settings.vault_file
        key = open_key(settings, "vault.key", fits=lambda found: cls.fits(path, key=found))
        claim_database(settings, path=path, make=lambda: cls(path, key=key))
        return cls(path, key=key)

    @classmethod
    def fits(cls, path: Path, *, key: bytes) -> bool:
        """Whether the vault in ``path`` was sealed with ``key``; so is one without an entry."""
        if not path.exists():
            return True
        try:
            cls(path, key=key).any_number()
        except LakeError:
            return False
        return True

    def seal(self, raw: str, *, bound_to: str) -> bytes:
        """Encrypt ``raw`` so that it opens only together with ``bound_to``."""
        nonce = os.urandom(NONCE_BYTES)
        return KEY_VERSION + nonce + self._cipher.encrypt(nonce, raw.encode(), bound_to.encode())

    def unseal(self, sealed: bytes, *, bound_to: str) -> str:
        """Decrypt what ``seal`` made; raises ``LakeError`` if the key or the binding is another."""
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, bound_to.encode()).decode()
        except InvalidTag:
            raise LakeError(
                "a sealed value does not open", remedy="Use the vault key it was sealed with."
            ) from None

    def put_identifiers(self, kind: IdentifierKind, entries: Mapping[str, str]) -> int:
        """Keep the raw identifier of every pseudonym that is not yet in the vault; return how many
        were new.
        """
        with sqlite.write_transaction(self._path) as connection:
            new = _missing_pseudonyms(connection, kind, entries)
            sealed = ((kind, key, self.seal(entries[key], bound_to=key)) for key in new)
            connection.executemany("INSERT INTO entries VALUES (?, ?, ?)", sealed)
        return len(new)

    def put_people(self, payloads: Mapping[str, Mapping[str, str]]) -> None:
        """Keep each person's ``id_number``, ``name`` and ``address``; a person already known is
        replaced.
        """
        sealed = (
            (
                "person",
                person,
                self.seal(json.dumps(dict(payload), ensure_ascii=False), bound_to=person),
            )
            for person, payload in payloads.items()
        )
        with sqlite.write_transaction(self._path) as connection:
            connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", sealed)

    def put_numbers_of(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Replace which numbers belong to which person: ``(person, number)`` pseudonyms."""
        with sqlite.write_transaction(self._path) as connection:
            connection.execute("DELETE FROM numbers_of")
            connection.executemany("INSERT OR IGNORE INTO numbers_of VALUES (?, ?)", pairs)

    def reveal(self, kind: IdentifierKind, keys: Sequence[str]) -> dict[str, str]:
        """Raw identifiers of the pseudonyms that are known; of a person, the ID number."""
        raws = {key: self.unseal(sealed, bound_to=key) for key, sealed in self._sealed(kind, keys)}
        return (
            {key: json.loads(raw)["id_number"] for key, raw in raws.items()}
            if kind == "person"
            else raws
        )

    def keep_only(self, kind: IdentifierKind, named: pl.Series) -> int:
        """Remove the entries whose pseudonyms are not ``named``, so that nothing of them stays in
        the file; return how many went.
        """
        query = "SELECT key FROM entries WHERE kind = ?"
        held = pl.Series([key for (key,) in self._rows(query, kind)], dtype=pl.String)
        gone = held.filter(~held.is_in(named.implode()))
        self.remove(kind, gone.to_list())
        return len(gone)

    def remove(self, kind: IdentifierKind, keys: Sequence[str]) -> None:
        """Remove entries, and of a person or a number who holds what; what they held in the file is
        written over.
        """
        ours = [(kind, key) for key in keys]
        with sqlite.write_transaction(self._path, secure_delete=True) as connection:
            connection.executemany("DELETE FROM entries WHERE kind = ? AND key = ?", ours)
            for column in ("person", "number"):
                if kind == column:
                    connection.executemany(
                        f"DELETE FROM numbers_of WHERE {column} = ?",  # noqa: S608 -- a name of ours
                        [(key,) for key in keys],
                    )

    def any_number(self) -> tuple[str, str] | None:
        """The pseudonym and the raw number of some entry, None where there is none; raises
        ``LakeError`` if it does not open.
        """
        query = "SELECT key, sealed FROM entries WHERE kind = 'number' LIMIT 1"
        found = sqlite.fetch_rows(self._path, query=query)
        return (found[0][0], self.unseal(found[0][1], bound_to=found[0][0])) if found else None

    def count_entries(self) -> tuple[int, int]:
        """How many entries there are, and how many of them do not open with the key."""
        entries = sqlite.fetch_rows(self._path, query="SELECT key, sealed FROM entries")
        return len(entries), sum(not self._opens(sealed, key) for key, sealed in entries)

    def _opens(self, sealed: bytes, key: str) -> bool:
        try:
            self.unseal(sealed, bound_to=key)
        except LakeError:
            return False
        return True

    def reveal_people(self, persons: Sequence[str]) -> dict[str, Identity]:
        """Who the known ones of ``persons`` are, with the numbers they can be reached at."""
        numbers = self._numbers_of(persons)
        raw = self.reveal("number", [number for held in numbers.values() for number in held])
        identities = {}
        for person, sealed in self._sealed("person", persons):
            payload = json.loads(self.unseal(sealed, bound_to=person))
            msisdns = tuple(raw[number] for number in numbers.get(person, ()) if number in raw)
            identities[person] = Identity(
                id_number=payload["id_number"],
                name=payload.get("name", ""),
                address=payload.get("address", ""),
                msisdns=msisdns,
            )
        return identities

    def holders_of(self, numbers: Sequence[str]) -> list[str]:
        """Who holds the numbers, all pseudonyms."""
        query = (
            "SELECT DISTINCT person FROM numbers_of"
            " WHERE number IN (SELECT value FROM json_each(?)) ORDER BY 1"
        )
        return [person for (person,) in self._rows(query, json.dumps(list(numbers)))]

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """All rows of a query; raises ``NotReadyError`` where the file is damaged."""
        try:
            return sqlite.fetch_rows(self._path, query=query, values=values)
        except sqlite3.OperationalError:  # busy, or the disk: the file itself is whole
            raise
        except sqlite3.DatabaseError:
            raise NotReadyError(
                f"{self._path.name} is damaged",
                remedy="Stop, and restore it from a backup; `forestall verify` looks at the rest.",
            ) from None

    def _sealed(self, kind: IdentifierKind, keys: Sequence[str]) -> list[tuple[str, bytes]]:
        query = (
            "SELECT key, sealed FROM entries"
            " WHERE kind = ? AND key IN (SELECT value FROM json_each(?))"
        )
        return self._rows(query, kind, json.dumps(list(keys)))

    def _numbers_of(self, persons: Sequence[str]) -> dict[str, list[str]]:
        query = (
            "SELECT person, number FROM numbers_of"
            " WHERE person IN (SELECT value FROM json_each(?)) ORDER BY 1, 2"
        )
        held: dict[str, list[str]] = {}
        for person, number in self._rows(query, json.dumps(list(persons))):
            held.setdefault(person, []).append(number)
        return held


def _missing_pseudonyms(
    connection: sqlite3.Connection, kind: IdentifierKind, entries: Mapping[str, str]
) -> list[str]:
    """Those of the pseudonyms that ``kind`` does not hold yet, in the order of the primary key."""
    connection.execute("CREATE TEMP TABLE candidate (key TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT INTO candidate VALUES (?)", ((key,) for key in sorted(entries)))
    query = "SELECT key FROM candidate EXCEPT SELECT key FROM entries WHERE kind = ?"
    return [key for (key,) in connection.execute(query, (kind,))]
