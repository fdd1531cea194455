"""Account numbers: every spelling of an account to one key, and what only fills its place."""

import re

import polars as pl

from data_contracts.forms.text import half_width, repair_untidy, says_nothing

__all__ = [
    "LONGEST_APART",
    "account_number",
    "is_placeholder",
    "is_placeholder_account",
    "other_account",
    "tidy_account",
]

#: What says that a movement has no other party, where a movement may have none.
_NO_PARTY = ("-", "--", "---", "—", "——", "/", "无", "空")
#: Words for money that comes from no account, and goes to none.
_CASH = frozenset(("CASH", "现金"))
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_QUOTED = re.compile(r"""^[='"`]+|['"`]+$""")
#: A blank inside of a number parts its groups. A line end does not: a digit may have stood there.
_APART = re.compile(r"[ \t\u00a0\-‐-―]")
#: What a program writes that takes account numbers for floats. With fewer digits it is an amount.
_FLOAT = re.compile(r"^(\d{10,})\.0+$")
#: No account that is written in groups is longer: more are two.
LONGEST_APART = 23
_DAY = re.compile(r"(?:19|20)\d\d-\d{1,2}-\d{1,2}")
#: Nought, and one digit over and over: nobody's account. Other words are no placeholders: they
#: belong into another column, and so may the rest of the row.
_PLACEHOLDER = "^(?:" + "|".join(("0+", *(rf"{digit}{{4,}}" for digit in "123456789"))) + ")$"
_MAYBE_PLACEHOLDER = rf"{_PLACEHOLDER}|^[A-Z]+$|[^0-9A-Z]"


def account_number(values: pl.Series) -> pl.Series:
    """Digits and capital letters without separators. What cannot be an account, as a day, an
    amount, two accounts or a number with a line end in it, stays as it is; a rule of the contract
    rejects it.
    """
    plain = half_width(values)
    return repair_untidy(
        plain,
        plain.str.contains(r"^[0-9A-Z]+$"),
        lambda untidy: pl.Series(untidy.name, [tidy_account(one) for one in untidy], pl.String),
    )


def other_account(values: pl.Series) -> pl.Series:
    """The same for the other party of a movement, which interest, fees and cash do not have: null
    where none is named, or a placeholder only.
    """
    accounts = account_number(values)
    return accounts.set(accounts.is_in(_NO_PARTY) | _are_placeholders(accounts), None)


def is_placeholder_account(values: pl.Series) -> pl.Series:
    """Whether a placeholder stands where :func:`other_account` finds no account."""
    # Only what is not tidy, or begins like a placeholder, is looked at closely.
    accounts = half_width(values)
    odd = accounts.str.contains(_MAYBE_PLACEHOLDER).fill_null(value=False)
    if not odd.any():
        return odd
    accounts = account_number(accounts)
    return (_are_placeholders(accounts) & ~accounts.is_in(_NO_PARTY)).fill_null(value=False)


def _are_placeholders(accounts: pl.Series) -> pl.Series:
    found = accounts.filter(accounts.str.contains(_MAYBE_PLACEHOLDER)).unique()
    return accounts.is_in([one for one in found if one is not None and is_placeholder(one)])


def is_placeholder(account: str) -> bool:
    """Whether the key of an account only says that there is none."""
    return re.search(_PLACEHOLDER, account) is not None or says_nothing(account) or account in _CASH


def tidy_account(written: str) -> str:
    """The key of one account in half-width letters."""
    bare = _QUOTED.sub("", _INVISIBLE.sub("", written).strip())
    if says_nothing(bare):
        return bare.upper()
    if _DAY.fullmatch(bare):
        return bare
    joined, parts = _APART.subn("", _FLOAT.sub(r"\1", bare))
    if parts and len(joined) > LONGEST_APART:
        return bare
    return joined.upper()
