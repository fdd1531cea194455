"""Keyed pseudonyms of identity numbers, phone numbers and accounts, and of what else could hold one
of them: the numbers of records and cases, and the names of files.
"""

import base64
import hmac
import re
from collections.abc import Callable
from hashlib import blake2b

import polars as pl

__all__ = ["Pseudonymiser", "is_masked"]

# 96 bits: a collision among a thousand million keys has odds of one in a hundred thousand million
_PSEUDONYM_BYTES = 12
# Records are compared within one source, day and number: 72 bits are more than enough, and 12
# characters of each row less to keep.
_RECORD_BYTES = 9

# So short a number of a record holds nobody's; every other one could.
_PLAIN_RECORD = r"^[A-Za-z]{0,3}-?[0-9]{0,6}$"
_KEYED_RECORD = re.compile(r"r\d+_[A-Za-z0-9_-]{12}")

# What may be an identifier in the name of a file: identity documents, cards and phone numbers with
# their usual gaps, and whatever else has seven digits in a row but is no date.
_GAP = r"[-_. ]"
_IDENTIFIER = re.compile(
    rf"(?<!\d)(?:\d{{6}}{_GAP}\d{{8}}{_GAP}\d{{3}}[\dXx]"
    rf"|\d{{4}}(?:{_GAP}\d{{4}}){{3}}(?:{_GAP}\d{{1,4}})?"
    rf"|1\d\d{_GAP}\d{{4}}{_GAP}\d{{4}}"
    rf"|0\d\d{{1,2}}{_GAP}\d{{7,8}}"
    r"|(?:(?<![A-Za-z])[A-Za-z])?\d{7,}[Xx]?)(?!\d)"
)
_DATE = re.compile(r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[0-2]\d(?:[0-5]\d){0,2})?")
# Letters alone: neither a date, nor a time, nor the number of a copy is ever read from a mask.
_MASK, _LETTERS, _MASK_LETTERS = "masked", "bcdfghjkmnpqrstv", 10
_MASKED = re.compile(rf"{_MASK}[{_LETTERS}]{{{_MASK_LETTERS}}}")


class Pseudonymiser:
    """Keyed pseudonyms: the same raw value gives the same pseudonym under one key, and nothing
    without the key.

    A pseudonym is a letter for the key space, the version of the key, and 96 bits of HMAC-SHA-256
    in 16 URL-safe characters: ``p1_…`` a person, ``n1_…`` a number, ``a1_…`` an account. That of a
    record, ``r1_…``, has 72 bits of keyed BLAKE2b in 12 characters.
    """

    def __init__(self, key: bytes, version: int = 1) -> None:
        if len(key) < 16:
            raise ValueError("the pseudonym key must have at least 16 bytes")
        self._key = key
        self._version = version

    def __repr__(self) -> str:
        return f"Pseudonymiser(version={self._version})"

    def persons(self, id_numbers: pl.Series) -> pl.Series:
        """Pseudonyms of normalised numbers of identity documents; null stays null."""
        return self._pseudonyms(id_numbers, "p")

    def numbers(self, numbers: pl.Series) -> pl.Series:
        """Pseudonyms of normalised phone numbers; null stays null."""
        return self._pseudonyms(numbers, "n")

    def accounts(self, accounts: pl.Series) -> pl.Series:
        """Pseudonyms of normalised account numbers; null stays null."""
        return self._pseudonyms(accounts, "a")

    def records(self, record_ids: pl.Series) -> pl.Series:
        """Pseudonyms of the numbers of records or cases; those too short to hold an identifier stay
        as they are, as does null.
        """
        return self._keyed_records(record_ids, stays=record_ids.str.contains(_PLAIN_RECORD))

    def former_records(self, record_ids: pl.Series) -> pl.Series:
        """The same of numbers of which some may be pseudonyms already; those stay."""
        plain = record_ids.str.contains(_PLAIN_RECORD)
        keyed = record_ids.str.contains(f"^{_KEYED_RECORD.pattern}$")
        return self._keyed_records(record_ids, stays=plain | keyed)

    def mask(self, name: str) -> str:
        """The name of a file or folder with each part that may be an identifier replaced by ten
        letters of its keyed hash: other names stay other names. A masked name stays as it is.
        """
        return _IDENTIFIER.sub(self._mask_of, name)

    def _mask_of(self, found: re.Match[str]) -> str:
        if _DATE.fullmatch(found[0]):
            return found[0]
        digest = hmac.digest(self._key, b"f:" + found[0].encode(), "sha256")
        return _MASK + "".join(_LETTERS[byte % 16] for byte in digest[:_MASK_LETTERS])

    def _keyed_records(self, record_ids: pl.Series, *, stays: pl.Series) -> pl.Series:
        # Nearly all are different and there are as many as events: keyed BLAKE2 takes a third of
        # the time of HMAC.
        key, prefix = self._key[:64], f"r{self._version}_"
        others = record_ids.set(stays, None).to_list()
        digests = (
            None if one is None else blake2b(one.encode(), digest_size=_RECORD_BYTES, key=key)
            for one in others
        )
        keyed = [
            None if one is None else prefix + base64.urlsafe_b64encode(one.digest()).decode()
            for one in digests
        ]
        return record_ids.zip_with(stays, pl.Series(keyed, dtype=pl.String))

    def _pseudonyms(self, values: pl.Series, space: str) -> pl.Series:
        unique = values.drop_nulls().unique()
        pseudonym = self._pseudonym_of(space)
        keys = pl.Series([pseudonym(value) for value in unique], dtype=pl.String)
        return values.replace_strict(unique, keys, default=None, return_dtype=pl.String)

    def _pseudonym_of(self, space: str) -> Callable[[str], str]:
        key, prefix, domain = self._key, f"{space}{self._version}_", f"{space}:".encode()

        def pseudonym(value: str) -> str:
            digest = hmac.digest(key, domain + value.encode(), "sha256")
            return prefix + base64.urlsafe_b64encode(digest[:_PSEUDONYM_BYTES]).decode()

        return pseudonym


def is_masked(name: str) -> bool:
    """Whether a part of the name was masked."""
    return _MASKED.search(name) is not None
