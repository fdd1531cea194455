"""Amounts with signs, in two columns or in other currencies, and what a sign means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import polars as pl

from data_contracts.mappings.translation.choices import as_text
from data_contracts.mappings.translation.ways import AmountWay

__all__ = [
    "TWO_AMOUNTS",
    "Signed",
    "convert_currencies",
    "pick_amounts",
    "repeats_direction",
    "take_signs",
]

TWO_AMOUNTS = "amount.two_amounts"

_MINUS = r"^[^\d(（]*[-−－]|^\(.*\)$|^（.*）$|[-−－]$"
_SIGNS = r"^[+＋\s]+|[-−－()（）]"
#: Of two numbers, or of a power of ten: 1.5e-2 without its minus would be 150.
_MINUS_INSIDE = r"\d[eEｅＥ]?[-−－]\d"
_SAYS_NO_AMOUNT = r"^[-—/\s]*$|^[+-]?[¥￥]?0*(\.0*)?$"
#: So many signed amounts of one direction, and none of the other, are its way to write amounts.
_FEWEST_SIGNED = 3


@dataclass(frozen=True, kw_only=True)
class Signed:
    """Amounts without their signs, and where a minus stood. ``direction`` is null where it is said
    elsewhere; ``problems`` are rows that say two things.
    """

    amount: pl.Series
    is_negative: pl.Series
    direction: pl.Series | None = None
    problems: Mapping[str, pl.Series] = field(default_factory=dict)


def take_signs(values: pl.Series) -> Signed:
    """Take the signs off amounts: ``-100.00``, ``100.00-`` and ``(100.00)`` are negative."""
    if values.dtype.is_numeric():
        negative = (values < 0).fill_null(value=False)
        if not negative.any():
            return Signed(amount=values, is_negative=negative)
        return Signed(amount=values.abs(), is_negative=negative)
    text = as_text(values)
    signed = text.str.contains(r"[-−－+＋()（）]").fill_null(value=False)
    if not signed.any():
        return Signed(amount=values, is_negative=signed)
    once = text.str.count_matches(r"[-−－]") <= 1  # `--21.78` is no number
    plain = signed & once & text.str.contains(r"\d") & ~text.str.contains(_MINUS_INSIDE)
    negative = plain & text.str.contains(_MINUS)
    return Signed(
        amount=text.str.replace_all(_SIGNS, "").zip_with(plain, text),
        is_negative=negative.fill_null(value=False),
    )


def pick_amounts(table: pl.DataFrame, *, way: AmountWay) -> Signed:
    """Amounts and directions of two columns, or of one with a sign."""
    if way.signed is not None:
        taken = take_signs(table[way.signed])
        other = "credit" if way.negative == "debit" else "debit"
        given = as_text(taken.amount).is_not_null()
        direction = pl.select(
            pl.when(given & taken.is_negative)
            .then(pl.lit(way.negative))
            .when(given)
            .then(pl.lit(other))
            .alias("direction")
        ).to_series()
        nowhere = taken.is_negative.clear(0).extend_constant(value=False, n=len(direction))
        return Signed(amount=taken.amount, is_negative=nowhere, direction=direction)
    debit, credit = as_text(table[way.debit or ""]), as_text(table[way.credit or ""])
    has_debit, has_credit = _has_amount(debit), _has_amount(credit)
    direction = pl.select(
        pl.when(has_debit)  # what has both is rejected for that alone
        .then(pl.lit("debit"))
        .when(has_credit)
        .then(pl.lit("credit"))
        .alias("direction")
    ).to_series()
    both = has_debit & has_credit
    amount = debit.zip_with(has_debit, credit.zip_with(has_credit, debit.fill_null(credit)))
    taken = take_signs(amount.alias("amount"))
    return Signed(
        amount=taken.amount,
        is_negative=taken.is_negative & ~both,
        direction=direction,
        problems={TWO_AMOUNTS: both} if both.any() else {},
    )


def _has_amount(values: pl.Series) -> pl.Series:
    return ~values.str.contains(_SAYS_NO_AMOUNT).fill_null(value=True)


def repeats_direction(is_negative: pl.Series, *, direction: pl.Series) -> bool:
    """Whether the signs say once more what the direction says: one direction has them all."""
    if int(is_negative.sum()) < _FEWEST_SIGNED:
        return False
    counts = (
        pl.DataFrame({"direction": as_text(direction), "negative": is_negative})
        .group_by("direction")
        .agg(pl.col("negative").all().alias("all"), pl.col("negative").any().alias("any"))
    )
    return counts.height > 0 and bool((counts["all"] == counts["any"]).all())


def convert_currencies(
    amounts: pl.Series, *, currencies: pl.Series, rates: Mapping[str, Decimal]
) -> tuple[pl.Series, pl.Series]:
    """Amounts and currencies with what has a rate turned to CNY, to the cent."""
    known = {currency.upper(): rate for currency, rate in rates.items()}
    has_rate = as_text(currencies).str.to_uppercase().is_in(list(known)).fill_null(value=False)
    if not has_rate.any():
        return amounts, currencies
    text = as_text(amounts)
    converted = [
        _in_cny(amount, known[currency.upper()]) if rated else amount
        for amount, currency, rated in zip(text, as_text(currencies), has_rate, strict=True)
    ]
    failed = pl.Series([one is None for one in converted]) & text.is_not_null()
    amount = pl.Series(amounts.name, converted, dtype=pl.String)
    in_cny = pl.Series(["CNY"] * len(text)).zip_with(has_rate & ~failed, as_text(currencies))
    return amount.zip_with(~failed, text), in_cny.alias(currencies.name)


def _in_cny(amount: str | None, rate: Decimal) -> str | None:
    try:
        return str((Decimal((amount or "").replace(",", "")) * rate).quantize(Decimal("0.01")))
    except InvalidOperation:
        return None
