"""Comparing delivered values with the words of a mapping: as text, whatever type either had."""

import re
import unicodedata
from collections.abc import Collection, Mapping

import polars as pl

__all__ = ["as_text", "choose_values", "is_one_of", "matched_words", "plain_value"]

_ANY = "*"


def as_text(values: pl.Series) -> pl.Series:
    """A column as text without blanks around it; what is empty is null."""
    if values.dtype == pl.Boolean:
        values = values.cast(pl.String)
    elif values.dtype.is_nested():
        return values.clear(len(values)).cast(pl.String)
    text = values.cast(pl.String, strict=False).str.strip_chars()
    return text.set(text == "", None)


def plain_value(value: str | None) -> str:
    """A value as it is compared: half-width, without case, 1 for 1.0; nothing is empty."""
    plain = unicodedata.normalize("NFKC", value or "").strip().lower()
    return re.sub(r"^(-?\d+)\.0+$", r"\1", plain)


def choose_values(values: pl.Series, *, choices: Mapping[str, str]) -> pl.Series:
    """Replace what a mapping has a word for; the rest stays. ``*`` stands for any letters, and an
    empty word for an empty cell. What is spelled out comes before what has a ``*``.
    """
    text = as_text(values)
    exact = {plain_value(way): value for way, value in choices.items() if _ANY not in way}
    patterns = [(_expression(way), value) for way, value in choices.items() if _ANY in way]
    chosen = {}
    for delivered in text.unique().drop_nulls():
        plain = plain_value(delivered)
        found = exact.get(plain)
        if found is None:
            found = next((value for rule, value in patterns if rule.fullmatch(plain)), None)
        if found is not None:
            chosen[delivered] = found
    replaced = text.replace(chosen) if chosen else text
    empty = exact.get("")
    return replaced if empty is None else replaced.fill_null(empty)


def matched_words(values: pl.Series, *, words: Collection[str]) -> pl.Series:
    """The word that a value is one of, else null."""
    marked = choose_values(values, choices={word: f"\x00{word}" for word in words})
    return marked.set(
        ~marked.str.starts_with("\x00").fill_null(value=False), None
    ).str.strip_prefix("\x00")


def is_one_of(values: pl.Series, *, words: Collection[str]) -> pl.Series:
    """Whether a value is one of these words."""
    return matched_words(values, words=words).is_not_null()


def _expression(way: str) -> re.Pattern[str]:
    parts = (re.escape(plain_value(part)) for part in way.split(_ANY))
    return re.compile(".*".join(parts), re.DOTALL)
