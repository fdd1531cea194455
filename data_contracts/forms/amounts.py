"""Amounts of money and whole numbers."""

import polars as pl

from data_contracts.forms.text import half_width, repair_untidy

__all__ = ["MONEY", "money", "whole_number"]

MONEY = pl.Decimal(18, 2)


def money(values: pl.Series) -> pl.Series:
    """Amounts with two decimals; thousands' separators and currency signs come off. NaN and
    infinity are none.
    """
    if values.dtype.is_numeric():
        return values.cast(MONEY, strict=False)
    plain = half_width(values)
    bare = repair_untidy(
        plain,
        plain.str.contains(r"^-?\d+(\.\d+)?$"),
        lambda untidy: untidy.str.replace_all(r"[\s,¥￥元]|CNY|RMB", ""),
    )
    return bare.cast(MONEY, strict=False)


def whole_number(values: pl.Series) -> pl.Series:
    """Whole numbers; a fraction that is not zero is unreadable."""
    if values.dtype.is_integer():
        return values.cast(pl.Int32, strict=False)
    if values.dtype.is_numeric():
        whole = values.cast(pl.Float64)
        return whole.set(whole.fill_nan(None) % 1 != 0, None).cast(pl.Int32, strict=False)
    plain = half_width(values)
    bare = repair_untidy(
        plain,
        plain.str.contains(r"^-?\d+$"),
        lambda odd: odd.str.replace_all(r"[\s,]", "").str.replace(r"\.0*$", ""),
    )
    return bare.cast(pl.Int32, strict=False)
