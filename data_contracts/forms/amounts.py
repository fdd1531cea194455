"""Amounts of money and whole numbers."""

from decimal import Decimal

import polars as pl

from data_contracts.forms.text import half_width, repair_untidy

__all__ = ["MONEY", "money", "whole_number"]

MONEY = pl.Decimal(18, 2)

_TIDY_AMOUNT = r"^-?\d{1,15}(\.\d{1,2})?$"
_TIDY_NUMBER = r"^-?\d{1,10}$"
_CURRENCY = r"(?i)^(?:CNY|RMB|人民币)? *[¥￥]? *| *(?:元整?|圆整?|CNY|RMB|人民币)?$"
#: Commas and spaces part thousands in threes, and only before the point.
_NUMBER = r"^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+)(?:\.\d*)?$"
_POWER = r"^[+-]?\d(?:\.\d+)?[eE][+-]?\d{1,2}$"
#: Spreadsheets show no more digits of a long number: what follows them is lost.
_DIGITS_SHOWN = 5
_SIGNIFICANT_DIGITS = 15
_CENT = Decimal("0.01")


def money(values: pl.Series) -> pl.Series:
    """Amounts with two decimals. Thousands' separators in threes and CNY signs come off; a minus
    may stand before or after, or be a pair of brackets.

    NaN, infinity, other currencies, other decimal points and fractions of a cent are none; nor is
    a power of ten that has lost digits.
    """
    if values.dtype.is_float():
        return _money_of_floats(values)
    if values.dtype.is_numeric():
        return values.cast(MONEY, strict=False)
    plain = half_width(values)
    tidy = plain.str.contains(_TIDY_AMOUNT)
    return repair_untidy(plain, tidy, _plain_amounts).cast(MONEY, strict=False)


def whole_number(values: pl.Series) -> pl.Series:
    """Whole numbers; a fraction that is not zero is unreadable."""
    if values.dtype.is_integer():
        return values.cast(pl.Int32, strict=False)
    if values.dtype.is_numeric():
        whole = values.cast(pl.Float64)
        return whole.set(whole.fill_nan(None) % 1 != 0, None).cast(pl.Int32, strict=False)
    plain = half_width(values)
    tidy = plain.str.contains(_TIDY_NUMBER)
    return repair_untidy(plain, tidy, _plain_numbers).cast(pl.Int32, strict=False)


def _money_of_floats(values: pl.Series) -> pl.Series:
    """Floats to the cent, where they are no further from it than floats are by themselves."""
    rounded = values.round(2)
    is_off = (values - rounded).abs() > values.abs().clip(lower_bound=1) * 1e-9
    return rounded.set(is_off, None).cast(MONEY, strict=False)


def _plain_amounts(untidy: pl.Series) -> pl.Series:
    """Untidy amounts as digits and a point with at most two decimals; null where they are none."""
    bare = (
        untidy.str.strip_chars().str.replace_all("[−－﹣]", "-").str.replace_all(r"[\t\x{a0}]", " ")
    )
    bracketed = bare.str.extract(r"^\(([^()+-]*)\)$", 1)
    after = bare.str.extract(r"^([^()+-]*\d)-$", 1)
    minus = bracketed.is_not_null() | after.is_not_null()
    bare = bracketed.fill_null(after).fill_null(bare)
    signs = bare.str.extract(r"^([+-]?)", 1)
    unsigned = bare.str.replace(r"^[+-]", "").str.replace_all(_CURRENCY, "")
    inner = unsigned.str.extract(r"^([+-]?)", 1)  # as in ¥-3.00
    unsigned = unsigned.set((inner != "") & ((signs != "") | minus), None)
    unsigned = unsigned.str.replace(r"^[+-]", "")
    negative = minus | (signs == "-") | (inner == "-")
    return pl.Series(
        untidy.name,
        [
            None if text is None else _two_decimals(f"{'-' if is_negative else ''}{text}")
            for text, is_negative in zip(
                _decimals(unsigned).to_list(), negative.to_list(), strict=True
            )
        ],
        dtype=pl.String,
    )


def _plain_numbers(untidy: pl.Series) -> pl.Series:
    """Untidy whole numbers as digits; null where they are none."""
    return _decimals(untidy).str.replace(r"\.0*$", "").str.replace(r"^\+", "")


def _decimals(values: pl.Series) -> pl.Series:
    """Numbers without separators between thousands and powers of ten; null where they are none."""
    plain = values.set(~values.str.contains(_NUMBER), None).str.replace_all("[, ]", "")
    powers = values.set(~values.str.contains(_POWER), None)
    if powers.null_count() == len(powers):
        return plain
    return plain.fill_null(powers.map_elements(_without_power, return_dtype=pl.String))


def _without_power(text: str) -> str | None:
    """``1.2E+4`` as ``12000``; None where digits are lost."""
    mantissa, _, power = text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    if decimals >= _DIGITS_SHOWN and int(power) > decimals:
        return None
    return format(Decimal(text), "f")


def _two_decimals(text: str) -> str | None:
    """A number to the cent; None where it has fractions of one beyond what floats add."""
    amount = Decimal(text)
    digits = len(amount.as_tuple().digits)
    if digits > _SIGNIFICANT_DIGITS:
        amount = Decimal(format(amount, f".{_SIGNIFICANT_DIGITS}g"))
        if len(text.partition(".")[2]) <= 2:  # the digits are meant
            amount = Decimal(text)
    if amount != amount.quantize(_CENT):
        return None
    return format(amount.quantize(_CENT), "f")
