"""Windows as slices and sums as differences, against one loop a question."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.kernel.timeline import Timeline, to_milliseconds
from tests.naive import timeline as naive

START = datetime(2026, 7, 1, tzinfo=UTC)
MOMENT = pl.Datetime("us", "UTC")

minutes = st.integers(0, 40)
microseconds = st.sampled_from((0, 0, 1, 999, 1000))
events = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.builds(
            lambda m, us: START + timedelta(minutes=m, microseconds=us), minutes, microseconds
        ),
        st.integers(-10_000, 10_000).map(lambda hundredths: hundredths / 100),
    ),
    max_size=30,
)
points = st.lists(
    st.tuples(st.integers(0, 3), minutes.map(lambda m: START + timedelta(minutes=m))),
    min_size=1,
    max_size=8,
)
windows = st.sampled_from([timedelta(minutes=m) for m in (0, 1, 10, 100)])


def build_timeline(found: list[naive.Event]) -> Timeline:
    frame = pl.LazyFrame(
        found, schema={"owner": pl.UInt32, "known_at": MOMENT, "value": pl.Float64}, orient="row"
    )
    return Timeline.of(frame, sums={"value": pl.col("value"), "n": pl.lit(1)})


def encode_points(wanted: list[tuple[int, datetime]]) -> tuple[np.ndarray, np.ndarray]:
    owner = np.array([owner for owner, _ in wanted], dtype=np.int64)
    return owner, to_milliseconds(pl.Series([at for _, at in wanted], dtype=MOMENT))


@settings(max_examples=200, deadline=None)
@given(found=events, wanted=points, window=windows)
def test_windows_equal_the_naive_ones(found: list, wanted: list, window: timedelta) -> None:
    timeline, (owner, at_ms) = build_timeline(found), encode_points(wanted)
    slices = timeline.slices(owner, at_ms, window)
    expected = [naive.within(found, who, at, window) for who, at in wanted]

    assert timeline.sums("n", slices).tolist() == [len(rows) for rows in expected]
    assert timeline.sums("value", slices).tolist() == pytest.approx(
        [sum(row[2] for row in rows) for rows in expected]
    )
    ages = timeline.age_days(owner, at_ms, window)
    for age, (who, at) in zip(ages, wanted, strict=True):
        assert pytest.approx(naive.age_days(found, who, at, window), abs=2e-8) == (
            None if np.isnan(age) else age
        )


@settings(max_examples=100, deadline=None)
@given(found=events, wanted=points, window=windows)
def test_rows_of_slices_equal_the_naive_ones(found: list, wanted: list, window: timedelta) -> None:
    timeline, (owner, at_ms) = build_timeline(found), encode_points(wanted)
    slices = timeline.slices(owner, at_ms, window)
    rows, last = timeline.rows(slices), timeline.last(["known_at", "value"], slices)

    for point, (who, at) in enumerate(wanted):
        expected = naive.within(found, who, at, window)
        assert rows.filter(point=point).select("owner", "known_at", "value").rows() == expected
        assert last.row(point) == ((expected[-1][1], expected[-1][2]) if expected else (None, None))
    assert len(rows) == sum(len(naive.within(found, who, at, window)) for who, at in wanted)


def test_a_window_holds_its_first_moment_and_not_its_last() -> None:
    timeline = build_timeline(
        [(0, START, 1.0), (0, START + timedelta(minutes=10), 2.0), (1, START, 4.0)]
    )
    owner, at_ms = encode_points(
        [(0, START + timedelta(minutes=10)), (0, START + timedelta(minutes=11)), (9, START)]
    )

    assert timeline.sums(
        "value", timeline.slices(owner, at_ms, timedelta(minutes=10))
    ).tolist() == [1.0, 2.0, 0.0]


def test_money_adds_up_to_the_cent_whatever_lies_before() -> None:
    """Running totals of floats would leave dust: 1e12 + 0.1 - 1e12 is not 0.1."""
    timeline = build_timeline([(0, START, 1e12), (1, START, 0.1), (1, START, 0.2)])
    owner, at_ms = encode_points([(1, START + timedelta(minutes=1))])

    assert timeline.sums("value", timeline.slices(owner, at_ms, timedelta(hours=1))).tolist() == [
        0.3
    ]


def test_an_event_in_the_very_millisecond_before_is_known() -> None:
    timeline = build_timeline([(0, START - timedelta(microseconds=1), 1.0), (0, START, 2.0)])
    owner, at_ms = encode_points([(0, START)])

    assert timeline.sums("value", timeline.slices(owner, at_ms, timedelta(hours=1))).tolist() == [
        1.0
    ]
