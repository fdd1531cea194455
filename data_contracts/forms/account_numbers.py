"""Account numbers: every spelling of an account to one key."""

import polars as pl

from data_contracts.forms.lists import split_each
from data_contracts.forms.text import half_width, repair_untidy

__all__ = ["account_number", "account_numbers"]


def account_number(values: pl.Series) -> pl.Series:
    """Digits and capital letters without separators."""
    plain = half_width(values)
    return repair_untidy(
        plain,
        plain.str.contains(r"^[0-9A-Z]+$"),
        lambda untidy: (
            untidy.str.replace(r"\.0+$", "").str.replace_all(r"[\s\-]", "").str.to_uppercase()
        ),
    )


def account_numbers(values: pl.Series) -> pl.Series:
    """A list of account numbers, delivered as one text separated by semicolons."""
    return split_each(values, account_number)
