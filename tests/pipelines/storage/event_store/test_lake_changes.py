"""What changes the past: corrections, registers and tags that come later, late records."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.event_index import build_event_index
from features.kernel.source_tables import SourceTables
from pipelines.storage.event_store.parts.days import day_number
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.event_store.verification import describe_contents
from tests.features.districts import NOON, ago, call, case, credit, district, text, transfer
from tests.pipelines.storage.event_store.lakes import SmallLake, lake_rows
from tests.pipelines.storage.event_store.test_store import PEOPLE, snapshot

CALLS = [
    call("x1", ago(days=20), duration_s=700),
    call("x1", ago(days=5), duration_s=900),
    call("x1", ago(days=3), number="n2"),
    text("x2", ago(days=3, hours=2), number="n3"),
    call("x1", ago(hours=3), duration_s=60),
    call("n2", ago(hours=2), number="n1", direction="out"),
]
TRANSFERS = [
    transfer("b1", ago(days=3), "300.00"),
    credit("b1", ago(days=2), "320.00"),
    transfer("b2", ago(hours=2), "9000.00", account="a2"),
    transfer("a2", ago(hours=1), "50.00"),
]
CASES = [case(ago(hours=1), numbers=["x1"], accounts=["b1"])]


def tables(**changed) -> SourceTables:
    return district(**{"calls": CALLS, "transfers": TRANSFERS, "cases": CASES, **changed})


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> tuple[Path, int]:
    """The folder of a lake and of a store that was brought forward after each day's load, to be
    copied, and the number of the last load.
    """
    folder = tmp_path_factory.mktemp("original")
    small = SmallLake(folder / "lake")
    found = EventStore(folder / "store", small.lake)
    small.replace_registers(tables())
    rows = {dataset: lake_rows(tables(), dataset) for dataset in ("calls", "transfers")}
    days = pl.concat([frame.select(known_on()) for frame in rows.values()]).unique().sort("day")
    for day in days["day"]:
        for dataset, frame in rows.items():
            small.append(dataset, frame.filter(known_on() == day))
        assert found.bring_forward().days == 1
    return folder, small.batch


@pytest.fixture
def small(original, tmp_path) -> SmallLake:
    """A copy of the lake."""
    folder, batch = original
    shutil.copytree(folder / "lake", tmp_path / "lake")
    found = SmallLake(tmp_path / "lake")
    found.batch = batch
    return found


@pytest.fixture
def store(original, small, tmp_path) -> EventStore:
    """A copy of the store."""
    shutil.copytree(original[0] / "store", tmp_path / "store")
    return EventStore(tmp_path / "store", small.lake)


def known_on() -> pl.Expr:
    return pl.col("known_at").dt.date().alias("day")


def assert_as_made_at_once(store: EventStore, given: SourceTables) -> None:
    """The store gives the features of these tables, and holds what one made anew would."""
    points = [(person, NOON) for person in PEOPLE]
    expected = snapshot(build_event_index(given), *points)
    found = snapshot(store.open(at=NOON), *points)
    assert_frame_equal(found, expected, check_dtypes=False, check_exact=True)
    assert store.verify().is_empty()


def test_nothing_new_changes_nothing(store, small):
    files = sorted(store.folder.iterdir())
    assert store.bring_forward().days == 0
    assert sorted(store.folder.iterdir()) == files
    assert_as_made_at_once(store, tables())


def test_records_that_are_gone_are_gone_from_the_store(store, small):
    """A correction takes two rows away and brings another; what comes before its day stays."""
    rows = lake_rows(tables(), "calls")
    gone = rows.filter(pl.col("record_id").is_in(["r2", "r3"]))
    corrected = tables(calls=[*CALLS[:2], *CALLS[4:], call("x3", ago(days=3), number="n2")])
    new = lake_rows(corrected, "calls").filter(pl.col("peer") == "x3")
    small.batch += 1
    small.lake.amend("calls", new, gone=gone, batch=small.batch, at=NOON)

    assert store.bring_forward().anew_from == day_number(ago(days=3).date())
    assert_as_made_at_once(store, corrected)


def test_files_that_are_merged_change_nothing(store, small):
    more = call("x2", ago(minutes=30))
    given = tables(calls=[*CALLS, more])
    small.append("calls", lake_rows(given, "calls").tail(1))
    store.bring_forward()
    before = describe_contents(store.folder)
    assert small.lake.compact("calls")
    assert store.bring_forward().days == 0
    assert_frame_equal(describe_contents(store.folder), before)
    assert_as_made_at_once(store, given)


def test_a_number_that_was_handed_on_takes_its_calls_along(store, small):
    """A register says afterwards that n1 has been p2's for four days."""
    since = ago(days=4).date()
    given = tables(holders=[("n1", "p2", since)])
    small.replace_registers(given)

    assert store.bring_forward().anew_from == day_number(NOON.date())
    assert_as_made_at_once(store, given)


def test_a_new_holder_of_what_nobody_used_costs_nothing(store, small):
    given = tables(holders=[("a9", "p2", date(2026, 7, 15))])
    small.replace_registers(given)
    report = store.bring_forward()
    assert (report.days, report.anew_from) == (0, None)
    assert_as_made_at_once(store, given)


def test_a_number_that_becomes_a_public_service_leaves_no_trace(store, small):
    given = tables(tags=[("x1", "public_service"), ("x2", "courier")])
    small.replace_registers(given)
    assert store.bring_forward().anew_from == day_number(ago(days=20).date())
    assert_as_made_at_once(store, given)


def test_a_call_that_comes_after_a_later_one_of_the_two_counts_where_it_belongs(store, small):
    late = call("x1", ago(days=4), duration_s=800)
    given = tables(calls=[*CALLS, late])
    small.append("calls", lake_rows(given, "calls").tail(1))

    assert store.bring_forward().anew_from == day_number(ago(days=5).date())
    assert_as_made_at_once(store, given)


def test_a_late_call_with_somebody_else_is_only_added(store, small):
    given = tables(calls=[*CALLS, call("x8", ago(days=4), duration_s=800)])
    small.append("calls", lake_rows(given, "calls").tail(1))
    report = store.bring_forward()
    assert (report.days, report.anew_from) == (1, None)
    assert_as_made_at_once(store, given)


def test_the_past_is_as_it_was_known_then(store, small):
    """A store that holds what came later gives what one would have given that never saw it."""
    for at in (ago(days=4), ago(hours=2.5), NOON - timedelta(milliseconds=1)):
        points = [(person, at) for person in PEOPLE]
        then = snapshot(build_event_index(tables().known_before(at)), *points)
        found = snapshot(store.open(at=at), *points)
        assert_frame_equal(found, then, check_dtypes=False, check_exact=True)


def test_a_store_made_anew_holds_the_same(store, small):
    before = describe_contents(store.folder)
    store.rebuild()
    assert_frame_equal(describe_contents(store.folder), before)


def test_what_differs_is_named_by_timeline_and_day(store, tmp_path):
    """A store that lost a day, as by a copy that is not whole."""
    half = EventStore(tmp_path / "half", SmallLake(tmp_path / "other").lake)
    half.bring_forward()
    manifest = "manifest.json"
    (store.folder / manifest).write_bytes((half.folder / manifest).read_bytes())
    found = store.verify()
    assert found["rows"].sum() == 0
    assert found.filter(timeline="contacts")["rows_anew"].sum() == 6
