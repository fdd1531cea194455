"""What was scored when: the memory of the alert policy, a file a run."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

__all__ = ["ScoreLog"]

STAMP = "%Y-%m-%dT%H%M%S"


class ScoreLog:
    """Scores of every run below ``folder``: ``2026-07-05/2026-07-05T000000-nightly.parquet``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, rows: pl.DataFrame, *, at: datetime, kind: str) -> Path:
        """Keep a run's scores; the same run again replaces its file."""
        place = self._folder / f"{at:%Y-%m-%d}" / f"{at:{STAMP}}-{kind}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_suffix(".half")
        rows.select("person", "at", "score", "baseline_score").write_parquet(half)
        os.replace(half, place)  # noqa: PTH105 -- atomic on one file system, whatever stood there
        return place

    def latest(self, *, before: datetime) -> datetime | None:
        """The moment of the last run before ``before``; None if there was none."""
        stamps = [stamp for stamp in self._stamps() if stamp < before.replace(tzinfo=None)]
        return max(stamps).replace(tzinfo=before.tzinfo) if stamps else None

    def best(self, *, before: datetime, days: int, most: int) -> list[Sequence[float]]:
        """For each of the last ``days`` days before that of ``before``: the best score of each person, best first."""
        found: list[Sequence[float]] = []
        for back in range(days, 0, -1):
            folder = self._folder / f"{before - timedelta(days=back):%Y-%m-%d}"
            if not folder.is_dir():
                continue
            best = pl.scan_parquet(folder / "*.parquet").group_by("person").agg(pl.col("score").max())
            found.append(best.sort("score", descending=True).head(most).collect()["score"].to_list())
        return found

    def _stamps(self) -> list[datetime]:
        names = (path.stem.rpartition("-")[0] for path in self._folder.glob("*/*.parquet"))
        return [datetime.strptime(name, STAMP) for name in names]  # noqa: DTZ007 -- wall time of the file's name
