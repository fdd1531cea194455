"""Keyed pseudonyms of identity numbers, phone numbers and accounts."""

import base64
import hmac
from collections.abc import Callable

import polars as pl

__all__ = ["Pseudonymiser"]

# 96 bits: a collision among a thousand million keys has odds of one in a hundred thousand million
_PSEUDONYM_BYTES = 12


class Pseudonymiser:
    """Keyed pseudonyms: the same raw value gives the same pseudonym under one key, and nothing
    without the key.

    A pseudonym is a letter for the key space, the version of the key, and 96 bits of HMAC-SHA-256
    in 16 URL-safe characters: ``p1_…`` a person, ``n1_…`` a number, ``a1_…`` an account.
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
