from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.forms.moments import day, moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
HALF_PAST_NINE = datetime(2026, 8, 1, 9, 30, 15, tzinfo=SHANGHAI)


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


@pytest.mark.parametrize(
    "delivered",
    [
        "2026-08-01 09:30:15",
        "2026-08-01T09:30:15",
        "2026/08/01 09:30:15",
        "2026/8/1 9:30:15",
        "20260801093015",
        "2026年8月1日 09:30:15",
        "2026年08月01日09时30分15秒",
        "2026-08-01T09:30:15+08:00",
        "2026-08-01T09:30:15+0800",
        "2026-08-01T01:30:15Z",
        "2026-08-01 01:30:15+00:00",
        "2026-08-01T01:30:15.000000Z",
        "２０２６-０８-０１ 09：30：15",
        "２０２６－０８－０１　０９：３０：１５",
        "2026-08-01  09:30:15",
        "20260801 09:30:15",
        "2026.8.1 9:30:15",
        "20260801T093015Z"[:15],
        "20260801T013015Z",
        "2026-08-01 09:30:15 +08:00",
        "2026-08-01 09:30:15 CST",
        "2026-08-01T01:30:15+00",
        "2026年8月1日9时30分15秒",
    ],
)
def test_moments_as_text(delivered):
    assert one(moment, delivered) == HALF_PAST_NINE


def test_moments_without_seconds_and_with_fractions():
    assert one(moment, "2026/08/01 09:30") == HALF_PAST_NINE.replace(second=0)
    assert one(moment, "2026-08-01 09:30:15.25") == HALF_PAST_NINE.replace(microsecond=250_000)


def test_a_compact_moment_has_its_full_width():
    assert one(moment, "202608010930") == HALF_PAST_NINE.replace(second=0)
    assert one(moment, "2026080109301") is None
    assert one(moment, "20260801093") is None


@pytest.mark.parametrize(
    "delivered",
    [
        "yesterday", "2026-13-01 09:30:15", "2026-02-30 09:30:15", "2026-08-01", "25:00",
        "26-08-01 09:30:15", "0026-08-01 9:5", "15.5.20 10:00", "2026-08-01 24:00:00",
        "2026-08-01 23:59:60", "2026-08-01 09:30:60", "2026-08-01 9:5", "2026-08-01 9:5:3",
        "2026-08-01 09:30:15 PM", "2026/8/1 下午 9:05:00",
        "15/06/2026 21:05:00", "06/15/2026 21:05:00", "2026-06/15 21:05:00", "46188.8785",
        "1781528700", "1781528700000", "2026-08-01 09:30:15:123", "+026-08-01 09:30:15",
        "2026-08-01 -9:30:15", "02026-8-01 09:30:15",
    ],
)  # fmt: skip
def test_text_that_is_no_moment(delivered):
    assert one(moment, delivered) is None


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (pl.Datetime("us", "Asia/Shanghai"), HALF_PAST_NINE),
        (pl.Datetime("ms", "UTC"), HALF_PAST_NINE.astimezone(UTC)),
        (pl.Datetime("ns"), HALF_PAST_NINE.replace(tzinfo=None)),
    ],
)
def test_moments_from_parquet_with_and_without_zone(dtype, value):
    clean = moment(pl.Series([value], dtype=dtype))

    assert clean.dtype == pl.Datetime("us", "Asia/Shanghai")
    assert clean.to_list() == [HALF_PAST_NINE]


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 # the zone is drawn beside it
            st.integers(-12 * 4, 14 * 4).map(
                lambda quarters: timezone(timedelta(minutes=15 * quarters))
            ),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_iso_timestamp_with_a_zone_is_read_as_its_moment(drawn):
    moments = [moment.replace(microsecond=0, tzinfo=zone) for moment, zone in drawn]

    clean = moment(pl.Series([moment.isoformat() for moment in moments]))

    assert clean.to_list() == [moment.astimezone(SHANGHAI) for moment in moments]


@pytest.mark.parametrize(
    "delivered",
    ["2026-08-01", "2026/8/1", "20260801", "2026.08.01", "2026年8月1日", "2026-08-01 23:59:59"],
)
def test_days(delivered):
    assert one(day, delivered) == date(2026, 8, 1)


@pytest.mark.parametrize(
    "delivered",
    [
        "26-08-01",
        "15.5.20",
        "2026-8",
        "202608",
        "2026080",
        "260801",
        "+026-08-01",
        "0026年8月",
        "46188",
    ],
)
def test_text_that_is_no_day(delivered):
    assert one(day, delivered) is None


def test_one_moment_among_others_is_read_as_alone():
    delivered = ["2026-08-01 09:30:15", "1985-06-01 12:00:00", "1986-07-01 12:00:00", "x", None]
    alone = [one(moment, value, pl.String) for value in delivered]
    assert moment(pl.Series(delivered)).to_list() == alone
    assert [value.utcoffset() for value in alone[:3]] == [timedelta(hours=h) for h in (8, 8, 9)]


def test_a_day_from_a_utc_timestamp_is_the_day_in_shanghai():
    assert one(day, datetime(2026, 7, 31, 18, tzinfo=UTC)) == date(2026, 8, 1)
    assert one(day, "31/07/2026") is None


def test_an_offset_that_no_place_on_earth_has_is_unreadable():
    offsets = ["+25:00", "+08:99", "+15", "-05:00"]
    assert [one(moment, f"2026-08-01 09:30:15{offset}") for offset in offsets] == [
        None,
        None,
        None,
        datetime(2026, 8, 1, 14, 30, 15, tzinfo=UTC),
    ]
