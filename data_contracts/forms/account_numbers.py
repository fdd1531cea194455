"""Account numbers: every spelling of an account to one key, and what only fills its place."""

import re

import polars as pl

from data_contracts.forms.text import half_width, repair_untidy, says_nothing

__all__ = [
    "account_number",
    "is_placeholder",
    "is_placeholder_account",
    "other_account",
    "tidy_account",
]

#: What says that a movement has no other party, where a movement may have none.
_NO_PARTY = ("-", "--", "---", "—", "——", "/", "无", "空")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_QUOTED = re.compile(r"""^[='"`]+|['"`]+$""")
#: Nought, one digit over and over, and words: nobody's account.
_PLACEHOLDER = (
    "^(?:" + "|".join(("0+", "[A-Z]+", *(rf"{digit}{{4,}}" for digit in "123456789"))) + ")$"
)
_MAYBE_PLACEHOLDER = rf"{_PLACEHOLDER}|[^0-9A-Z]"


def account_number(values: pl.Series) -> pl.Series:
    """Digits and capital letters without separators; a placeholder stays, and a rule rejects it."""
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
    return re.search(_PLACEHOLDER, account) is not None or says_nothing(account)


def tidy_account(written: str) -> str:
    """The key of one account in half-width letters."""
    bare = _QUOTED.sub("", _INVISIBLE.sub("", written).strip())
    if says_nothing(bare):
        return bare.upper()
    return re.sub(r"[\s\-‐-―]", "", re.sub(r"\.0+$", "", bare)).upper()
