"""The kinds and areas of phone numbers."""

import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

__all__ = ["NUMBER_KINDS", "number_area", "number_kind"]

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
