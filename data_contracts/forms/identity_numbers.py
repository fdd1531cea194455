"""The numbers of identity documents: 18 digits (GB 11643), to which those of 15 digits are brought,
or what passports and permits have.
"""

import polars as pl

from data_contracts.forms.text import half_width, repair_untidy

__all__ = ["id_15_to_18", "id_check_digit_sql", "id_number"]

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643, MOD 11-2
_ID_CHECK_DIGITS = "10X98765432"


def id_number(values: pl.Series) -> pl.Series:
    """Identity numbers of 18 digits, those of 15 digits brought to 18, and the numbers of other
    documents: capital letters and digits.

    A travel permit of Hong Kong or Macao is known by its letter and eight digits; the two that may
    follow count the cards that its holder has had.
    """
    plain = half_width(values)
    return repair_untidy(plain, plain.str.contains(r"^\d{17}[0-9X]$"), _tidy_id_numbers)


def _tidy_id_numbers(untidy: pl.Series) -> pl.Series:
    bare = (
        untidy.str.replace_all(r"""^[='"`]+|['"`]+$""", "")
        .str.replace(r"^(\d{8})\s*\([A-Za-z]\)$", "${1}")
        .str.replace_all(r"[ \t\x{a0}\-‐-―()]", "")  # no line end: a digit may have stood there
        .str.to_uppercase()
        .str.replace(r"^(\d{17})[×ХΧ]$", "${1}X")
        .str.replace(r"^([HM]\d{8})\d\d$", "${1}")
    )
    return bare.to_frame("id").select(id_15_to_18(pl.col("id")))["id"]


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
