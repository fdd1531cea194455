"""What a day, a night and a tick cost follows what is new: counted, not timed."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.kernel import segment
from features.kernel.segment import Segment
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from features.whom_to_ask import query_points_after_events, query_points_for_everyone
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import DAY, TABLES
from tests.features.districts import MOMENT, NOON, district
from tests.pipelines.storage.event_store.lakes import SmallLake

START = NOON.replace(hour=0) - timedelta(days=200)
CALLS_A_DAY = 4  # of each resident


def registers(people: int) -> SourceTables:
    """Residents with a number each."""
    names = [f"{place:04}" for place in range(people)]
    residents = pl.LazyFrame(
        {"person": [f"p{name}" for name in names], "residency": "local", "community_id": "c"}
    ).with_columns(birth_month=pl.date(1980, 7, 1))
    subscribers = pl.LazyFrame(
        {
            "number": [f"n{name}" for name in names],
            "person": [f"p{name}" for name in names],
            "operator": "cmcc",
        }
    ).with_columns(activated_on=pl.date(2020, 7, 1))
    return replace(district(), residents=residents, subscribers=subscribers)


def day_of_calls(day: int, people: int) -> pl.DataFrame:
    """Every resident's calls of a day: with few people one knows, and with a stranger."""
    rng = np.random.default_rng([people, day])
    who = np.repeat(np.arange(people), CALLS_A_DAY)
    known = np.arange(len(who)) % CALLS_A_DAY > 0
    peer = np.where(known, who + rng.integers(1, 6, len(who)), 10_000 + day * people + who)
    started_at = START + timedelta(days=day)
    seconds = rng.integers(0, 80_000, len(who))
    began = pl.Series([started_at], dtype=MOMENT).extend_constant(started_at, len(who) - 1)
    began = began + pl.Series(seconds * 1_000_000).cast(pl.Duration("us"))
    given = pl.DataFrame(
        {
            "record_id": [f"{day}-{place}" for place in range(len(who))],
            "source": "cmcc",
            "number": [f"n{place:04}" for place in who],
            "peer": [f"x{place:06}" for place in peer],
            "peer_kind": "mobile",
            "direction": "in",
            "service": "voice",
            "started_at": began,
            "duration_s": rng.integers(0, 600, len(who)),
            "known_at": began + timedelta(seconds=700),
        }
    ).with_columns(pl.col("started_at").dt.date().alias(DAY))
    return given.select(
        (pl.col(name) if name in given.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in TABLES["calls"].items()
    )


class District:
    """So many people whose days are added one after the other."""

    def __init__(self, folder: Path, people: int) -> None:
        self.people = people
        self.small = SmallLake(folder / "lake")
        self.small.replace_registers(registers(people))
        self.store = EventStore(folder / "store", self.small.lake)
        self.days = 0

    def add_days(self, number: int) -> None:
        for _ in range(number):
            self.small.append("calls", day_of_calls(self.days, self.people))
            self.days += 1

    def midnight(self) -> datetime:
        return START + timedelta(days=self.days, hours=1)


@pytest.fixture
def counted(monkeypatch) -> Counter:
    """What is read: events gathered, positions looked up, data files of the lake opened."""
    counts: Counter = Counter()
    count_before, spread = Segment.count_before, segment.spread_slices
    scan_files = Lake.scan_files

    def looked_up(self, owner, at_ms):
        counts["lookups"] += len(owner)
        return count_before(self, owner, at_ms)

    def gathered(slices):
        places, lengths = spread(slices)
        counts["events"] += len(places)
        return places, lengths

    def scanned(self, dataset, files):
        counts["lake files"] += len(files)
        return scan_files(self, dataset, files)

    monkeypatch.setattr(Segment, "count_before", looked_up)
    monkeypatch.setattr(segment, "spread_slices", gathered)
    monkeypatch.setattr(segment, "FEW_ROWS", 2.0)  # as in a large district: no running totals
    monkeypatch.setattr(Lake, "scan_files", scanned)
    return counts


def cost(counts: Counter, work) -> Counter:
    counts.clear()
    work()
    return Counter(counts)


def night(of: District) -> None:
    event_index = of.store.open(at=of.midnight())
    build_snapshot(event_index, query_points_for_everyone(event_index, at=of.midnight()))


def tick(of: District) -> None:
    """Ten residents, half a day after the night."""
    at = of.midnight() - timedelta(hours=12)
    event_index = of.store.open(at=at)
    touched = query_points_after_events(
        event_index, start=at - timedelta(hours=12), end=at, every="1m"
    )
    assert touched["person"].n_unique() >= of.people / 2
    build_snapshot(event_index, query_points_for_everyone(event_index, at=at).head(10))


def test_twice_the_history_raises_neither_a_day_nor_a_night_nor_a_tick(tmp_path, counted):
    found = District(tmp_path, people=30)
    costs = []
    for _ in range(2):
        found.add_days(31)
        found.store.bring_forward()
        found.add_days(1)
        costs.append(
            (
                cost(counted, found.store.bring_forward),
                cost(counted, lambda: night(found)),
                cost(counted, lambda: tick(found)),
            )
        )
    for before, after in zip(*costs, strict=True):
        for what, number in after.items():
            assert number <= 1.1 * before[what], what


def test_twice_the_people_cost_twice_as_much_at_most(tmp_path, counted):
    costs = []
    for people in (40, 80):
        found = District(tmp_path / str(people), people)
        found.add_days(8)
        found.store.bring_forward()
        found.add_days(1)
        costs.append(
            (cost(counted, found.store.bring_forward), cost(counted, lambda one=found: night(one)))
        )
    for small, large in zip(*costs, strict=True):
        assert small.total() > 0
        for what, number in large.items():
            assert number <= 2.1 * small[what], what
