"""Days and moments, in Asia/Shanghai."""

from collections.abc import Callable

import polars as pl

from data_contracts.contract import TIME_ZONE
from data_contracts.forms.text import half_width

__all__ = ["MOMENT", "day", "moment"]

MOMENT = pl.Datetime("us", TIME_ZONE)
LOCAL_TIMES = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M",
    "%Y%m%d%H%M%S",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日%H时%M分%S秒",
)
ZONED_TIMES = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%dT%H:%M%#z",
)
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%Y年%m月%d日")


def moment(values: pl.Series) -> pl.Series:
    """Timestamps in Asia/Shanghai. Text is ISO 8601 or a usual Chinese form; what has no zone is
    Asia/Shanghai.
    """
    if isinstance(values.dtype, pl.Datetime):
        return _in_zone(values)
    if values.dtype != pl.String:  # a date alone is no moment either
        return pl.Series(values.name, [None], dtype=MOMENT).new_from_index(0, len(values))
    plain = half_width(values)
    local = _first_parsed(
        plain,
        LOCAL_TIMES,
        lambda rest, form: _in_zone(rest.str.to_datetime(form, time_unit="us", strict=False)),
        MOMENT,
    )
    zoned = _first_parsed(
        plain.set(local.is_not_null(), None),
        ZONED_TIMES,
        lambda rest, form: _in_zone(
            rest.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
        ),
        MOMENT,
    )
    return local.zip_with(local.is_not_null(), zoned)


def _in_zone(values: pl.Series) -> pl.Series:
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return values.dt.convert_time_zone(TIME_ZONE).cast(MOMENT)
    # Shanghai kept summer time until 1991: an hour that came twice is the first one, one that never
    # came is unreadable.
    return values.dt.replace_time_zone(TIME_ZONE, ambiguous="earliest", non_existent="null").cast(
        MOMENT
    )


def day(values: pl.Series) -> pl.Series:
    """Dates. A timestamp counts as its day in Asia/Shanghai."""
    if values.dtype == pl.Date:
        return values
    if values.dtype != pl.String:
        return moment(values).dt.date()
    plain = half_width(values)
    dates = _first_parsed(
        plain, DAYS, lambda rest, form: rest.str.to_date(form, strict=False), pl.Date()
    )
    return dates.zip_with(
        dates.is_not_null(), moment(plain.set(dates.is_not_null(), None)).dt.date()
    )


def _first_parsed(
    values: pl.Series,
    formats: tuple[str, ...],
    parse: Callable[[pl.Series, str], pl.Series],
    dtype: pl.DataType,
) -> pl.Series:
    """Parse each value with the first format that fits; a format sees only what the ones before
    could not read.
    """
    parsed = pl.Series(values.name, [None], dtype=dtype).new_from_index(0, len(values))
    for form in formats:
        pending = (parsed.is_null() & values.is_not_null()).arg_true()
        if pending.is_empty():
            break
        parsed = parsed.scatter(pending, parse(values.gather(pending), form))
    return parsed
