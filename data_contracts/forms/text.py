"""Text as people and programs write it: trimmed, half-width, null where it says nothing; and codes
out of a set.
"""

from collections.abc import Callable, Mapping

import polars as pl

__all__ = ["Form", "code", "half_width", "parse_choice", "repair_untidy", "says_nothing", "text"]

Form = Callable[[pl.Series], pl.Series]

NOTHING = ("", "NULL", "null", r"\N", "None")
#: Marks without width that come along when text is copied.
_UNSEEN = r"[\x{ad}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}\x{feff}]"
_NO_DIGITS = r"[\p{No}\p{Nl}]"
#: What people write, and programs fill in, where a list or an account is not known.
_NOTHING_WORDS = frozenset(
    (
        *(
            "无",
            "没有",
            "暂无",
            "空",
            "未填",
            "未提供",
            "无法提供",
            "不详",
            "不明",
            "未知",
            "不清楚",
        ),
        *("不知道", "none", "null", "nil", "nan", "n/a", "na", "unknown", "undefined"),
    )
)


def text(values: pl.Series) -> pl.Series:
    """Trim; what only says that there is nothing becomes null."""
    plain = values.cast(pl.String, strict=False).str.strip_chars()
    return plain.set(plain.is_in(NOTHING), None)


def says_nothing(written: str) -> bool:
    """Whether half-width text only says that there is nothing, as nought does, or that nobody
    knows.
    """
    bare = written.strip(" \t\n\r-_/\\.,;:、。*?()").lower()
    return not bare.strip("0") or bare in _NOTHING_WORDS


def half_width(values: pl.Series) -> pl.Series:
    """Trim, and turn full-width letters, digits and signs (``１３８``, ``＋``) into plain ones.

    Where a raised or circled number stands (``100²``), nothing is turned: it is no digit.
    """
    plain = text(values)
    tidy = plain.str.len_bytes() == plain.str.len_chars()
    return repair_untidy(plain, tidy, _as_half_width)


def _as_half_width(untidy: pl.Series) -> pl.Series:
    plain = text(untidy.str.normalize("NFKC").str.replace_all(_UNSEEN, ""))
    return untidy.zip_with(untidy.str.contains(_NO_DIGITS), plain)


def code(values: pl.Series) -> pl.Series:
    """Record numbers and short codes: half-width text."""
    return half_width(values)


def parse_choice(values: pl.Series, *, allowed: Mapping[str, str]) -> pl.Series:
    """Bring a column of codes to the contract's values; ``allowed`` maps each way to write a value
    to that value.

    Case does not matter. What is not in ``allowed`` stays as it is.
    """
    plain = half_width(values)
    ways = {way.lower(): value for way, value in allowed.items()}
    return repair_untidy(
        plain,
        plain.is_in(list(allowed.values())),
        lambda odd: odd.str.to_lowercase().replace_strict(ways, default=odd),
    )


def repair_untidy(values: pl.Series, tidy: pl.Series, repair: Form) -> pl.Series:
    """Apply ``repair`` to the distinct values that are not ``tidy``; the rest stays as it is."""
    untidy = values.filter(~tidy.fill_null(value=True)).unique()
    return (
        values
        if untidy.is_empty()
        else values.replace_strict(untidy, repair(untidy), default=values)
    )
