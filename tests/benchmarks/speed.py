"""Speed beside a baseline, in one run: ``make bench``.

Every figure stands beside a plain way of doing the same on the same data in the same process.
Nothing here decides a test: machines differ.
"""

import statistics
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import polars as pl

from features.event_index import EventIndex, build_event_index
from features.point_in_time import build_snapshot
from models.labels.sampling import query_points_after_events, query_points_for_everyone
from pipelines.ingestion.ingest import ingest
from pipelines.settings import Settings
from pipelines.simulate import simulate
from pipelines.storage.as_of import source_tables_before

SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE, DAYS = 3000, 40
HOURS = (1, 6, 24, 72, 168)
RUNS = 5


def main() -> None:
    """Print one line a figure."""
    with tempfile.TemporaryDirectory() as folder:
        landing, home = Path(folder) / "landing", Path(folder) / "home"
        report = simulate(landing, people=PEOPLE, days=DAYS, seed=1)
        rows = report.calls + report.transfers
        settings = Settings.load(home)
        began = perf_counter()
        ingest(landing, settings=settings, received_at=datetime.now(SHANGHAI))
        took = perf_counter() - began
        files = sorted((landing / "calls").glob("*/*.parquet")) + sorted(
            (landing / "transfers").glob("*/*.parquet")
        )
        plain = median(lambda: [pl.read_parquet(file) for file in files])
        say(
            "ingest",
            f"{rows / took:,.0f} rows/s, "
            f"{took / plain:.0f} times as long as only reading the files",
        )
        bench_features(settings)


def bench_features(settings: Settings) -> None:
    """Layout, one moment for everyone, and a day of ticks, beside plain group-bys."""
    at = datetime(2026, 7, 10, tzinfo=SHANGHAI)
    tables = source_tables_before(settings, at=at)
    began = perf_counter()
    event_index = build_event_index(tables)
    say(
        "event_index",
        f"laid out in {perf_counter() - began:.2f} s "
        f"({len(event_index.contacts.events):,} contacts)",
    )
    moments = query_points_for_everyone(event_index, at=at)
    ours = median(lambda: build_snapshot(event_index, moments))
    naive = median(lambda: windows_by_group(event_index, at))
    say(
        "snapshot",
        f"{ours * 1e6 / len(moments):.0f} µs a person, all features; "
        f"{naive / ours:.2f} times of it take {len(HOURS) * 4} plain group-by windows alone",
    )
    ticks = query_points_after_events(
        event_index, start=at - timedelta(days=1), end=at, every="15m"
    )
    day = median(lambda: build_snapshot(event_index, ticks), runs=1)
    say(
        "a day of 15-minute ticks",
        f"{len(ticks):,} moments, {day * 1e6 / len(ticks):.0f} µs each, {day:.1f} s",
    )


def windows_by_group(event_index: EventIndex, at: datetime) -> pl.DataFrame:
    """The plain way to four sums over five windows: filter, group and add."""
    known_h = (pl.lit(at) - pl.col("known_at")).dt.total_seconds() / 3600
    counted = {
        "calls": pl.col("is_voice"),
        "in": pl.col("is_in"),
        "talk": pl.col("duration_s"),
        "sms": ~pl.col("is_voice"),
    }
    sums = [
        (value * (known_h <= hours)).sum().alias(f"{name}_{hours}h")
        for name, value in counted.items()
        for hours in HOURS
    ]
    return (
        event_index.contacts.events.lazy()
        .filter(pl.col("known_at") < at)
        .group_by("owner")
        .agg(sums)
        .collect()
    )


def median(work: Callable[[], object], *, runs: int = RUNS) -> float:
    """Median seconds of several runs."""
    taken = []
    for _ in range(runs):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return statistics.median(taken)


def say(name: str, text: str) -> None:
    print(f"{name:26} {text}")


if __name__ == "__main__":
    main()
