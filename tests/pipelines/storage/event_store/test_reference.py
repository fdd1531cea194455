"""A reference opens the same index elsewhere."""

import multiprocessing
import pickle
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import LakeError
from pipelines.storage.event_store.reference import StoreReference, open_reference
from pipelines.storage.event_store.store import EventStore
from tests.features.districts import NOON, ago, call, case, district, transfer
from tests.pipelines.storage.event_store.lakes import SmallLake, lake_rows
from tests.pipelines.storage.event_store.test_store import PEOPLE, snapshot

TABLES = district(
    calls=[
        call("x1", ago(days=3), duration_s=700),
        call("x1", ago(hours=3), number="n2"),
        call("x2", ago(hours=2), number="n3"),
    ],
    transfers=[transfer("b1", ago(hours=1), "300.00")],
    cases=[case(ago(hours=2), numbers=["x1"], accounts=["b1"])],
)
POINTS = [(person, NOON) for person in PEOPLE]


@pytest.fixture
def small(tmp_path) -> SmallLake:
    found = SmallLake(tmp_path / "lake")
    found.replace_registers(TABLES)
    for dataset in ("calls", "transfers"):
        found.append(dataset, lake_rows(TABLES, dataset))
    return found


@pytest.fixture
def store(small, tmp_path) -> EventStore:
    found = EventStore(tmp_path / "store", small.lake)
    found.bring_forward()
    return found


def features_of(pickled: bytes, cache_folder: Path) -> pl.DataFrame:
    index = open_reference(pickle.loads(pickled), cache_folder=cache_folder)
    return snapshot(index, *POINTS)


def test_another_process_opens_the_same_index(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    beside = EventStore(Path("store"), store.lake)
    reference = beside.reference(at=NOON)
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        found = pool.apply(features_of, (pickle.dumps(reference), tmp_path / "cache"))
    assert_frame_equal(found, snapshot(store.open(at=NOON), *POINTS), check_exact=True)
    assert not (tmp_path / "cache").exists()


def test_equal_states_have_equal_references(store):
    one, other = store.reference(at=NOON), store.reference(at=NOON)
    assert isinstance(one, StoreReference)
    assert {one: "first"} | {other: "second"} == {one: "second"}
    assert store.reference(at=NOON + timedelta(seconds=1)) != one


def test_what_was_loaded_since_is_not_seen(store, small, tmp_path):
    """A case and a tag that came later; the store itself is as it was."""
    reference = store.reference(at=NOON)
    before = open_reference(reference, cache_folder=tmp_path / "cache")
    more = district(
        cases=[case(ago(hours=2), numbers=["x1", "x2"], accounts=["b1"])], tags=[("x1", "courier")]
    )
    small.replace_registers(more, ["cases", "number_tags"])
    again = open_reference(reference, cache_folder=tmp_path / "cache")
    assert_frame_equal(again.named_peers, before.named_peers)
    assert_frame_equal(again.numbers, before.numbers)
    today = store.open(at=NOON)
    assert len(today.named_peers) == len(before.named_peers) + 1
    assert today.numbers["tagged"].sum() == 1


def test_a_store_that_was_brought_forward_since_is_refused(store, small, tmp_path):
    reference = store.reference(at=NOON)
    later = district(calls=[call("x5", ago(hours=1))])
    small.append("calls", lake_rows(later, "calls"))
    store.bring_forward()
    with pytest.raises(LakeError, match="brought forward since"):
        open_reference(reference, cache_folder=tmp_path / "cache")


def test_nothing_can_be_referred_to_in_an_empty_store(small, tmp_path):
    with pytest.raises(LakeError, match="is empty"):
        EventStore(tmp_path / "empty", small.lake).reference(at=NOON)
