"""Stores of some days that are published at a place."""

import pickle
import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl

from pipelines.settings import Storage
from pipelines.storage.event_store.published.publications import Publications
from pipelines.storage.event_store.reference import open_reference
from pipelines.storage.event_store.store import EventStore
from tests.features.districts import NOON, ago, call, case, credit, district, transfer
from tests.pipelines.storage.event_store.lakes import SmallLake, lake_rows
from tests.pipelines.storage.event_store.test_store import PEOPLE, snapshot

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
    cases=[case(ago(hours=2), numbers=["x1"], accounts=["b1"])],
)
POINTS = [(person, NOON) for person in PEOPLE]


def of_day(dataset: str, day: int) -> pl.DataFrame:
    known_at = pl.col("known_at")
    end = NOON - timedelta(days=day - 0.5)
    return lake_rows(TABLES, dataset).filter(known_at >= end - timedelta(days=1), known_at < end)


class SmallHome:
    """A lake and a store below ``folder``, or where ``storage`` says."""

    def __init__(self, folder: Path, storage: Storage | None = None) -> None:
        self.storage = storage or Storage()
        self.small = SmallLake(folder / "lake", self.storage)
        self.store = EventStore(folder / "store", self.small.lake, storage=self.storage)
        self.publications = Publications(self.storage)

    def copied(self, folder: Path, storage: Storage) -> "SmallHome":
        """The same below another folder, with a place to which what was published was copied."""
        shutil.copytree(self.store.folder, folder / "store")
        copy = SmallHome(folder, storage)
        copy.small.batch = self.small.batch
        return copy

    def begin(self) -> "SmallHome":
        self.small.replace_registers(TABLES)
        return self

    def load_day(self, day: int) -> None:
        for dataset in ("calls", "transfers"):
            self.small.append(dataset, of_day(dataset, day))

    def add_day(self, day: int) -> None:
        self.load_day(day)
        self.store.bring_forward()

    def numbers(self) -> list[int]:
        return [one.number for one in self.publications.entries()]

    def features(self) -> pl.DataFrame:
        return snapshot(self.store.open(at=NOON), *POINTS)

    def pickled(self) -> bytes:
        return pickle.dumps(self.store.reference(at=NOON))


def features_of(pickled: bytes, cache_folder: Path) -> pl.DataFrame:
    """What another machine computes."""
    index = open_reference(pickle.loads(pickled), cache_folder=cache_folder)
    return snapshot(index, *POINTS)
