"""Dates, times and durations in a source's own way, brought to the usual one as text.

A way to write a moment is a pattern of ``yyyy`` or ``yy``, ``M``, ``d``, ``H`` or ``h``, ``m``,
``s`` and ``a`` (上午/下午, AM/PM); a doubled letter takes exactly two digits. ``excel`` is the day
number of a spreadsheet.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from data_contracts.forms.text import half_width

__all__ = ["DURATION_WORDS", "is_clock_pattern", "read_durations", "read_moments"]

EXCEL = "excel"
#: Two digits of a year up to this one are of this century.
_LAST_SHORT_YEAR = 69

_TOKENS: Mapping[str, tuple[str, str]] = {
    "yyyy": ("year", r"[0-9]{4}"),
    "yy": ("short_year", r"[0-9]{2}"),
    "MM": ("month", r"[0-9]{2}"),
    "M": ("month", r"[0-9]{1,2}"),
    "dd": ("day", r"[0-9]{2}"),
    "d": ("day", r"[0-9]{1,2}"),
    "HH": ("hour", r"[0-9]{2}"),
    "H": ("hour", r"[0-9]{1,2}"),
    "hh": ("hour", r"[0-9]{2}"),
    "h": ("hour", r"[0-9]{1,2}"),
    "mm": ("minute", r"[0-9]{2}"),
    "m": ("minute", r"[0-9]{1,2}"),
    "ss": ("second", r"[0-9]{2}"),
    "s": ("second", r"[0-9]{1,2}"),
    "a": ("half", r"上午|下午|中午|晚上|凌晨|早上|[AaPp]\.?[Mm]\.?"),
}
_TOKEN = re.compile("yyyy|yy|MM?|dd?|HH?|hh?|mm?|ss?|a")
_END_OF_DAY = "23:59:59"
_AFTERNOON = r"^(下午|晚上|[Pp])"
_NOON = "^中午"
_EXCEL_DAYS = (20_000, 80_000)  # from 1954 to 2119
_EPOCH_TO_EXCEL_S = 2_209_161_600  # from 1899-12-30, day 0 of a spreadsheet, to 1970

DURATION_WORDS = ("words", "h:m:s", "m:s", "minutes")
_WORDS = (  # of nine digits at most, since more are no duration
    r"^(?:PT?)?(?:(?P<d>[0-9]{1,9})(?:天|日|[Dd]T?))?"
    r"(?:(?P<h>[0-9]{1,9})(?:小?时|点钟|[Hh](?:ours?)?))?"
    r"(?:(?P<m>[0-9]{1,9})(?:分钟?|[Mm](?:in(?:utes?)?)?))?"
    r"(?:(?P<s>[0-9]{1,9})(?:\.0+)?(?:秒钟?|[Ss](?:ec(?:onds?)?)?)?)?$"
)


@dataclass(frozen=True, slots=True)
class _Clock:
    """One way to write a moment: its regular expression, and what its groups are."""

    expression: str
    names: tuple[str, ...]


@cache
def _clock(pattern: str) -> _Clock | None:
    """The clock of a pattern; None where the pattern does not say a day."""
    expression, names, end = "", [], 0
    for token in _TOKEN.finditer(pattern):
        name, digits = _TOKENS[token.group()]
        expression += _literal(pattern[end : token.start()]) + f"(?P<{name}>{digits})"
        names.append(name)
        end = token.end()
    expression += _literal(pattern[end:])
    year = {"year", "short_year"} & set(names)
    if len(set(names)) < len(names) or len(year) != 1 or not {"month", "day"} <= set(names):
        return None
    times = [name for name in ("hour", "minute", "second") if name in names]
    if times != ["hour", "minute", "second"][: len(times)] or ("half" in names and not times):
        return None
    return _Clock(f"^{expression}$", tuple(names))


def _literal(text: str) -> str:
    return re.sub(r"(?:\\ )+", r"\\s*", re.escape(text))


def is_clock_pattern(pattern: str) -> bool:
    """Whether a mapping may name this way to write a moment."""
    return pattern == EXCEL or _clock(pattern) is not None


def read_moments(
    values: pl.Series, *, patterns: tuple[str, ...], ends_day: bool = False
) -> pl.Series:
    """Bring moments that are written in one of these ways to ``2026-06-15 09:30:00`` (or the date
    alone); what fits none stays as it is.

    With ``ends_day`` a date alone is the end of its day: what happened at an unknown time of a day
    is known for certain only then.
    """
    plain = half_width(values).str.strip_chars()
    read = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    for pattern in patterns:
        found = _from_excel(plain) if pattern == EXCEL else _from_clock(plain, _clock(pattern))
        read = read.zip_with(read.is_not_null(), found)
    if ends_day:
        read = read.str.replace(r"^(\d{4}-\d{2}-\d{2})$", f"${{1}} {_END_OF_DAY}")
    return read.zip_with(read.is_not_null(), values)


def _from_clock(values: pl.Series, clock: _Clock | None) -> pl.Series:
    if clock is None:
        return values.clear(len(values))
    groups = values.str.extract_groups(clock.expression).struct.unnest()
    two = {name: pl.col(name).str.zfill(2) for name in ("month", "day", "minute", "second")}
    short = pl.col("short_year") if "short_year" in clock.names else None
    year = (
        pl.col("year")
        if short is None
        else pl.when(short.cast(pl.Int32) <= _LAST_SHORT_YEAR)
        .then(pl.concat_str(pl.lit("20"), short))
        .otherwise(pl.concat_str(pl.lit("19"), short))
    )
    day = pl.concat_str(year, two["month"], two["day"], separator="-")
    if "hour" not in clock.names:
        return groups.select(day.alias(values.name)).to_series()
    parts = [two[name] if name in clock.names else pl.lit("00") for name in ("minute", "second")]
    moment = pl.concat_str(day, pl.lit(" "), pl.concat_str(_hour(clock), *parts, separator=":"))
    return groups.select(moment.alias(values.name)).to_series()


def _hour(clock: _Clock) -> pl.Expr:
    hour = pl.col("hour").cast(pl.Int32)
    if "half" in clock.names:
        after = pl.col("half").str.contains(_AFTERNOON) & (hour < 12)
        noon = pl.col("half").str.contains(_NOON) & (hour < 3)
        midnight = ~pl.col("half").str.contains(f"{_AFTERNOON}|{_NOON}") & (hour == 12)
        hour = pl.when(after | noon).then(hour + 12).when(midnight).then(0).otherwise(hour)
    return hour.cast(pl.String).str.zfill(2)


def _from_excel(values: pl.Series) -> pl.Series:
    """Day numbers from the end of 1899, to the second."""
    number = values.cast(pl.Float64, strict=False)
    low, high = _EXCEL_DAYS
    number = number.set((number < low) | (number >= high), None)
    seconds = (number * 86_400).round(0).cast(pl.Int64)
    stamps = pl.from_epoch(seconds - _EPOCH_TO_EXCEL_S, time_unit="s")
    return stamps.dt.strftime("%Y-%m-%d %H:%M:%S").alias(values.name)


def read_durations(values: pl.Series, *, ways: tuple[str, ...]) -> pl.Series:
    """Bring durations that are written in one of these ways to seconds; what fits none stays."""
    plain = half_width(values).str.replace_all(r"[ \t\x{a0}\x{3000}]", "")
    read = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    for way in ways:
        read = read.zip_with(read.is_not_null(), _in_seconds(plain, way).alias(values.name))
    return read.zip_with(read.is_not_null(), values)


def _in_seconds(values: pl.Series, way: str) -> pl.Series:
    if way == "minutes":
        number = values.str.extract(r"^([0-9]{1,9}(?:\.[0-9]+)?)$", 1).cast(pl.Float64)
        return (number * 60).round(0).cast(pl.Int64).cast(pl.String)
    expression = {
        "words": _WORDS,
        "h:m:s": r"^(?P<h>[0-9]{1,3}):(?P<m>[0-5]?[0-9]):(?P<s>[0-5]?[0-9])$",
        "m:s": r"^(?P<m>[0-9]{1,4}):(?P<s>[0-5]?[0-9])$",
    }[way]
    units = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    groups = values.str.extract_groups(expression).struct.unnest()
    parts = [
        pl.col(name).cast(pl.Int64) * seconds
        for name, seconds in units.items()
        if name in groups.columns
    ]
    says_something = pl.any_horizontal(pl.col(groups.columns).is_not_null())
    return groups.select(
        pl.when(says_something).then(pl.sum_horizontal(parts)).cast(pl.String)
    ).to_series()
