"""Outages to learn from: what they cost, whom they strike, and that nothing else changes."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from features.reputation import HAND_WRITTEN_REPUTATION
from models.learning.outage_augmentation import (
    Outage,
    choose_balanced,
    draw_outages,
    drop_lost_records,
    hit_by_outage,
    snapshot_with_outages,
)
from tests.features.districts import NOON, ago, call, district, moments, transfer

CMCC = Outage("calls", "cmcc", ago(days=4), ago(days=2))
BOC = Outage("transfers", "boc", ago(days=3))
START = ago(days=30)


@pytest.fixture(scope="module")
def tables() -> SourceTables:
    """Every six hours of a month a call to p1, p2 or p3, and each day a payment of p1 and of p2."""
    return district(
        calls=[
            call(f"x{i % 7}", START + i * timedelta(hours=6), number=f"n{1 + i % 3}")
            for i in range(120)
        ],
        transfers=[
            transfer(
                f"b{i % 5}",
                START + i * timedelta(hours=12),
                "100.00",
                account="a1" if i % 2 else "a2",
            )
            for i in range(60)
        ],
    )


@pytest.fixture(scope="module")
def event_index(tables: SourceTables) -> EventIndex:
    return build_event_index(tables)


def asked() -> pl.DataFrame:
    every = [
        (person, START + hour * timedelta(hours=5))
        for hour in range(30, 144)
        for person in ("p1", "p2", "p3")
    ]
    return moments(*every).with_columns(label=(pl.int_range(pl.len()) % 2).cast(pl.Int8))


def test_an_outage_costs_the_records_known_while_it_lasts(tables: SourceTables) -> None:
    left = drop_lost_records(tables, (CMCC, BOC))
    calls, transfers = left.calls.collect(), left.transfers.collect()

    lost = tables.calls.collect().join(calls, on=["number", "known_at"], how="anti")
    assert set(lost["number"]) == {"n1", "n2"}  # n3 is of another operator
    assert lost["known_at"].is_between(ago(days=4), ago(days=2), closed="left").all()
    assert len(lost) == 5  # of eight in these two days
    assert (
        len(tables.transfers.collect()) - len(transfers) == 3
    )  # three days of p2's account, for ever
    assert drop_lost_records(tables, ()).calls.collect().equals(tables.calls.collect())


def test_an_outage_strikes_whom_the_source_serves_while_it_lasts(event_index: EventIndex) -> None:
    times = [ago(days=5), ago(days=4), ago(days=3), ago(days=2), ago(days=1)]
    by_person = {
        person: hit_by_outage(
            event_index, moments(*((person, at) for at in times)), (CMCC, BOC)
        ).tolist()
        for person in ("p1", "p2", "p3")
    }

    assert by_person["p1"] == [
        False,
        False,
        True,
        True,
        True,
    ]  # n1 of cmcc; a9 of boc, from its first moment on
    assert by_person["p2"] == [False, False, True, True, True]
    assert by_person["p3"] == [False] * 5


@given(seed=st.integers(0, 50))
def test_outages_follow_one_another_and_the_last_source_comes_back(
    event_index: EventIndex, seed: int
) -> None:
    found = draw_outages(event_index, start=START, end=NOON, seed=seed)

    assert found == draw_outages(event_index, start=START, end=NOON, seed=seed)
    for dataset, sources in (("calls", {"cmcc", "cucc"}), ("transfers", {"boc", "icbc"})):
        mine = [one for one in found if one.dataset == dataset]
        assert {one.source for one in mine} <= sources
        assert all(START < one.start_at < NOON for one in mine)
        assert sum(one.end_at is None for one in mine) <= 1
        ended = [one for one in mine if one.end_at]
        assert all(
            timedelta(days=1) <= one.end_at - one.start_at <= timedelta(days=7) for one in ended
        )
        assert all(one.end_at < after.start_at for one, after in pairwise(ended))


def test_as_large_a_part_of_each_label_is_taken() -> None:
    labels = np.repeat([0, 1], [8000, 2000]).astype(np.int8)
    hit = np.concatenate(
        [np.arange(8000) % 2 == 0, np.arange(2000) % 10 == 0]
    )  # half of one, a tenth of the other

    taken = choose_balanced(hit, labels, outage_share=0.15, seed=0)
    assert not (taken & ~hit).any()
    assert taken[labels == 1].mean() == 0.1  # all that can be had
    assert taken[labels == 0].mean() == pytest.approx(0.1, abs=0.01)
    assert choose_balanced(hit, labels, outage_share=0.05, seed=0).mean() == pytest.approx(
        0.05, abs=0.006
    )
    assert not choose_balanced(hit & (labels == 0), labels, outage_share=0.15, seed=0).any()


def test_struck_moments_are_seen_without_the_records_and_all_others_as_they_are(
    tables: SourceTables, event_index: EventIndex
) -> None:
    questions = asked()
    rows = snapshot_with_outages(
        event_index,
        tables,
        questions,
        reputation_model=HAND_WRITTEN_REPUTATION,
        at=NOON,
        outage_share=1.0,
        seed=4,
    )
    plain = build_snapshot(event_index, questions)
    outages = draw_outages(event_index, start=START, end=NOON, seed=4)
    reduced = build_event_index(drop_lost_records(tables.known_before(NOON), outages))
    assert reduced.numbers.equals(event_index.numbers)
    assert reduced.accounts.equals(event_index.accounts)
    # What numbers and accounts do to the district is taken as it was.
    profiles = ("contacts_by_number", "payments_by_account", "payments_after_contact")
    reduced = replace(reduced, **{name: getattr(event_index, name) for name in profiles})
    lean = build_snapshot(reduced, questions)

    assert rows.select("person", "at").equals(questions.select("person", "at"))
    changed = (rows["feeds_missing_n"] > 0).to_numpy()
    assert 20 < changed.sum() < 300
    assert_frame_equal(rows.filter(changed), lean.filter(changed))
    calm = ~hit_by_outage(event_index, questions, outages)
    assert_frame_equal(rows.filter(calm), plain.filter(calm))


def test_leading_numbers_keep_their_names(tables: SourceTables, event_index: EventIndex) -> None:
    """Fewer numbers are heard of through an outage, so each has another code there."""
    gone = district(
        calls=[call("aa", START + timedelta(days=12)), *tables.calls.collect().to_dicts()],
        transfers=tables.transfers.collect().to_dicts(),
    )
    full = build_event_index(gone)
    questions = asked().filter(pl.col("at") > ago(days=10))
    rows = snapshot_with_outages(
        full,
        gone,
        questions,
        reputation_model=HAND_WRITTEN_REPUTATION,
        at=NOON,
        outage_share=1.0,
        seed=4,
    )
    plain = build_snapshot(full, questions)

    same = (rows["feeds_missing_n"] == 0) & (
        rows["lead_relationship_n"] == plain["lead_relationship_n"]
    )
    assert rows.schema == plain.schema
    assert rows.filter(same)["lead_peer_code"].equals(
        plain.filter(same)["lead_peer_code"], null_equal=True
    )


def test_no_share_or_no_feeds_means_the_plain_snapshot(
    tables: SourceTables, event_index: EventIndex
) -> None:
    questions = asked()

    rows = snapshot_with_outages(
        event_index,
        tables,
        questions,
        reputation_model=HAND_WRITTEN_REPUTATION,
        at=NOON,
        outage_share=0.0,
        seed=4,
    )
    assert rows.equals(build_snapshot(event_index, questions), null_equal=True)
    silent = district()
    nothing = snapshot_with_outages(
        build_event_index(silent),
        silent,
        questions,
        reputation_model=HAND_WRITTEN_REPUTATION,
        at=NOON,
        outage_share=0.5,
        seed=4,
    )
    assert len(nothing) == len(questions)
