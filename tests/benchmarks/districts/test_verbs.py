from dataclasses import replace
from datetime import date

from pipelines.settings import Settings
from pipelines.storage.lake import Lake
from tests.benchmarks.districts.growth import DAILY_VERBS, LEARNING_VERBS
from tests.benchmarks.districts.verbs import VERBS, DistrictStep, run_step


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
