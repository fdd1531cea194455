"""Phone numbers: every spelling of a number to one key."""

import polars as pl

from data_contracts.forms.lists import split_each
from data_contracts.forms.text import half_width, repair_untidy

__all__ = ["phone_number", "phone_numbers"]

SEPARATORS = r"[\s\-‐-―()]"


def phone_number(values: pl.Series) -> pl.Series:
    """Digits only: no separators, no home prefix (+86, 0086), other countries' ``+`` as 00,
    landlines with their 0.
    """
    plain = half_width(values)
    length = plain.str.len_bytes()
    tidy = (
        plain.str.contains(r"^\d+$")
        & ~plain.str.starts_with("0086")
        & ~(plain.str.starts_with("861") & (length == 13))
        & ~(plain.str.starts_with("01") & (length == 12))
    )
    return repair_untidy(plain, tidy, _tidy_numbers)


def _tidy_numbers(untidy: pl.Series) -> pl.Series:
    digits = (
        untidy.str.replace(r"\.0+$", "")
        .str.replace_all(SEPARATORS, "")
        .str.replace(r"^\+(00)?", "00")
    )
    home = digits.str.starts_with("0086")
    number = digits.str.replace(r"^0086", "").str.replace(r"^86(1[3-9]\d{9})$", "${1}")
    # Behind the home prefix a landline comes without its 0; neither mobiles nor service numbers
    # look like this.
    with_zero = number.str.replace(r"^(10\d{8}|(?:[235679]\d|[48][1-9])\d{7,9})$", "0${1}")
    return number.zip_with(~home, with_zero).str.replace(r"^0(1[3-9]\d{9})$", "${1}")


def phone_numbers(values: pl.Series) -> pl.Series:
    """A list of phone numbers, delivered as one text separated by semicolons."""
    return split_each(values, phone_number)
