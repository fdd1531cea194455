"""What a list is made from, where the lake lies in an object store and others compute pieces."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from pipelines.settings import Settings, Storage
from pipelines.settings.sections import Cluster
from pipelines.storage.event_store.loading import load_known_records
from pipelines.storage.event_store.reference import open_reference
from pipelines.storage.event_store.store import EventStore
from tests.features.districts import NOON
from tests.pipelines.storage.event_store.test_store import snapshot
from tests.pipelines.storage.objects.proxy import Rule
from tests.pipelines.storage.objects.stores import DAYS, POINTS, SmallHome

NOBODY = Cluster(scheduler="tcp://127.0.0.1:8786")  # a reference is made, nobody is asked


def settings_of(folder: Path, storage: Storage) -> Settings:
    settings = Settings(home=folder, storage=storage, cluster=NOBODY)
    home = SmallHome(folder, storage).begin()
    for day in DAYS:
        home.load_day(day)
    return settings


@pytest.fixture
def remote(bucket, tmp_path) -> Settings:
    return settings_of(tmp_path / "remote", bucket)


def read(settings: Settings, **options):
    return load_known_records(settings, at=NOON, span=timedelta(days=1), **options)


def test_it_is_the_same_wherever_the_lake_lies(remote, tmp_path):
    here, there = read(settings_of(tmp_path / "local", Storage())), read(remote)
    assert there.data_version == here.data_version
    for name in ("calls", "transfers", "residents", "subscribers", "accounts", "cases"):
        one, other = (getattr(known.tables, name).collect() for known in (here, there))
        assert_frame_equal(one, other, check_row_order=False)
    expected = snapshot(here.event_index, *POINTS)
    assert_frame_equal(snapshot(there.event_index, *POINTS), expected, check_exact=True)
    for known, number in ((here, None), (there, 1)):
        assert known.reference is not None
        assert known.reference.number == number
        found = open_reference(known.reference, cache_folder=tmp_path / "cache")
        assert_frame_equal(snapshot(found, *POINTS), expected, check_exact=True)


def test_workers_are_sent_what_was_published_last(remote, tmp_path):
    """Somebody loads and publishes more just before we open the store."""
    more = SmallHome(remote.home, remote.storage)
    more.small.batch = 100

    def bring_further(text: str) -> None:
        if text == "opening the event store" and more.small.batch == 100:
            calls = more.small.lake.scan("calls").collect().head(1)
            more.small.append("calls", calls.with_columns(record_id=calls["record_id"] + "-new"))
            EventStore.of(remote).bring_forward()

    known = read(remote, progress=bring_further)
    assert known.reference is not None
    assert known.reference.number == 2
    found = open_reference(known.reference, cache_folder=tmp_path / "cache")
    own = snapshot(known.event_index, *POINTS)
    assert_frame_equal(snapshot(found, *POINTS), own, check_exact=True)


def test_a_worker_only_reads(object_server, remote, tmp_path):
    known = read(remote)
    rules = [Rule(method, "", "refused", times=999) for method in ("PUT", "POST", "DELETE")]
    reading = replace(known.reference, storage=object_server.with_faults(remote.storage, *rules))
    found = open_reference(reading, cache_folder=tmp_path / "cache")
    own = snapshot(known.event_index, *POINTS)
    assert_frame_equal(snapshot(found, *POINTS), own, check_exact=True)
    assert {method for method, *_ in object_server.requests()} <= {"GET", "HEAD"}


def test_a_tick_beside_a_long_night_takes_nothing_from_its_workers(remote, tmp_path):
    night = read(remote)
    expected = snapshot(night.event_index, *POINTS)
    tick = SmallHome(remote.home, remote.storage)
    tick.small.batch = 100
    calls = tick.small.lake.scan("calls").collect().head(1)
    tick.small.append("calls", calls.with_columns(record_id=calls["record_id"] + "-new"))
    tick.store.bring_forward()
    found = open_reference(night.reference, cache_folder=tmp_path / "cache")
    assert_frame_equal(snapshot(found, *POINTS), expected, check_exact=True)
    assert tick.numbers() == [1, 2]
