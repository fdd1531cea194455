import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.mappings.clock_words import (
    is_clock_pattern,
    read_durations,
    read_moments,
)


@pytest.mark.parametrize(
    ("pattern", "written", "read"),
    [
        ("yy-MM-dd", "26-06-15", "2026-06-15"),
        ("yy.M.d", "15.5.20", "2015-05-20"),
        ("yy/MM/dd", "85/06/15", "1985-06-15"),
        ("yyyyMMdd HHmmss", "20260615 080102", "2026-06-15 08:01:02"),
        ("yyyy/M/d a h:mm", "2026/6/5 下午 3:04", "2026-06-05 15:04:00"),
        ("yyyy/M/d a h:mm:ss", "2026/6/5 上午12:04:09", "2026-06-05 00:04:09"),
        ("M/d/yyyy h:mm a", "6/15/2026 12:30 PM", "2026-06-15 12:30:00"),
        ("excel", "46188.5", "2026-06-15 12:00:00"),
        ("excel", "46188", "2026-06-15 00:00:00"),
    ],
)
def test_a_moment_in_the_sources_own_way(pattern, written, read):
    assert read_moments(pl.Series([written]), patterns=(pattern,)).to_list() == [read]


def test_what_fits_no_pattern_stays_and_the_first_that_fits_counts():
    values = pl.Series(["26-06-15", "2026年6月5日", "soon", None])
    read = read_moments(values, patterns=("yyyy年M月d日", "yy-MM-dd"))
    assert read.to_list() == ["2026-06-15", "2026-06-05", "soon", None]


@pytest.mark.parametrize("pattern", ["HH:mm", "yyyy-MM", "yy", "yyyy-MM-dd mm", "today"])
def test_a_pattern_without_a_day_is_none(pattern):
    assert not is_clock_pattern(pattern)


@pytest.mark.parametrize(
    "written", ["3分25秒", "00:03:25", "3:25", "205秒", "PT3M25S", "205", "205.0", "3分 25秒"]
)
def test_a_duration_in_words(written):
    read = read_durations(pl.Series([written]), ways=("words", "h:m:s", "m:s"))
    assert read.to_list() == ["205"]


def test_longer_durations_and_those_that_are_none():
    values = pl.Series(["1小时2分3秒", "1h", "12分钟", "1:02:03", "3:75", "x", "", None])
    read = read_durations(values, ways=("words", "h:m:s", "m:s"))
    assert read.to_list() == ["3723", "3600", "720", "3723", "3:75", "x", "", None]
    assert read_durations(pl.Series(["3", "2.5"]), ways=("minutes",)).to_list() == ["180", "150"]


def test_full_width_digits_are_digits_and_one_odd_cell_takes_no_other_with_it():
    values = pl.Series(["３分２５秒", "３：２５", "٣分", "99999999999999999999秒", "45秒"])
    read = read_durations(values, ways=("words", "m:s"))
    assert read.to_list() == ["205", "205", "٣分", "99999999999999999999秒", "45"]
    assert read_durations(pl.Series(["１.5", "٣"]), ways=("minutes",)).to_list() == ["90", "٣"]
    moments = pl.Series(["２６－０６－１５　２１：０５", "٢٦-06-15 21:05", "26-06-15 21:05"])
    read = read_moments(moments, patterns=("yy-MM-dd HH:mm",))
    assert read.to_list() == ["2026-06-15 21:05:00", "٢٦-06-15 21:05", "2026-06-15 21:05:00"]


@given(st.integers(0, 86_399))
def test_every_second_of_a_day_is_read_in_every_way(seconds):
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    written = [
        f"{hours}小时{minutes}分{left}秒",
        f"{hours:02}:{minutes:02}:{left:02}",
        f"PT{hours}H{minutes}M{left}S",
        str(seconds),
    ]
    read = read_durations(pl.Series(written), ways=("words", "h:m:s"))
    assert read.to_list() == [str(seconds)] * 4
