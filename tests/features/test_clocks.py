"""One person and one moment have one answer: whoever asks, whenever, and whatever came later."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.catalogue.definitions import MassRule
from features.event_index import build_event_index
from features.kernel.source_tables import LOOKBACK, SourceTables
from features.point_in_time import build_snapshot
from tests.examples import examples
from tests.features import generated
from tests.features.districts import NOON, ago, call, case, credit, district, moments, transfer
from tests.features.generated import name_in, side_by_side

PEOPLE = ("p1", "p2", "p3")
CODES = (
    "lead_peer_code",
    "lead_payee_code",
)  # positions in this event index: not part of the answer


# So that numbers for everybody come up where there are three residents, and so that they do not.
residents = st.sampled_from((1, 100))


def snapshot_of(
    tables: SourceTables, *points: tuple[str, datetime], residents: int = 100
) -> pl.DataFrame:
    event_index = build_event_index(tables, mass_rule=MassRule(share=0, residents=residents))
    return build_snapshot(event_index, moments(*points)).drop(CODES)


def later(tables: SourceTables, at: datetime) -> SourceTables:
    """The same with more that becomes known from ``at`` on, some of it about things long past."""
    calls = pl.LazyFrame(
        [
            call("x1", at - timedelta(hours=2), peer_kind="virtual", duration_s=7200, known_at=at),
            call("x9", at - timedelta(days=40), number="n2", known_at=at + timedelta(seconds=1)),
            call("a-new-peer", at - timedelta(minutes=1), known_at=at + timedelta(days=1)),
        ],
        schema=tables.calls.collect_schema(),
    )
    transfers = pl.LazyFrame(
        [
            transfer("b1", at - timedelta(days=20), "9000.00", known_at=at),
            credit(
                "a-new-payer", at - timedelta(hours=1), "0.33", known_at=at + timedelta(hours=3)
            ),
        ],
        schema=tables.transfers.collect_schema(),
    )
    cases = pl.LazyFrame(
        [case(at, numbers=["x1", "x2"], accounts=["b1"])], schema=tables.cases.collect_schema()
    )
    return replace(
        tables,
        calls=pl.concat([calls, tables.calls]),
        transfers=pl.concat([transfers, tables.transfers]),
        cases=pl.concat([cases, tables.cases]),
    )


def needed(tables: SourceTables, at: datetime) -> SourceTables:
    """The same without what becomes known from ``at`` on or was known before the lookback."""
    known = tables.known_before(at)
    recent = pl.col("known_at") >= at - LOOKBACK
    return replace(
        known, calls=known.calls.filter(recent), transfers=known.transfers.filter(recent)
    )


def shuffled(tables: SourceTables, *, seed: int) -> SourceTables:
    """The same with the rows of each table in another order."""
    return SourceTables(
        **{
            name: table.collect().sample(fraction=1, shuffle=True, seed=seed).lazy()
            for name, table in vars(tables).items()
        }
    )


@examples(5)
@given(asked=generated.several(7), residents=residents, seed=st.integers(0, 9))
def test_one_answer_whoever_asks_in_whatever_order_and_whatever_came_later_or_long_before(
    asked: generated.Asked, residents: int, seed: int
) -> None:
    """All is asked of the same districts: to draw and to index them takes as long as to ask."""
    districts, times = zip(*asked, strict=True)
    points = [(name_in(it, person), at) for it, at in enumerate(times) for person in PEOPLE]
    event_index = build_event_index(
        side_by_side(districts), mass_rule=MassRule(share=0, residents=residents)
    )
    among_all = build_snapshot(event_index, moments(*points))
    answer = among_all.drop(CODES)
    for others in (
        [needed(tables, at) for tables, at in asked],
        [later(shuffled(tables, seed=seed), at) for tables, at in asked],
    ):
        found = snapshot_of(side_by_side(others), *points, residents=residents)
        assert_frame_equal(found, answer, check_exact=True)

    alone = pl.concat(build_snapshot(event_index, moments(one)) for one in points[::3])
    hours = [
        (name_in(it, person), at - timedelta(hours=hour))
        for hour in range(-3, 9)
        for it, at in reversed([*enumerate(times)])
        for person in reversed(PEOPLE)
    ]
    among_moments = build_snapshot(event_index, moments(*hours))
    firsts = alone.select("person", "at")
    for many in (among_all, among_moments):
        found = firsts.join(many, on=["person", "at"], maintain_order="left")
        assert_frame_equal(found, alone, check_exact=True)


def test_a_peer_heard_of_within_the_lookback_is_no_stranger() -> None:
    """Forty-six days ago, then 26 days of silence, which is not enough to be a stranger again."""
    tables = district(calls=[call("x1", ago(days=day)) for day in (46, 20, 6)])

    (row,) = snapshot_of(tables, ("p1", NOON)).to_dicts()

    assert (row["stranger_calls_7d"], row["lead_relationship_n"]) == (0, None)


def test_work_in_chunks_gives_the_same(monkeypatch) -> None:
    calls = [
        call(f"x{i % 4}", ago(hours=i), number=f"n{1 + i % 3}", duration_s=60 * i)
        for i in range(1, 40)
    ]
    event_index = build_event_index(
        district(calls=calls, transfers=[transfer("b1", ago(hours=3), "106.00")])
    )
    points = moments(*((person, ago(hours=hour)) for person in PEOPLE for hour in range(5)))
    whole = build_snapshot(event_index, points)

    monkeypatch.setattr("features.point_in_time.CHUNK_SIZE", 4)

    assert_frame_equal(build_snapshot(event_index, points), whole, check_exact=True)
    assert whole.select("person", "at").equals(points)


def test_a_long_call_is_not_known_while_it_lasts() -> None:
    """Two hours from 10:00; a short one from another stranger at 11:30 is known before it."""
    tables = district(
        calls=[
            call("x1", ago(hours=2), duration_s=7200),
            call("x2", ago(minutes=30), duration_s=60),
        ],
    )
    at_noon, after = snapshot_of(
        tables, ("p1", NOON), ("p1", NOON + timedelta(milliseconds=1))
    ).to_dicts()

    assert (
        at_noon["stranger_calls_3d"],
        at_noon["stranger_max_talk_s"],
        at_noon["lead_relationship_talk_s"],
    ) == (
        1,
        60,
        60,
    )
    assert (
        after["stranger_calls_3d"],
        after["stranger_max_talk_s"],
        after["lead_relationship_talk_s"],
    ) == (
        2,
        7200,
        7200,
    )


def test_a_case_names_a_number_only_once_it_is_known() -> None:
    tables = district(calls=[call("x1", ago(hours=2))], cases=[case(ago(hours=1), numbers=["x1"])])
    before, after = snapshot_of(tables, ("p1", ago(hours=1)), ("p1", NOON)).to_dicts()

    assert (before["lead_named"], before["named_peers_7d"], before["named_talk_s"]) == (False, 0, 0)
    assert (after["lead_named"], after["named_peers_7d"], after["named_talk_s"]) == (True, 1, 60)
