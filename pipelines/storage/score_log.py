"""What was scored when: the memory of the alert policy, a file a run, and beside it what a
challenger made of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import polars as pl

from models.policy.frames import ScoredRow
from pipelines.clock import SHANGHAI
from pipelines.storage.places.durable_files import write_durably

__all__ = [
    "WARM_UP_KIND",
    "LoggedRun",
    "ScoreLog",
    "ShadowLog",
    "remove_old_scores",
    "remove_scores_of",
]

FILE_TIME = "%Y-%m-%dT%H%M%S"
READABLE = 0o644  # a score names a pseudonym only
FILE_TIME_LENGTH = len("2026-07-05T000000")
WARM_UP_KIND = "warm-up"  # scored so that the policy knows an ordinary day; nothing was published
SCORED_SCHEMA = ScoredRow.polars_schema()
FORMER_COLUMNS = {"stake_cny": "preventable_loss_cny"}  # as earlier versions wrote them


@dataclass(frozen=True, order=True)
class LoggedRun:
    """A run that was logged. Of one moment an intraday run is earlier than a nightly one."""

    at: datetime
    kind: str


class ScoreLog:
    """Scores of every run below ``folder``: ``2026-07-05/2026-07-05T000000-nightly.parquet``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, rows: pl.DataFrame, *, at: datetime, kind: str) -> Path:
        """Keep a run's scores; the same run again replaces its file."""
        path = self._folder / f"{at:%Y-%m-%d}" / f"{at:{FILE_TIME}}-{kind}.parquet"
        return write_whole_parquet(rows.select(SCORED_SCHEMA.names()).cast(SCORED_SCHEMA), path)

    def runs(self, *, since: date, until: date) -> list[LoggedRun]:
        """What was logged on the days from ``since`` to ``until``, in order."""
        return sorted(
            LoggedRun(
                parse_run_time(path).replace(tzinfo=SHANGHAI),
                path.stem[FILE_TIME_LENGTH + 1 :],
            )
            for day in days_between(since, until)
            for path in self._folder.glob(f"{day}/*.parquet")
        )

    def latest_run(self, *, before: datetime) -> datetime | None:
        """The moment of the last run on the day of ``before`` or the day before; None if there was
        none.
        """
        runs = self.runs(since=before.date() - timedelta(days=1), until=before.date())
        return max((run.at for run in runs if run.at < before), default=None)

    def newest_run(self) -> datetime | None:
        """The moment of the last run of all of which something was published; None if there was
        none.
        """
        for day in sorted(self._folder.glob("20*-*-*"), reverse=True):
            runs = [path for path in day.glob("*.parquet") if not path.stem.endswith(WARM_UP_KIND)]
            if runs:
                return max(map(parse_run_time, runs)).replace(tzinfo=SHANGHAI)
        return None

    def read(self, day: date) -> pl.DataFrame:
        """What was scored on a day: ``person``, ``at``, ``score``, ``preventable_loss_cny``."""
        runs = [scan_scores(path) for path in sorted(self._folder.glob(f"{day}/*.parquet"))]
        columns = SCORED_SCHEMA.names()
        scored = [pl.LazyFrame(schema=SCORED_SCHEMA), *(run.select(columns) for run in runs)]
        return (
            pl.concat(scored).unique(["at", "person"], keep="first", maintain_order=True).collect()
        )


class ShadowLog:
    """Scores that a champion and a challenger gave the same people, below ``folder``.

    ``shadow/3-4/2026-07-05T000000-nightly.parquet`` is of champion 3 and challenger 4; so scores of
    different pairs are never mixed up.
    """

    def __init__(self, folder: Path, *, champion: str, challenger: str) -> None:
        self._folder = folder / "shadow" / f"{champion}-{challenger}"

    def write(self, rows: pl.DataFrame, *, at: datetime, kind: str) -> Path:
        """Keep a run's scores; the same run again replaces its file."""
        return write_whole_parquet(rows, self._folder / f"{at:{FILE_TIME}}-{kind}.parquet")

    def first_run(self) -> datetime | None:
        """The first moment that both have scored; None before that."""
        run_times = [parse_run_time(path) for path in self._folder.glob("*.parquet")]
        return min(run_times).replace(tzinfo=SHANGHAI) if run_times else None

    def ticks(self, *, start: datetime, end: datetime) -> Iterator[pl.DataFrame]:
        """What was kept of each run in ``[start, end)``, in order."""
        for path in sorted(self._folder.glob("*.parquet")):
            if start.replace(tzinfo=None) <= parse_run_time(path) < end.replace(tzinfo=None):
                yield scan_scores(path).collect()


def remove_old_scores(folder: Path, *, before: datetime) -> int:
    """Remove the files of all runs of before, those of challengers too; return how many went."""
    old = [
        path for path in _score_files(folder) if parse_run_time(path) < before.replace(tzinfo=None)
    ]
    for path in old:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    return len(old)


def remove_scores_of(folder: Path, *, person: str) -> int:
    """Take all scores of a person out; return how many went."""
    gone = 0
    for path in _score_files(folder):
        rows = pl.read_parquet(path)
        kept = rows.filter(pl.col("person") != person)
        if kept.height < rows.height:
            gone += rows.height - kept.height
            write_whole_parquet(kept, path)
    return gone


def _score_files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("20*/*.parquet"), *folder.glob("shadow/*/*.parquet")])


def scan_scores(path: Path) -> pl.LazyFrame:
    """The scores of one run, the columns under today's names."""
    # One by one: a folder may hold files of this version and of an earlier one.
    return pl.scan_parquet(path).rename(FORMER_COLUMNS, strict=False)


def write_whole_parquet(rows: pl.DataFrame, path: Path) -> Path:
    """Write ``rows`` as a whole, in the place of whatever stood there."""
    content = BytesIO()
    rows.write_parquet(content)
    write_durably(path, content.getvalue(), mode=READABLE)
    return path


def parse_run_time(path: Path) -> datetime:
    """The moment of a run, by the name of its file: wall time in Shanghai."""
    return datetime.strptime(path.stem[:FILE_TIME_LENGTH], FILE_TIME)  # noqa: DTZ007


def days_between(first: date, last: date) -> Iterator[date]:
    """The calendar days from ``first`` to ``last``, both counted."""
    for day in range((last - first).days + 1):
        yield first + timedelta(days=day)
