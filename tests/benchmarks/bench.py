"""Speed and memory beside others, and by the size of the district: ``make bench``.

Nothing here decides a test: machines differ. What the two sides of a comparison compute is the
same, and that is checked before a time is believed.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from features.whom_to_ask import query_points_after_events
from tests.benchmarks.comparisons.explanations import compare_explanations
from tests.benchmarks.comparisons.number_profiles import compare_number_profiles
from tests.benchmarks.comparisons.validation import compare_validations
from tests.benchmarks.comparisons.windowed_sums import compare_windowed_sums
from tests.benchmarks.districts.child_process import available_memory
from tests.benchmarks.districts.growth import (
    LEARNING_VERBS,
    Growth,
    Limits,
    measure_district,
    measure_growth,
    summarise_growth,
)
from tests.benchmarks.districts.scored_rows import ScoredHome, load_scored_home
from tests.benchmarks.districts.verbs import DistrictStep
from tests.benchmarks.figures import Compared, Latency, Measured
from tests.benchmarks.plan import FULL, QUICK, SETTINGS, Plan
from tests.benchmarks.report.charts import draw_charts
from tests.benchmarks.report.machine import describe_machine
from tests.benchmarks.report.markdown import render_markdown
from tests.benchmarks.report.results import Results, render_json
from tests.benchmarks.services.api_load import measure_api_load
from tests.benchmarks.services.on_demand import compare_on_demand

__all__ = ["run_benchmark", "write_report"]

DOCS = Path(__file__).parents[2] / "docs"
MEMORY_SHARE = 0.85  # of what is free, so that the machine does not begin to swap or to kill

Say = Callable[[str], None]
command = typer.Typer()


@dataclass
class Findings:
    """What a run has found so far."""

    compared: list[Compared] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run_benchmark(plan: Plan, *, folder: Path, memory_bytes: int, say: Say) -> Results:
    """Everything of ``plan``, worked on in ``folder``.

    A part that fails is among the failures of the results, and the others run all the same.
    """
    machine, began_at, began = describe_machine(), datetime.now(UTC), monotonic()
    limits = Limits(memory_bytes=memory_bytes, deadline_s=began + plan.minutes * 60)
    found = Findings()
    home = measure_learning_district(plan, folder=folder, limits=limits, found=found, say=say)
    with part(found, "scored rows", say=say):
        scored = load_scored_home(home)
        compare_libraries(plan, scored, home.parent / "landing", found=found, say=say)
        measure_servers(plan, home, scored, found=found, say=say)
        del scored  # its memory is for the districts to come
    limits = replace(limits, memory_bytes=min(memory_bytes, usable_memory()))
    with part(found, "growth", say=say):
        grown = measure_growth(
            plan.sizes,
            folder=folder,
            days=plan.growth_days,
            model_home=home,
            settings=SETTINGS,
            limits=limits,
            say=say,
        )
        found.measured += grown
        found.growth += summarise_growth(grown)
    return Results(
        plan=plan,
        machine=machine,
        began_at=began_at,
        took_s=monotonic() - began,
        compared=tuple(found.compared),
        measured=tuple(found.measured),
        growth=tuple(found.growth),
        latencies=tuple(found.latencies),
        failures=tuple(found.failures),
    )


def measure_learning_district(
    plan: Plan, *, folder: Path, limits: Limits, found: Findings, say: Say
) -> Path:
    """The district that learns its own model, through all verbs; return its home."""
    step = DistrictStep(
        verb="",
        folder=str(folder / "learning"),
        people=plan.people,
        days=plan.days,
        intensity=plan.intensity,
    )
    with part(found, "district", say=say):
        found.measured += measure_district(
            step, verbs=LEARNING_VERBS, settings=plan.settings, limits=limits, say=say
        )
    return step.home


@contextmanager
def part(found: Findings, name: str, *, say: Say) -> Iterator[None]:
    """Note a failure of the block as one of this part, and go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- the figures of an hour are not lost for one part
        found.failures.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split())}")
        say(found.failures[-1])


def compare_libraries(
    plan: Plan, scored: ScoredHome, landing: Path, *, found: Findings, say: Say
) -> None:
    """Features, validation and explanations beside other libraries."""
    start = scored.at - timedelta(hours=plan.moment_hours)
    moments = query_points_after_events(scored.event_index, start=start, end=scored.at, every="15m")
    parts: dict[str, Callable[[], tuple[Compared, ...]]] = {
        "windowed sums": lambda: compare_windowed_sums(
            scored.tables, moments=moments, at=scored.at, runs=plan.runs
        ),
        "number profiles": lambda: compare_number_profiles(
            scored.tables, most=plan.profiles, runs=plan.runs
        ),
        "validation": lambda: compare_validations(
            landing,
            rows=plan.batch_rows,
            received_at=scored.at + timedelta(days=1),
            runs=plan.runs,
        ),
        "explanations": lambda: compare_explanations(
            scored.model, scored.rows.head(plan.explained), runs=plan.runs
        ),
    }
    for name, compare in parts.items():
        with part(found, name, say=say):
            rows = compare()
            found.compared += rows
            for row in rows:
                say(f"{row.name}, beside {row.peer}: {row.ratio:.2f} times")


def measure_servers(
    plan: Plan, home: Path, scored: ScoredHome, *, found: Findings, say: Say
) -> None:
    """The API under load, and a score on demand beside MLflow's server."""
    with part(found, "score on demand", say=say):
        latencies, row = compare_on_demand(
            home, scored.model, scored.rows, requests=plan.scored_on_demand
        )
        found.compared.append(row)
        found.latencies += latencies
    with part(found, "load", say=say):
        found.latencies += measure_api_load(home, clients=plan.clients, requests=plan.listed)
    for latency in found.latencies:
        say(
            f"{latency.name}, {latency.clients} at once: {latency.requests_per_s:.1f} requests/s, "
            f"p99 {latency.p99_s * 1000:.0f} ms"
        )


def usable_memory() -> int:
    """Bytes that a verb may take now."""
    return int(available_memory() * MEMORY_SHARE)


def write_report(results: Results, *, folder: Path) -> None:
    """``bench.md``, ``bench.json`` and the pictures in ``images``."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "bench.md").write_text(render_markdown(results), encoding="utf-8")
    (folder / "bench.json").write_text(render_json(results), encoding="utf-8")
    for name, svg in draw_charts(results).items():
        (folder / "images" / name).write_text(svg + "\n", encoding="utf-8")


@command.command()
def main(
    quick: Annotated[bool, typer.Option(help="Small districts, at most five minutes.")] = False,
    sizes: Annotated[
        str, typer.Option(help="People of the districts whose growth is measured, with commas.")
    ] = "",
    minutes: Annotated[float, typer.Option(help="What is not reached by then is not run.")] = 0,
    memory_gb: Annotated[float, typer.Option(help="A verb that needs more is stopped.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the report is written.")] = DOCS,
) -> None:
    """Measure speed and memory; write bench.md, bench.json and pictures."""
    plan = QUICK if quick else FULL
    if sizes:
        plan = replace(plan, sizes=tuple(int(size) for size in sizes.split(",")))
    if minutes:
        plan = replace(plan, minutes=minutes)
    memory = int(memory_gb * 1e9) or usable_memory()
    began = monotonic()

    def say(line: str) -> None:
        typer.echo(f"{monotonic() - began:6.0f} s  {line}")

    with tempfile.TemporaryDirectory() as folder:
        results = run_benchmark(plan, folder=Path(folder), memory_bytes=memory, say=say)
    write_report(results, folder=out)
    say(f"written to {out / 'bench.md'}")
    if results.failures:
        raise typer.Exit(1)


if __name__ == "__main__":
    command()
