import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.benchmarks.districts.growth import Growth
from tests.benchmarks.figures import Compared, Latency, Measured
from tests.benchmarks.plan import QUICK
from tests.benchmarks.report.charts import draw_charts
from tests.benchmarks.report.machine import Machine, describe_machine
from tests.benchmarks.report.markdown import ratio, render_markdown, seconds
from tests.benchmarks.report.results import Results, render_json

MACHINE = Machine(
    processor="A Processor", cores=2, memory_gb=8.0, system="Linux x86_64", python="3.11.7",
    load=0.2, revision="abc1234", libraries={"polars": "2.1.0"},
)  # fmt: skip
NIGHT = Measured(
    name="night", people=2_000, days=3, rows=2_000, seconds=4.0,
    processor_s=6.5, memory_bytes=300_000_000, own_bytes=200_000_000,
)  # fmt: skip
RESULTS = Results(
    plan=QUICK,
    machine=MACHINE,
    began_at=datetime(2026, 8, 1, 9, 30, tzinfo=UTC),
    took_s=90,
    compared=(
        Compared(
            name="sums", peer="DuckDB", ours_s=0.002, peer_s=0.5, rows=1_000, note="42 sums",
            difference=0.0,
        ),
        Compared(
            name="validation", peer="pandera", ours_s=2.0, peer_s=0.5, rows=1_000, note="15 rules"
        ),
        Compared(
            name="score", peer="mlflow", ours_s=0.2, peer_s=None, rows=1, note="did not run"
        ),
    ),
    measured=(
        NIGHT,
        replace(NIGHT, people=5_000, seconds=9.0),
        replace(
            NIGHT, name="all", people=850_000, rows=0, seconds=None, processor_s=None,
            memory_bytes=None, own_bytes=None, not_run="about 40.0 min expected, 2.0 min left",
        ),
    ),
    growth=(
        Growth(
            name="night", districts=2,
            a_thousand={"seconds": 1.667, "processor_s": 2.5, "megabytes": 0.0},
            exponents={"seconds": 0.885, "processor_s": 0.9, "megabytes": 0.0},
        ),
    ),
    latencies=(
        Latency(
            name="list of alerts", clients=4, requests=200, p50_s=0.02, p99_s=0.0312,
            requests_per_s=55.5, note="JSON",
        ),
    ),
)  # fmt: skip


def test_the_page_has_every_row() -> None:
    page = render_markdown(RESULTS)
    assert "| sums | DuckDB | 2 ms | 500 ms | 250 | 1,000 | 0 | 42 sums |" in page
    assert "| validation | pandera | 2.0 s | 500 ms | 0.25 | 1,000 | – | 15 rules |" in page
    assert "| score | mlflow | 200 ms | – | – | 1 | – | did not run |" in page
    assert (
        "| 2,000 | 3 | night: score everybody | 4.0 s | 6.5 s | 2,000 | 500 | 300 MB (200) |"
        in page
    )
    assert "| 850,000 | 3 | all of them | not run: about 40.0 min expected, 2.0 min left |" in page
    assert "| night: score everybody | 2 | 1.67 s | 2.50 s | 0.0 MB | 0.89 | 0.90 | 0.00 |" in page
    assert "| list of alerts | 4 | 200 | 20 ms | 31 ms | 56 | JSON |" in page
    assert "Quick run of 2026-08-01 09:30 UTC, 1.5 minutes, revision abc1234" in page
    assert "The machine was idle before." in page
    assert "Failed" not in page


def test_the_page_says_what_failed_and_that_the_machine_was_busy() -> None:
    page = render_markdown(
        replace(RESULTS, failures=("load: no answer",), machine=replace(MACHINE, load=4.0))
    )
    assert "**Failed:** load: no answer" in page
    assert "**The machine was busy with other work:** 4.0 programs" in page


def test_json_has_the_ratios() -> None:
    document = json.loads(render_json(RESULTS))
    assert [row["ratio"] for row in document["compared"]] == [250.0, 0.25, None]
    assert document["measured"][0]["rows_per_s"] == 500
    assert document["began_at"] == "2026-08-01T09:30:00+00:00"
    assert document["machine"]["processor"] == "A Processor"


def test_the_pictures_are_those_that_the_page_shows() -> None:
    charts = draw_charts(RESULTS)
    page = render_markdown(RESULTS)
    assert all(svg.startswith("<svg") for svg in charts.values())
    assert sorted(charts) == sorted(
        word.removeprefix("images/") for word in page.replace(")", "(").split("(")
        if word.startswith("images/")
    )  # fmt: skip
    assert "we are slower" in charts["bench-ratios.svg"]


def test_pictures_of_nothing_can_be_drawn() -> None:
    assert len(draw_charts(replace(RESULTS, compared=(), measured=(), latencies=()))) == 4


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.00042, "0.42 ms"), (0.0312, "31 ms"), (1.04, "1.0 s"), (75.0, "75.0 s")],
)
def test_times_are_told_in_their_unit(value: float | None, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0369, "0.037"), (1.04, "1.0"), (22.8, "23"), (270.6, "271")]
)
def test_ratios_have_two_digits(value: float, text: str) -> None:
    assert ratio(value) == text


def test_this_machine_is_described() -> None:
    machine = describe_machine()
    assert machine.cores >= 1
    assert machine.memory_gb > 0.5
    assert set(machine.libraries) >= {"polars", "duckdb", "pandera"}
