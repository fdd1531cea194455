"""A flipped bit of the lake stops what would be published of it, and whole files are read for that
once.
"""

import os
from datetime import timedelta

import pytest

from data_contracts.errors import LakeError
from pipelines.settings import Settings
from pipelines.storage.checked_files import CHECKED_FILES
from pipelines.storage.event_store.loading import load_known_records
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.places.local import LocalPlace
from tests.features.districts import NOON, ago, call, case, district, transfer
from tests.pipelines.storage.event_store.lakes import SmallLake, lake_rows

TABLES = district(
    calls=[call("x1", ago(days=3)), call("x1", ago(hours=3), number="n2")],
    transfers=[transfer("b1", ago(hours=1), "300.00")],
    cases=[case(ago(hours=2), numbers=["x1"], accounts=["b1"])],
)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def small(settings) -> SmallLake:
    found = SmallLake(settings.lake_folder)
    found.replace_registers(TABLES)
    for dataset in ("calls", "transfers"):
        found.append(dataset, lake_rows(TABLES, dataset))
    return found


@pytest.fixture
def digested(monkeypatch) -> list[str]:
    """The files of which a digest was taken."""
    taken, original = [], LocalPlace.file_digest

    def file_digest(place, name, file):
        taken.append(f"{name}/{file}")
        return original(place, name, file)

    monkeypatch.setattr(LocalPlace, "file_digest", file_digest)
    return taken


def read(settings):
    return load_known_records(settings, at=NOON, span=timedelta(days=1))


def flip_a_bit(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("dataset", ["calls", "transfers", "residents", "cases"])
def test_one_flipped_bit_stops_what_would_be_read(small, settings, dataset):
    read(settings)
    place = max((settings.lake_folder / dataset).rglob("*.parquet"), key=os.path.getmtime)
    flip_a_bit(place)
    with pytest.raises(LakeError, match="1 data file of the lake is not what was written") as error:
        read(settings)
    assert place.name in str(error.value)
    flip_a_bit(place)
    assert read(settings).data_version == small.lake.fixed().version()


def test_a_data_file_that_is_gone_is_named(small, settings):
    (place,) = (settings.lake_folder / "transfers").rglob("*.parquet")
    place.unlink()
    with pytest.raises(LakeError, match=place.name):
        read(settings)


def test_the_store_takes_in_no_damaged_file(small, settings):
    (place,) = (settings.lake_folder / "transfers").rglob("*.parquet")
    flip_a_bit(place)
    with pytest.raises(LakeError, match=place.name):
        EventStore.of(settings).bring_forward()


def test_each_file_is_digested_once_until_it_is_touched(small, settings, digested):
    read(settings)
    assert len(digested) == len(set(digested)) == 8  # three days of events and five registers
    read(settings)
    EventStore.of(settings).bring_forward()
    assert len(digested) == 8
    (place,) = (settings.lake_folder / "transfers").rglob("*.parquet")
    os.utime(place)
    read(settings)
    assert len(digested) == 9
    (settings.store_folder / CHECKED_FILES).unlink()
    read(settings)
    assert len(digested) == 17
