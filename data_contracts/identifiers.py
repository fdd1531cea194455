"""Identity numbers, phone numbers and pseudonyms: pure functions of their text, fit for millions of
rows.
"""

import base64
import hmac
from collections.abc import Callable

import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

__all__ = [
    "NUMBER_KINDS",
    "Pseudonymiser",
    "id_15_to_18",
    "id_check_digit_sql",
    "number_area",
    "number_kind",
]

NUMBER_KINDS = (
    "mobile",
    "virtual",
    "landline",
    "service_95",
    "service_96",
    "service_400",
    "service_106",
    "service_short",
    "international",
    "unknown",
)

_VIRTUAL_PREFIXES = ("162", "165", "167", "170", "171")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643, MOD 11-2
_ID_CHECK_DIGITS = "10X98765432"
# 96 bits: a collision among a thousand million keys has odds of one in a hundred thousand million
_PSEUDONYM_BYTES = 12


def number_kind(number: pl.Expr) -> pl.Expr:
    """Return the kind of a normalised number (see ``NUMBER_KINDS``); null and what fits nowhere is
    ``unknown``.

    Only the prefix and the rough length decide, since look-alikes are often a digit short or long.
    """
    length = number.str.len_bytes()
    begins = number.str.starts_with
    virtual = pl.any_horizontal(*(begins(prefix) for prefix in _VIRTUAL_PREFIXES))
    return (
        pl.when(number.is_null() | ~number.str.contains(r"^\d+$"))
        .then(pl.lit("unknown"))
        .when(begins("00"))
        .then(pl.lit("international"))
        .when(begins("0") & length.is_between(9, 13))
        .then(pl.lit("landline"))
        .when(begins("95") & length.is_between(5, 12))
        .then(pl.lit("service_95"))
        .when(begins("96") & length.is_between(5, 10))
        .then(pl.lit("service_96"))
        .when(begins("400") & length.is_between(9, 11))
        .then(pl.lit("service_400"))
        .when(begins("106") & length.is_between(8, 20))
        .then(pl.lit("service_106"))
        .when(virtual & length.is_between(10, 11))
        .then(pl.lit("virtual"))
        .when(number.str.contains(r"^1[3-9]\d{9}$"))
        .then(pl.lit("mobile"))
        .when(length.is_between(3, 5))
        .then(pl.lit("service_short"))
        .otherwise(pl.lit("unknown"))
    )


def number_area(number: pl.Expr) -> pl.Expr:
    """Return the area of a normalised number, null where it tells none.

    A landline's area code (``010``, ``0471``: three digits for 010 and 02x, else four), an
    international number's country prefix (``00852``).
    """
    international = number.str.starts_with("00")
    landline = number.str.starts_with("0") & ~international
    return (
        pl.when(international)
        .then(number.str.extract(_country_prefix_pattern()))
        .when(landline & number.str.contains(r"^0(10|2)"))
        .then(number.str.slice(0, 3))
        .when(landline)
        .then(number.str.slice(0, 4))
    )


def _country_prefix_pattern() -> str:
    """No country code is the beginning of another, so the alternation needs no order."""
    codes = "|".join(str(code) for code in sorted(COUNTRY_CODE_TO_REGION_CODE))
    return rf"^(00(?:{codes}))"


def id_15_to_18(number: pl.Expr) -> pl.Expr:
    """Bring identity numbers of 15 digits to 18: 19 after the area, the check digit at the end (GB
    11643).
    """
    seventeen = pl.concat_str(number.str.slice(0, 6), pl.lit("19"), number.str.slice(6))
    return (
        pl.when(number.str.contains(r"^\d{15}$"))
        .then(pl.concat_str(seventeen, _id_check_digit(seventeen)))
        .otherwise(number)
    )


def _id_check_digit(number: pl.Expr) -> pl.Expr:
    digits = (number.str.slice(i, 1).cast(pl.Int32, strict=False) for i in range(17))
    remainder = (
        pl.sum_horizontal(
            *(digit * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=True))
        )
        % 11
    )
    return remainder.replace_strict(dict(enumerate(_ID_CHECK_DIGITS)), return_dtype=pl.String)


def id_check_digit_sql(number: str) -> str:
    """Return the same check digit as an SQL expression over the column ``number``; null where a
    digit is none.
    """
    digits = (
        f"try_cast(substr({number}, {i + 1}, 1) AS INTEGER) * {weight}"
        for i, weight in enumerate(_ID_WEIGHTS)
    )
    return f"substr('{_ID_CHECK_DIGITS}', 1 + ({' + '.join(digits)}) % 11, 1)"


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
        """Pseudonyms of normalised 18-digit identity numbers; null stays null."""
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
