"""A store whose writer dies at any moment; the next run finds it as it was and goes on."""

from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.storage.event_store.parts import frame_files, manifest
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.event_store.verification import describe_contents
from tests.features.districts import NOON, ago, call, credit, district, transfer
from tests.pipelines.storage.event_store.lakes import SmallLake, lake_rows


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it, nothing is tidied up after it."""


DAYS = (3, 2, 1)
TABLES = district(
    calls=[
        call(peer, ago(days=day, hours=hour), number=number, duration_s=700)
        for day in DAYS
        for hour, (peer, number) in enumerate((("x1", "n1"), ("x2", "n2"), ("x1", "n3")))
    ],
    transfers=[
        row
        for day in DAYS
        for row in (
            transfer("b1", ago(days=day, hours=-1), "300.00"),
            credit("b1", ago(days=day, hours=-2), "320.00"),
        )
    ],
)


def of_day(dataset: str, day: int) -> pl.DataFrame:
    known_at = pl.col("known_at")
    end = NOON - timedelta(days=day - 0.5)
    return lake_rows(TABLES, dataset).filter(known_at >= end - timedelta(days=1), known_at < end)


@pytest.fixture
def small(tmp_path) -> SmallLake:
    found = SmallLake(tmp_path / "lake")
    found.replace_registers(TABLES)
    return found


def load_day(small: SmallLake, day: int) -> None:
    for dataset in ("calls", "transfers"):
        small.append(dataset, of_day(dataset, day))


def test_killed_before_any_write_the_next_run_is_right(small, tmp_path, monkeypatch):
    """Every file and the manifest itself is a moment to die at; a day is added after another."""
    expected = EventStore(tmp_path / "whole", small.lake)
    for day in DAYS:
        load_day(small, day)
    expected.bring_forward()
    contents = describe_contents(expected.folder)
    assert contents["rows"].sum() > 30

    store = EventStore(tmp_path / "store", small.lake)
    deaths = 0
    while not completed(store, monkeypatch, deadly_write=deaths + 1):
        before = Manifest.read(store.folder)
        assert before == Manifest()
        deaths += 1
    assert deaths > 15
    assert_frame_equal(describe_contents(store.folder), contents)
    assert {path.name for path in store.folder.glob("*.arrow")} == Manifest.read(
        store.folder
    ).files()


def completed(store: EventStore, monkeypatch, *, deadly_write: int) -> bool:
    """Bring the store forward, dying at the write of that number; whether it came to the end."""
    written = []

    def counted(original):
        def write(*args, **options):
            written.append(1)
            if len(written) == deadly_write:
                raise Killed
            return original(*args, **options)

        return write

    with monkeypatch.context() as patched:
        patched.setattr(frame_files, "flush_to_disk", counted(frame_files.flush_to_disk))
        patched.setattr(manifest, "write_durably", counted(manifest.write_durably))
        try:
            store.bring_forward()
        except Killed:
            return False
    return True


def test_killed_while_a_day_is_added_the_days_before_it_stay(small, tmp_path, monkeypatch):
    store = EventStore(tmp_path / "store", small.lake)
    load_day(small, 3)
    store.bring_forward()
    first = describe_contents(store.folder)
    load_day(small, 2)
    for deadly_write in (1, 4, 9):
        assert not completed(store, monkeypatch, deadly_write=deadly_write)
        assert_frame_equal(describe_contents(store.folder), first)
    store.bring_forward()
    assert store.verify().is_empty()
    assert describe_contents(store.folder)["rows"].sum() > first["rows"].sum()
