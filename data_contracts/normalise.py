"""What is only untidy, made tidy: one named function per form of value, each from a delivered
column to a clean one.

Every function takes the column as it was read (text from CSV, any type from Parquet) and returns it
in the contract's type. What cannot be understood becomes null where the type has no room for it,
and stays as it is where it is text, so that a rule of the contract can name it. Tidy values are
seen in one pass; only the distinct untidy ones cost more.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import polars as pl

from data_contracts.contract import TIME_ZONE
from data_contracts.identifiers import id_15_to_18

__all__ = ["FORMS", "Form", "parse_choice"]

Form = Callable[[pl.Series], pl.Series]

MOMENT = pl.Datetime("us", TIME_ZONE)
MONEY = pl.Decimal(18, 2)

_NOTHING = ("", "NULL", "null", r"\N", "None")
_NUMBER_SEPARATORS = r"[\s\-‐-―()]"
_LOCAL_TIMES = (
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
_ZONED_TIMES = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%dT%H:%M%#z",
)
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%Y年%m月%d日")


def text(values: pl.Series) -> pl.Series:
    """Trim; what only says that there is nothing becomes null."""
    plain = values.cast(pl.String, strict=False).str.strip_chars()
    return plain.set(plain.is_in(_NOTHING), None)


def half_width(values: pl.Series) -> pl.Series:
    """Trim, and turn full-width letters, digits and signs (``１３８``, ``＋``) into plain ones."""
    plain = text(values)
    return _repair(
        plain,
        plain.str.len_bytes() == plain.str.len_chars(),
        lambda untidy: untidy.str.normalize("NFKC"),
    )


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
    return _repair(
        plain,
        plain.is_in(list(allowed.values())),
        lambda odd: odd.str.to_lowercase().replace_strict(ways, default=odd),
    )


def phone_number(values: pl.Series) -> pl.Series:
    """Digits only: no separators, no home prefix (+86, 0086), other countries' ``+`` as 00,
    landlines with their 0.
    """
    plain = half_width(values)
    length = plain.str.len_bytes()
    tidy = (
        plain.str.contains(r"^\d+$")
        & ~plain.str.starts_with("0086")
        & ~(plain.str.starts_with("861") & (length == 13))
        & ~(plain.str.starts_with("01") & (length == 12))
    )
    return _repair(plain, tidy, _tidy_numbers)


def _tidy_numbers(untidy: pl.Series) -> pl.Series:
    digits = (
        untidy.str.replace(r"\.0+$", "")
        .str.replace_all(_NUMBER_SEPARATORS, "")
        .str.replace(r"^\+(00)?", "00")
    )
    home = digits.str.starts_with("0086")
    number = digits.str.replace(r"^0086", "").str.replace(r"^86(1[3-9]\d{9})$", "${1}")
    # Behind the home prefix a landline comes without its 0; neither mobiles nor service numbers
    # look like this.
    with_zero = number.str.replace(r"^(10\d{8}|(?:[235679]\d|[48][1-9])\d{7,9})$", "0${1}")
    return number.zip_with(~home, with_zero).str.replace(r"^0(1[3-9]\d{9})$", "${1}")


def account_number(values: pl.Series) -> pl.Series:
    """Digits and capital letters without separators."""
    plain = half_width(values)
    return _repair(
        plain,
        plain.str.contains(r"^[0-9A-Z]+$"),
        lambda untidy: (
            untidy.str.replace(r"\.0+$", "").str.replace_all(r"[\s\-]", "").str.to_uppercase()
        ),
    )


def id_number(values: pl.Series) -> pl.Series:
    """Identity numbers of 18 digits; those of 15 digits are brought to 18."""
    plain = half_width(values)
    return _repair(plain, plain.str.contains(r"^\d{17}[0-9X]$"), _tidy_id_numbers)


def _tidy_id_numbers(untidy: pl.Series) -> pl.Series:
    bare = untidy.str.replace_all(r"[\s\-]", "").str.to_uppercase()
    return bare.to_frame("id").select(id_15_to_18(pl.col("id")))["id"]


def phone_numbers(values: pl.Series) -> pl.Series:
    """A list of phone numbers, delivered as one text separated by semicolons."""
    return _each(values, phone_number)


def account_numbers(values: pl.Series) -> pl.Series:
    """A list of account numbers, delivered as one text separated by semicolons."""
    return _each(values, account_number)


def _each(values: pl.Series, form: Form) -> pl.Series:
    """Split into items and normalise each; where nothing is delivered the list is empty."""
    if not isinstance(values.dtype, pl.List):
        values = text(values).str.replace_all(r"[；,，、]", ";").str.split(";")
    rows = values.cast(pl.List(pl.String)).alias("items").to_frame().with_row_index()
    items = rows.explode("items", empty_as_null=True)
    clean = items.with_columns(form(items["items"])).drop_nulls("items")
    lists = clean.group_by("index", maintain_order=True).agg("items")
    joined = rows.select("index").join(lists, on="index", how="left", maintain_order="left")
    return joined.select(pl.col("items").fill_null(pl.lit([], dtype=pl.List(pl.String))))["items"]


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
        _LOCAL_TIMES,
        lambda rest, form: _in_zone(rest.str.to_datetime(form, time_unit="us", strict=False)),
        MOMENT,
    )
    zoned = _first_parsed(
        plain.set(local.is_not_null(), None),
        _ZONED_TIMES,
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
        plain, _DAYS, lambda rest, form: rest.str.to_date(form, strict=False), pl.Date()
    )
    return dates.zip_with(
        dates.is_not_null(), moment(plain.set(dates.is_not_null(), None)).dt.date()
    )


def money(values: pl.Series) -> pl.Series:
    """Amounts with two decimals; thousands' separators and currency signs come off. NaN and
    infinity are none.
    """
    if values.dtype.is_numeric():
        return values.cast(MONEY, strict=False)
    plain = half_width(values)
    bare = _repair(
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
    bare = _repair(
        plain,
        plain.str.contains(r"^-?\d+$"),
        lambda odd: odd.str.replace_all(r"[\s,]", "").str.replace(r"\.0*$", ""),
    )
    return bare.cast(pl.Int32, strict=False)


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "text": text,
        "code": code,
        "phone_number": phone_number,
        "phone_numbers": phone_numbers,
        "account_number": account_number,
        "account_numbers": account_numbers,
        "id_number": id_number,
        "moment": moment,
        "day": day,
        "money": money,
        "whole_number": whole_number,
    }
)


def _repair(values: pl.Series, tidy: pl.Series, repair: Form) -> pl.Series:
    """Apply ``repair`` to the distinct values that are not ``tidy``; the rest stays as it is."""
    untidy = values.filter(~tidy.fill_null(value=True)).unique()
    return (
        values
        if untidy.is_empty()
        else values.replace_strict(untidy, repair(untidy), default=values)
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
