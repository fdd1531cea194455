"""One public verb on one district, for a process of its own: ``python -m`` this module with the
step as JSON; it prints what came of it as JSON.
"""

import json
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Self
from zoneinfo import ZoneInfo

import polars as pl

__all__ = ["DistrictStep", "StepResult", "run_step"]

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = date(2026, 6, 1)
SEED = 11
FIRST_TICK, NEXT_TICK = timedelta(hours=10), timedelta(hours=10, minutes=15)
BUDGET = 20
# When a record is there: a call is written down as it ends.
MINUTE_DATASETS = {
    "calls": pl.col("started_at") + pl.duration(seconds="duration_s"),
    "transfers": pl.col("occurred_at"),
}
BUSY_FROM, BUSY_MINUTES = timedelta(hours=8), 12
BUSY_TIMES, CALLS_A_DAY, MINUTES_A_DAY = 4, 10, 24 * 60  # four times the mean; of one resident


@dataclass(frozen=True, kw_only=True)
class DistrictStep:
    """A verb and the district it works on: ``folder`` holds its landing folder and its home."""

    verb: str
    folder: str
    people: int
    days: int
    intensity: float

    @classmethod
    def read(cls, text: str) -> Self:
        """From JSON."""
        return cls(**json.loads(text))

    def write(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @property
    def landing(self) -> Path:
        """Where the district is delivered."""
        return Path(self.folder) / "landing"

    @property
    def home(self) -> Path:
        """The installation."""
        return Path(self.folder) / "home"

    @property
    def last_day(self) -> datetime:
        """The beginning of the last day, which is loaded by itself."""
        first = datetime(START.year, START.month, START.day, tzinfo=SHANGHAI)
        return first + timedelta(days=self.days - 1)


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """How many ``rows`` the verb worked on, in how many ``seconds``, and what of the processor's
    time it and the processes that it started took; imports are not counted.
    """

    rows: int
    seconds: float
    processor_s: float


def run_step(step: DistrictStep) -> StepResult:
    """Run the verb of the step in this process."""
    work = VERBS[step.verb](step)
    began, used_before_s = perf_counter(), processor_seconds()
    rows = work()
    return StepResult(
        rows=rows,
        seconds=perf_counter() - began,
        processor_s=processor_seconds() - used_before_s,
    )


def processor_seconds() -> float:
    """What this process has taken of the cores' time, and those that it started and that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


Work = Callable[[], int]


def prepare_simulation(step: DistrictStep) -> Work:
    from pipelines.simulate.district import simulate
    from pipelines.simulate.mix.district_mix import Mix

    def work() -> int:
        report = simulate(
            step.landing,
            people=step.people,
            days=step.days + 1,  # the day after the last comes in busy minutes
            seed=SEED,
            start=START,
            mix=Mix(intensity=step.intensity),
        )
        return report.calls + report.transfers

    return work


def prepare_history(step: DistrictStep) -> Work:
    """Everything but the last day."""
    return prepare_ingestion(step, through=step.last_day.date() - timedelta(days=1))


def prepare_day(step: DistrictStep) -> Work:
    """What the last day brings."""
    return prepare_ingestion(step, through=step.last_day.date())


def prepare_ingestion(step: DistrictStep, *, through: date) -> Work:
    from pipelines.ingestion.ingest import ingest

    settings, received_at = load_home(step), step.last_day + timedelta(days=1)

    def work() -> int:
        report = ingest(step.landing, settings=settings, received_at=received_at, through=through)
        return sum(file.accepted for file in report.files)

    return work


def prepare_store(step: DistrictStep) -> Work:
    """Bring the event store forward to what was taken in; the rows are the days written."""
    from pipelines.storage.event_store.store import EventStore

    store = EventStore.of(load_home(step))
    return lambda: store.bring_forward().days


def prepare_busy_minutes(step: DistrictStep) -> Work:
    """The next ``BUSY_MINUTES`` files of the day after the last, each taken in and followed by a
    list; the rows are the people scored. The first time the hours before them are taken in here.
    """
    from pipelines.ingestion.ingest import ingest
    from pipelines.scoring.score import score

    settings = load_home(step)

    def take_in(folder: Path) -> int:
        at = moment_of(folder)
        ingest(folder, settings=settings, received_at=at)
        return score(settings, at=at, kind="intraday").scored

    before, minutes = cut_minutes(step)
    for folder in before:
        take_in(folder)
    return lambda: sum(take_in(folder) for folder in minutes)


def cut_minutes(step: DistrictStep) -> tuple[list[Path], list[Path]]:
    """Landing folders of one busy minute each: as many calls as four mean minutes have, and what
    was paid meanwhile; they are called by the moment at which they are there.

    The first time they begin at eight, with the hours before in a folder of their own; later they
    go on where the last ones ended, with nothing before them.
    """
    day = step.last_day + timedelta(days=1)
    folder = Path(step.folder) / "minutes"
    cut = [moment_of(one) for one in sorted(folder.glob("*"))]
    since = cut[-1] if cut else day + BUSY_FROM
    records = {name: read_day(step, name, day=day) for name in MINUTE_DATASETS}
    later = records["calls"].filter(pl.col("known_at") > since)["known_at"]
    each = CALLS_A_DAY * step.people * BUSY_TIMES // MINUTES_A_DAY
    ends = later.gather(range(each, min(len(later), each * BUSY_MINUTES + 1), each)).to_list()
    starts = [since, *ends]
    before = [] if cut else [write_minute(records, folder, since=day, at=since)]
    return before, [
        write_minute(records, folder, since=start, at=end)
        for start, end in zip(starts, ends, strict=False)
    ]


def moment_of(folder: Path) -> datetime:
    """When the minute of a landing folder is there."""
    return datetime.fromisoformat(folder.name).astimezone(SHANGHAI)


def read_day(step: DistrictStep, dataset: str, *, day: datetime) -> pl.DataFrame:
    """All records of a dataset of one day, with their ``source`` and ``known_at``."""
    files = sorted((step.landing / dataset / f"{day:%Y-%m-%d}").glob("*.parquet"))
    parts = [pl.read_parquet(file).with_columns(source=pl.lit(file.stem)) for file in files]
    return pl.concat(parts).with_columns(known_at=MINUTE_DATASETS[dataset]).sort("known_at")


def write_minute(
    records: Mapping[str, pl.DataFrame], folder: Path, *, since: datetime, at: datetime
) -> Path:
    """The landing folder with what became known after ``since``, up to ``at``."""
    landing = folder / at.isoformat()
    for dataset, rows in records.items():
        known = rows.filter(pl.col("known_at") > since, pl.col("known_at") <= at)
        for (source,), part in known.group_by("source"):
            file = landing / dataset / f"{at:%Y-%m-%d}" / f"{source}.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            part.drop("source", "known_at").write_parquet(file)
    return landing


def prepare_training(step: DistrictStep) -> Work:
    from pipelines.training.train import train

    settings, at = load_home(step), step.last_day - timedelta(days=1)
    return lambda: train(settings, at=at, promote="always", seed=SEED).moments


def prepare_replay(step: DistrictStep) -> Work:
    """The day before the last, quarter of an hour by quarter of an hour, with the champion."""
    from pipelines.backtesting.replay import replay
    from pipelines.storage.installation.models import open_registry

    settings = load_home(step)
    registry = open_registry(settings)
    champion = registry.champion()
    start, end = step.last_day - timedelta(days=1), step.last_day
    # A model that was given comes from other days. Time alone is measured, so it may decide these.
    model = replace(registry.load(champion), trained_at=start) if champion else None

    def work() -> int:
        found = replay(settings, start=start, end=end, every="15m", budget=BUDGET, model=model)
        return found.moments

    return work


def prepare_night(step: DistrictStep) -> Work:
    return prepare_scoring(step, at=step.last_day, kind="nightly")


def prepare_first_tick(step: DistrictStep) -> Work:
    return prepare_scoring(step, at=step.last_day + FIRST_TICK, kind="intraday")


def prepare_tick(step: DistrictStep) -> Work:
    return prepare_scoring(step, at=step.last_day + NEXT_TICK, kind="intraday")


def prepare_scoring(step: DistrictStep, *, at: datetime, kind: str) -> Work:
    from pipelines.scoring.score import score

    settings = load_home(step)
    return lambda: score(settings, at=at, kind=kind).scored


def load_home(step: DistrictStep) -> Any:
    from pipelines.settings import Settings

    return Settings.load(step.home)


VERBS: Mapping[str, Callable[[DistrictStep], Work]] = {
    "simulate": prepare_simulation,
    "ingest_history": prepare_history,
    "store_history": prepare_store,
    "ingest_day": prepare_day,
    "store_day": prepare_store,
    "train": prepare_training,
    "replay_day": prepare_replay,
    "night": prepare_night,
    "first_tick": prepare_first_tick,
    "tick": prepare_tick,
    "busy_minutes": prepare_busy_minutes,
    "next_busy_minutes": prepare_busy_minutes,
}


if __name__ == "__main__":
    print(json.dumps(asdict(run_step(DistrictStep.read(sys.argv[1])))))
