"""Scores kept by this version and by an earlier one, read as one."""

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from models.policy.frames import ScoredRow
from pipelines.storage.score_log import LoggedRun, ScoreLog, ShadowLog
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
    log.write(scores(later, worth_cny={"p1": 40, "p3": 20}), at=later, kind="intraday")
    found = check(ScoredRow, log.read(DAY.date()))
    assert found.select("person", "at", "preventable_loss_cny").rows() == [
        ("p1", DAY, 10.0),
        ("p2", DAY, 90.0),
        ("p1", later, 40.0),
        ("p3", later, 20.0),
    ]
    assert log.read(DAY.replace(day=6).date()).is_empty()


def test_runs_are_listed_in_order_with_their_kinds(tmp_path):
    log = ScoreLog(tmp_path)
    for day, kind in ((7, "nightly"), (7, "intraday"), (6, "warm-up"), (5, "nightly")):
        at = DAY.replace(day=day)
        log.write(scores(at, worth_cny={"p1": 10}), at=at, kind=kind)
    since, until = DAY.replace(day=6).date(), DAY.replace(day=7).date()
    assert log.runs(since=since, until=until) == [
        LoggedRun(DAY.replace(day=6), "warm-up"),
        LoggedRun(DAY.replace(day=7), "intraday"),
        LoggedRun(DAY.replace(day=7), "nightly"),
    ]
    assert log.latest_run(before=DAY.replace(day=7)) == DAY.replace(day=6)
    assert log.latest_run(before=DAY) is None


@pytest.mark.parametrize("is_former", [False, True])
def test_a_shadow_run_is_read_whichever_version_wrote_it(tmp_path, is_former):
    log = ShadowLog(tmp_path, champion="1", challenger="2")
    rows = scores(DAY, worth_cny={"p1": 10})
    path = log.write(rows, at=DAY, kind="nightly")
    if is_former:
        rename_as_before(path)
    (found,) = log.ticks(start=DAY, end=DAY.replace(day=6))
    assert check(ScoredRow, found, more=True).equals(rows)
