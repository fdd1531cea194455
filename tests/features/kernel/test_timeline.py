"""Windows as slices and sums as differences, against one loop a question."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.kernel.owner_totals import OwnerTotals
from features.kernel.segment import to_milliseconds
from features.kernel.timeline import Timeline
from tests.examples import examples
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


def known_ms(moments: list[datetime]) -> np.ndarray:
    return to_milliseconds(pl.Series(moments, dtype=MOMENT))


def encode_points(wanted: list[tuple[int, datetime]]) -> tuple[np.ndarray, np.ndarray]:
    owner = np.array([owner for owner, _ in wanted], dtype=np.int64)
    return owner, known_ms([at for _, at in wanted])


def value_sums(
    timeline: Timeline, owner: np.ndarray, at_ms: np.ndarray, window: timedelta
) -> list[float]:
    return timeline.sums(["value"], owner=owner, at_ms=at_ms, window=window)["value"].tolist()


def in_segments(
    found: list[naive.Event], cuts: list[int], totalled: list[bool] | None = None
) -> Timeline:
    """The events in several segments, cut at minutes: as they are when days are added. Of those
    that are ``totalled`` the owners were added up beforehand.
    """
    edges = [START - timedelta(days=1), *(START + timedelta(minutes=cut) for cut in sorted(cuts))]
    parts = [
        build_timeline([event for event in found if low <= event[1] < high])
        for low, high in pairwise([*edges, START + timedelta(days=1)])
    ]
    segments = [segment for part in parts for segment in part.segments]
    flags = [*(totalled or []), *([False] * len(segments))]
    segments = [
        replace(
            segment,
            by_owner=OwnerTotals(segment.total_by_owner()) if flag else None,
            keeps_totals=False,
        )
        for segment, flag in zip(segments, flags, strict=False)
    ]
    return Timeline(tuple(segments), parts[0].empty, parts[0].added)


@examples(200)
@given(
    found=events,
    wanted=points,
    window=windows,
    cuts=st.lists(minutes, max_size=4),
    totalled=st.lists(st.booleans(), max_size=5),
)
def test_windows_equal_the_naive_ones(
    found: list, wanted: list, window: timedelta, cuts: list[int], totalled: list[bool]
) -> None:
    timeline, (owner, at_ms) = in_segments(found, cuts, totalled), encode_points(wanted)
    expected = [naive.within(found, who, at, window) for who, at in wanted]

    sums = timeline.sums(["n", "value"], owner=owner, at_ms=at_ms, window=window)
    assert sums["n"].tolist() == [len(rows) for rows in expected]
    assert sums["value"].tolist() == pytest.approx(
        [sum(row[2] for row in rows) for rows in expected]
    )
    ages = timeline.age_days(owner=owner, at_ms=at_ms, horizon=window)
    for age, (who, at) in zip(ages, wanted, strict=True):
        assert pytest.approx(naive.age_days(found, who, at, window), abs=2e-8) == (
            None if np.isnan(age) else age
        )


@examples(100)
@given(found=events, wanted=points, window=windows, cuts=st.lists(minutes, max_size=4))
def test_rows_of_windows_equal_the_naive_ones(
    found: list, wanted: list, window: timedelta, cuts: list[int]
) -> None:
    timeline, (owner, at_ms) = in_segments(found, cuts), encode_points(wanted)
    rows = timeline.rows(owner=owner, at_ms=at_ms, window=window)
    latest = timeline.latest_ms(owner=owner, at_ms=at_ms, window=window)

    for point, (who, at) in enumerate(wanted):
        expected = naive.within(found, who, at, window)
        assert rows.filter(point=point).select("owner", "known_at", "value").rows() == expected
        assert latest[point] == (known_ms([expected[-1][1]])[0] if expected else -1)
    assert len(rows) == sum(len(naive.within(found, who, at, window)) for who, at in wanted)


@given(
    found=events,
    span=st.tuples(minutes, minutes),
    cuts=st.lists(minutes, max_size=4),
    owners=st.none() | st.lists(st.integers(0, 3), max_size=3),
)
def test_what_was_known_between_two_moments_equals_the_naive(
    found: list, span: tuple[int, int], cuts: list[int], owners: list[int] | None
) -> None:
    timeline = in_segments(found, cuts)
    start, end = (START + timedelta(minutes=minute) for minute in span)
    known = [event for event in found if start <= event[1] < end]
    theirs = [event for event in known if owners is None or event[0] in owners]
    codes = None if owners is None else np.array(owners, dtype=np.int64)

    rows = timeline.known_between(start, end, owner=codes, where=pl.col("value") > 0)
    assert sorted(rows.rows()) == sorted(event for event in theirs if event[2] > 0)
    assert timeline.owners_between(start, end).to_list() == sorted({event[0] for event in known})
    assert timeline.count_before(end) == sum(event[1] < end for event in found)
    mine = [event for event in found if owners is None or event[0] in owners]
    if codes is not None:
        assert [row[:2] for row in timeline.of_owners(codes).rows()] == sorted(
            event[:2] for event in mine
        )


def test_a_window_holds_its_first_moment_and_not_its_last() -> None:
    timeline = build_timeline(
        [(0, START, 1.0), (0, START + timedelta(minutes=10), 2.0), (1, START, 4.0)]
    )
    owner, at_ms = encode_points(
        [(0, START + timedelta(minutes=10)), (0, START + timedelta(minutes=11)), (9, START)]
    )

    assert value_sums(timeline, owner, at_ms, timedelta(minutes=10)) == [1.0, 2.0, 0.0]


def test_money_adds_up_to_the_cent_whatever_lies_before() -> None:
    """Running totals of floats would leave dust: 1e12 + 0.1 - 1e12 is not 0.1."""
    timeline = build_timeline([(0, START, 1e12), (1, START, 0.1), (1, START, 0.2)])
    owner, at_ms = encode_points([(1, START + timedelta(minutes=1))])

    assert value_sums(timeline, owner, at_ms, timedelta(hours=1)) == [0.3]


def test_an_event_in_the_very_millisecond_before_is_known() -> None:
    timeline = build_timeline([(0, START - timedelta(microseconds=1), 1.0), (0, START, 2.0)])
    owner, at_ms = encode_points([(0, START)])

    assert value_sums(timeline, owner, at_ms, timedelta(hours=1)) == [1.0]
