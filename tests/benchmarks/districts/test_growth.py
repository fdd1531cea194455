from time import monotonic

import pytest

from tests.benchmarks.districts.growth import (
    Limits,
    lack_of_time,
    measure_district,
    measure_growth,
    summarise_growth,
)
from tests.benchmarks.districts.verbs import DistrictStep
from tests.benchmarks.figures import Measured

GB = 10**9


def step(folder, *, people: int = 100) -> DistrictStep:
    return DistrictStep(verb="", folder=str(folder), people=people, days=2, intensity=1)


def limits(*, memory_bytes: int = 8 * GB, seconds: float = 300) -> Limits:
    return Limits(memory_bytes=memory_bytes, deadline_s=monotonic() + seconds)


def measured(people: int, seconds: float, memory_bytes: int) -> Measured:
    return Measured(
        name="night", people=people, days=3, rows=people, seconds=seconds,
        processor_s=2 * seconds, memory_bytes=memory_bytes, own_bytes=memory_bytes,
    )  # fmt: skip


def test_a_verb_runs_in_a_process_of_its_own(tmp_path) -> None:
    said: list[str] = []
    (simulated,) = measure_district(
        step(tmp_path),
        verbs=("simulate",),
        settings="warm_up_days = 0\n",
        limits=limits(),
        say=said.append,
    )
    assert (simulated.name, simulated.people, simulated.days) == ("simulate", 100, 2)
    assert simulated.rows > 500
    assert simulated.processor_s > 0
    assert simulated.memory_bytes > simulated.own_bytes > 10_000_000
    assert (tmp_path / "home" / "forestall.toml").read_text() == "warm_up_days = 0\n"
    assert len(said) == 1


def test_what_builds_on_a_stopped_verb_is_not_run(tmp_path) -> None:
    simulated, history, store = measure_district(
        step(tmp_path),
        verbs=("simulate", "ingest_history", "store_history"),
        settings="",
        limits=limits(memory_bytes=1_000_000),
        say=lambda _: None,
    )
    assert simulated.not_run == "it needed more than 0.0 GB of memory"
    assert history.not_run == "simulate before it did not come to its end"
    assert store.not_run == "ingest_history before it did not come to its end"
    assert (simulated.seconds, simulated.processor_s) == (None, None)


def test_districts_without_time_are_told_as_not_run(tmp_path) -> None:
    rows = measure_growth(
        (5_000, 2_000),
        folder=tmp_path,
        days=3,
        model_home=tmp_path,
        settings="",
        limits=limits(seconds=-1),
        say=lambda _: None,
    )
    assert [(row.people, row.name, row.not_run) for row in rows] == [
        (2_000, "all", "no time was left"),
        (5_000, "all", "no time was left"),
    ]


def test_a_district_that_would_take_too_long_is_not_begun() -> None:
    assert lack_of_time(600, left_s=90) == "about 10.0 min expected, 1.5 min left"
    assert lack_of_time(90, left_s=90) == ""


def test_growth_is_the_slope_by_people() -> None:
    (found,) = summarise_growth(
        [measured(1_000, 2.0, 10**8), measured(2_000, 4.0, 10**8), measured(4_000, 8.0, 10**8)]
    )
    assert (found.name, found.districts) == ("night", 3)
    assert found.a_thousand == pytest.approx(
        {"seconds": 2.0, "processor_s": 4.0, "megabytes": 0.0}, abs=1e-9
    )
    assert found.exponents == pytest.approx(
        {"seconds": 1.0, "processor_s": 1.0, "megabytes": 0.0}, abs=1e-9
    )


def test_one_district_has_no_slope() -> None:
    assert summarise_growth([measured(1_000, 2.0, 10**8)]) == ()
