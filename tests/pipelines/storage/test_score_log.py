"""Scores kept by this version and by an earlier one, read as one."""

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from models.policy.frames import ScoredRow
from pipelines.storage.score_log import ScoreLog, ShadowLog
from tests.frames import check

DAY = datetime(2026, 7, 5, tzinfo=ZoneInfo("Asia/Shanghai"))


def scores(at: datetime, *, worth_cny: dict[str, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "person": list(worth_cny),
            "at": [at] * len(worth_cny),
            "score": [0.5] * len(worth_cny),
            "preventable_loss_cny": [float(cny) for cny in worth_cny.values()],
            "baseline_score": [0.0] * len(worth_cny),
        }
    )


def rename_as_before(path):
    pl.read_parquet(path).rename({"preventable_loss_cny": "stake_cny"}).write_parquet(path)


def test_a_day_is_read_from_files_of_both_versions(tmp_path):
    log = ScoreLog(tmp_path)
    rename_as_before(log.write(scores(DAY, worth_cny={"p1": 10, "p2": 90}), at=DAY, kind="nightly"))
    later = DAY.replace(hour=8)
    log.write(scores(later, worth_cny={"p1": 40, "p3": 20}), at=later, kind="tick")
    priority = pl.col("score") * pl.col("preventable_loss_cny")
    found = log.best_by_day(priority, before=DAY.replace(day=6), days=2, most=2)
    assert found == [[45.0, 20.0]]


@pytest.mark.parametrize("is_former", [False, True])
def test_a_shadow_run_is_read_whichever_version_wrote_it(tmp_path, is_former):
    log = ShadowLog(tmp_path, champion="1", challenger="2")
    rows = scores(DAY, worth_cny={"p1": 10})
    path = log.write(rows, at=DAY, kind="nightly")
    if is_former:
        rename_as_before(path)
    (found,) = log.ticks(start=DAY, end=DAY.replace(day=6))
    assert check(ScoredRow, found, more=True).equals(rows)
