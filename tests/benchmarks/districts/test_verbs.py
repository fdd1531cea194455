from dataclasses import replace
from datetime import date

import polars as pl

from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from tests.benchmarks.districts.growth import DAILY_VERBS, LEARNING_VERBS
from tests.benchmarks.districts.verbs import VERBS, DistrictStep, cut_minutes, moment_of, run_step


def test_the_last_day_is_loaded_by_itself(tmp_path) -> None:
    step = DistrictStep(verb="simulate", folder=str(tmp_path), people=100, days=2, intensity=1)
    simulated = run_step(step)
    history = run_step(replace(step, verb="ingest_history"))
    lake = Lake(Settings.load(step.home).lake_folder)
    assert lake.days("calls") == [date(2026, 6, 1)]
    day = run_step(replace(step, verb="ingest_day"))
    assert [one for one in lake.days("calls") if one <= date(2026, 6, 2)] == [
        date(2026, 6, 1), date(2026, 6, 2),
    ]  # fmt: skip
    assert simulated.rows > history.rows / 2 > day.rows / 2 > 100
    assert min(one.seconds for one in (simulated, history, day)) > 0
    assert min(one.processor_s for one in (simulated, history, day)) > 0


def test_a_step_is_the_same_in_the_other_process() -> None:
    step = DistrictStep(verb="night", folder="/d", people=100, days=3, intensity=1.5)
    assert DistrictStep.read(step.write()) == step
    assert f"{step.last_day:%Y-%m-%d %H:%M %z}" == "2026-06-03 00:00 +0800"


def test_every_verb_of_a_district_is_known() -> None:
    assert set(LEARNING_VERBS) == set(VERBS)
    assert set(DAILY_VERBS) < set(VERBS)


def test_busy_minutes_go_on_where_the_last_ones_ended(tmp_path) -> None:
    step = DistrictStep(verb="simulate", folder=str(tmp_path), people=400, days=1, intensity=1)
    run_step(step)
    before, first = cut_minutes(step)
    (after, following) = cut_minutes(step)
    assert [one.name for one in before] == ["2026-06-02T08:00:00+08:00"]
    assert (len(first), after, len(following)) == (12, [], 12)
    moments = [moment_of(one) for one in (*first, *following)]
    assert moments == sorted(set(moments))
    calls = [pl.concat(map(pl.read_parquet, one.rglob("calls/*/*"))) for one in first]
    # 400 residents with ten calls a day each have 11 in four mean minutes; those of one second stay
    # together.
    assert {len(one) for one in calls} <= {10, 11, 12}
    ended = pl.col("started_at") + pl.duration(seconds="duration_s")
    last, first_after = calls[0].select(ended.max()).item(), calls[1].select(ended.min()).item()
    assert first_after > moments[0] == last
