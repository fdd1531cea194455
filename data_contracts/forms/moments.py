"""Days and moments, in Asia/Shanghai. A year has four digits, and a compact form its full width:
what could be read in two ways is unreadable.
"""

from datetime import datetime, timedelta

import polars as pl

from data_contracts.contract import TIME_ZONE
from data_contracts.forms.text import Form, half_width

__all__ = ["MOMENT", "day", "moment"]

MOMENT = pl.Datetime("us", TIME_ZONE)

_USUAL = "%Y-%m-%d %H:%M:%S"
_USUAL_WIDTH = len("2026-06-15 09:30:15")
_USUAL_DAY_WIDTH = len("2026-06-15")
_SHANGHAI = timedelta(hours=8)
#: Since then Shanghai has kept no summer time.
_LAST_CHANGE_YEAR = 1991

_DAYS = (
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})",
    r"(?P<year>\d{4})\.(?P<month>\d{1,2})\.(?P<day>\d{1,2})",
    r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
)
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d{1,9})?)?"
_CLOCK_WORDS = r"(?P<hour>\d{1,2})[时点](?P<minute>\d{1,2})分(?:(?P<second>\d{1,2})秒)?"
# CST is China's time in what is delivered in China.
_ZONE = r"(?:\s?(?P<zone>[Zz]|CST|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?))?"
#: The shapes of a moment. A clock that follows without a gap has all its digits.
_MOMENTS = (
    *(rf"^{one}(?:\s+|T){_CLOCK}{_ZONE}$" for one in _DAYS),
    rf"^{_DAYS[3]}\s*{_CLOCK}$",
    rf"^{_DAYS[3]}\s*{_CLOCK_WORDS}$",
    rf"^{_DAYS[4]}T?(?P<hour>\d{{2}})(?P<minute>\d{{2}})(?P<second>\d{{2}})?{_ZONE}$",
)
_CLOCK_PARTS = ("hour", "minute", "second")
_MICROSECONDS = len(".123456")


def moment(values: pl.Series) -> pl.Series:
    """Timestamps in Asia/Shanghai. Text is ISO 8601 or a usual Chinese form; what has no zone is
    Asia/Shanghai.
    """
    if isinstance(values.dtype, pl.Datetime):
        return _in_zone(values)
    if values.dtype != pl.String:  # a date alone is no moment either
        return pl.Series(values.name, [None], dtype=MOMENT).new_from_index(0, len(values))
    plain = half_width(values)
    # What has this width has every digit; a second of 60 would pass for the next minute.
    usual = (plain.str.len_bytes() == _USUAL_WIDTH) & ~plain.str.ends_with("60") & _is_plain(plain)
    usual_text = plain if usual.all() else plain.set(~usual, None)
    local = usual_text.str.to_datetime(_USUAL, time_unit="us", strict=False, cache=False)
    return _filled(_in_zone(local), plain, _read_moments)


def day(values: pl.Series) -> pl.Series:
    """Dates. A timestamp counts as its day in Asia/Shanghai."""
    if values.dtype == pl.Date:
        return values
    if values.dtype != pl.String:
        return moment(values).dt.date()
    plain = half_width(values)
    usual = (plain.str.len_bytes() == _USUAL_DAY_WIDTH) & _is_plain(plain)
    usual_text = plain if usual.all() else plain.set(~usual, None)
    read = usual_text.str.to_date("%Y-%m-%d", strict=False)
    return _filled(read, plain, _read_days)


def _is_plain(values: pl.Series) -> pl.Series:
    return ~values.str.starts_with("+")


def _in_zone(values: pl.Series) -> pl.Series:
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return values.dt.convert_time_zone(TIME_ZONE).cast(MOMENT)
    local = values.cast(pl.Datetime("us"))
    first = local.min()
    if isinstance(first, datetime) and first.year > _LAST_CHANGE_YEAR:
        return (local - _SHANGHAI).cast(MOMENT)
    # Shanghai kept summer time until 1991: an hour that came twice is the first one, one that never
    # came is unreadable.
    return local.dt.replace_time_zone(TIME_ZONE, ambiguous="earliest", non_existent="null")


def _filled(read: pl.Series, plain: pl.Series, parse: Form) -> pl.Series:
    """Parse the distinct values that have not been read."""
    pending = read.is_null() & plain.is_not_null()
    if not pending.any():
        return read
    rest = plain.filter(pending)
    distinct = rest.unique()
    parsed = rest.replace_strict(distinct, parse(distinct), default=None, return_dtype=read.dtype)
    return read.scatter(pending.arg_true(), parsed)


def _read_moments(values: pl.Series) -> pl.Series:
    read = pl.Series(values.name, [None], dtype=MOMENT).new_from_index(0, len(values))
    for shape in _MOMENTS:
        pending = (read.is_null() & values.str.contains(shape)).arg_true()
        if not pending.is_empty():
            read = read.scatter(pending, _from_shape(values.gather(pending), shape))
    return read


def _from_shape(values: pl.Series, shape: str) -> pl.Series:
    """Moments of one shape; null where there is no such day or hour."""
    parts = values.str.extract_groups(shape).struct.unnest()
    for name in ("hour", "minute", "second", "fraction", "zone"):
        if name not in parts.columns:
            parts = parts.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    two = {name: pl.col(name).fill_null("00").str.zfill(2) for name in _CLOCK_PARTS}
    clock = pl.concat_str(two["hour"], two["minute"], two["second"], separator=":")
    text = pl.concat_str(_date_text(), clock, separator=" ")
    local = parts.select(
        pl.when(two["second"] != "60")
        .then(pl.concat_str(text, pl.col("fraction").fill_null(".0").str.head(_MICROSECONDS)))
        .str.to_datetime(f"{_USUAL}%.f", time_unit="us", strict=False)
    ).to_series()
    zone = parts["zone"]
    offset = (
        zone.str.replace("^[Zz]$", "+00")
        .str.replace("^CST$", "+08")
        .str.replace(":", "")
        .str.pad_end(5, "0")
    )
    sign = offset.str.head(1).replace_strict({"+": 1, "-": -1}, default=None, return_dtype=pl.Int64)
    hours, minutes = (offset.str.slice(at, 2).cast(pl.Int64, strict=False) for at in (1, 3))
    ahead = sign * (hours * 60 + minutes)
    utc = (local - pl.Series(ahead * 60_000_000).cast(pl.Duration("us"))).cast(MOMENT)
    return utc.zip_with(zone.is_not_null(), _in_zone(local))


def _date_text() -> pl.Expr:
    month, day_of_month = (pl.col(name).str.zfill(2) for name in ("month", "day"))
    return pl.concat_str(pl.col("year"), month, day_of_month, separator="-")


def _read_days(values: pl.Series) -> pl.Series:
    read = pl.Series(values.name, [None], dtype=pl.Date).new_from_index(0, len(values))
    for shape in _DAYS:
        parts = values.str.extract_groups(f"^{shape}$").struct.unnest()
        found = parts.select(_date_text().str.to_date("%Y-%m-%d", strict=False)).to_series()
        read = read.zip_with(read.is_not_null(), found)
    return read.zip_with(read.is_not_null(), _read_moments(values).dt.date())
