"""Where an event stands in the relationship of two parties, against a loop over rows."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.kernel.relationships import (
    Figures,
    last_events,
    new_events,
    with_relationships,
)
from features.kernel.source_tables import dense_codes
from tests.examples import examples
from tests.features.districts import MOMENT, NOON
from tests.naive.relationships import Event, group_by_relationship

SCHEMA = {"owner": pl.String, "peer": pl.String, "known_at": MOMENT, "worth": pl.Float64}
RELATIONSHIP_GAP = timedelta(days=30)

events = st.lists(
    st.tuples(
        st.sampled_from(("p1", "p2")),
        st.sampled_from(("x1", "x2")),
        st.sampled_from([NOON + timedelta(days=d) for d in (0, 1, 15, 29, 30, 31, 59, 61, 92)]),
        st.integers(0, 100_000).map(lambda hundredths: hundredths / 100),
    ),
    max_size=25,
)


def with_running_totals(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    frame = pl.LazyFrame(rows, schema=SCHEMA, orient="row")
    figures = Figures(totals={"so_far": pl.col("worth")})
    return new_events(
        with_relationships(frame, peer="peer", ties=["worth"], figures=figures)
    ).collect()


@examples(150)
@given(rows=events)
def test_threads_equal_the_naive_ones(rows: list[tuple[str, str, datetime, float]]) -> None:
    naive = group_by_relationship(
        Event(*row[:3], row={"worth": row[3]}) for row in sorted(rows, key=lambda row: row[3])
    )
    expected = sorted(
        (
            (
                e.person,
                e.other,
                e.known_at,
                e.row["worth"],
                e.is_first,
                e.started_at,
                len(e.relationship),
            )
            for e in naive
        ),
        key=lambda e: e[:4],
    )
    found = with_running_totals(rows)
    columns = [*SCHEMA, "is_first", "relationship_started_at", "relationship_n"]

    assert sorted(found.select(columns).rows(), key=lambda e: e[:4]) == expected
    sums = {
        (e.person, e.other, e.known_at, len(e.relationship)): sum(
            x.row["worth"] for x in e.relationship
        )
        for e in naive
    }
    for row in found.to_dicts():
        key = (row["owner"], row["peer"], row["known_at"], row["relationship_n"])
        assert abs(row["so_far"] - sums[key]) < 1e-6


@examples(150)
@given(rows=events, cuts=st.lists(st.integers(0, 92), max_size=3))
def test_relationships_carried_forward_equal_those_made_at_once(
    rows: list[tuple[str, str, datetime, float]], cuts: list[int]
) -> None:
    """Days are added one after the other, with no more of the past than the last event of each
    pair.
    """
    figures = Figures(
        totals={"so_far": pl.col("worth")},
        maxima={"most": pl.col("worth")},
        firsts={"first": pl.col("worth")},
    )
    whole = pl.LazyFrame(rows, schema=SCHEMA, orient="row")
    edges = [-1, *sorted(set(cuts)), 999]
    columns = [*SCHEMA, "is_first", *figures.names]
    carried, parts = None, []
    for low, high in pairwise(edges):
        known_at = pl.col("known_at")
        part = whole.filter(
            known_at >= NOON + timedelta(days=low), known_at < NOON + timedelta(days=high)
        )
        related = with_relationships(
            part, peer="peer", ties=["worth"], figures=figures, carried=carried
        ).collect()
        parts.append(new_events(related.lazy()).select(columns))
        last = last_events(related.lazy(), peer="peer", columns=figures.names)
        before = [] if carried is None else [carried.join(last, on=["owner", "peer"], how="anti")]
        carried = pl.concat([*before, last]).collect().lazy()
    at_once = new_events(with_relationships(whole, peer="peer", ties=["worth"], figures=figures))
    order = ["owner", "peer", "known_at", "relationship_n", "worth"]
    assert_frame_equal(
        pl.concat(parts).sort(order).collect(), at_once.select(columns).sort(order).collect()
    )


def test_thirty_days_of_silence_end_a_thread() -> None:
    moments = [
        NOON,
        NOON + RELATIONSHIP_GAP,
        NOON + 2 * RELATIONSHIP_GAP + timedelta(microseconds=1),
    ]
    found = with_running_totals([("p1", "x1", at, 1.0) for at in moments])

    assert found["is_first"].to_list() == [True, False, True]
    assert found["relationship_n"].to_list() == [1, 2, 1]
    assert found["relationship_started_at"].to_list() == [moments[0], moments[0], moments[2]]
    assert found["so_far"].to_list() == [1, 2, 1]


def test_codes_are_dense_and_sorted() -> None:
    values = pl.LazyFrame({"peer": ["x2", None, "x1", "x2"]})

    assert dense_codes(values, column="peer").collect().rows() == [(0, "x1"), (1, "x2")]
