"""What was scored when: the memory of the alert policy, a file a run, and beside it what a
challenger made of it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import polars as pl

from pipelines.clock import SHANGHAI
from pipelines.storage.durable_files import write_durably

__all__ = ["ScoreLog", "ShadowLog"]

FILE_TIME = "%Y-%m-%dT%H%M%S"
READABLE = 0o644  # a score names a pseudonym only
FORMER_COLUMNS = {"stake_cny": "preventable_loss_cny"}  # as earlier versions wrote them


class ScoreLog:
    """Scores of every run below ``folder``: ``2026-07-05/2026-07-05T000000-nightly.parquet``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, rows: pl.DataFrame, *, at: datetime, kind: str) -> Path:
        """Keep a run's scores; the same run again replaces its file."""
        path = self._folder / f"{at:%Y-%m-%d}" / f"{at:{FILE_TIME}}-{kind}.parquet"
        return write_whole_parquet(
            rows.select("person", "at", "score", "preventable_loss_cny", "baseline_score"), path
        )

    def latest_run(self, *, before: datetime) -> datetime | None:
        """The moment of the last run before ``before``; None if there was none."""
        run_times = [
            run_time for run_time in self._run_times() if run_time < before.replace(tzinfo=None)
        ]
        return max(run_times).replace(tzinfo=before.tzinfo) if run_times else None

    def best_by_day(
        self, priority: pl.Expr, *, before: datetime, days: int, most: int
    ) -> list[Sequence[float]]:
        """For each of the last ``days`` days before that of ``before``: the best ``priority`` of
        each person, best first.

        ``priority`` is an expression over ``score`` and ``preventable_loss_cny``.
        """
        found: list[Sequence[float]] = []
        for back in range(days, 0, -1):
            folder = self._folder / f"{before - timedelta(days=back):%Y-%m-%d}"
            if not folder.is_dir():
                continue
            best = (
                pl.concat(scan_scores(path) for path in sorted(folder.glob("*.parquet")))
                .group_by("person")
                .agg(priority=priority.max())
            )
            found.append(
                best.sort("priority", descending=True).head(most).collect()["priority"].to_list()
            )
        return found

    def _run_times(self) -> list[datetime]:
        return [parse_run_time(path) for path in self._folder.glob("*/*.parquet")]


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
    return datetime.strptime(path.stem.rpartition("-")[0], FILE_TIME)  # noqa: DTZ007
