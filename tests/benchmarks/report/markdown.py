"""The results as a Markdown page."""

from collections.abc import Iterable, Sequence

from tests.benchmarks.districts.growth import Growth
from tests.benchmarks.figures import Compared, Latency, Measured
from tests.benchmarks.report.machine import Machine
from tests.benchmarks.report.results import Results

__all__ = ["VERB_WORDS", "render_markdown"]

VERB_WORDS = {
    "simulate": "simulate all days",
    "ingest_history": "ingest the days before the last",
    "store_history": "bring the event store forward by these days",
    "ingest_day": "ingest the last day",
    "store_day": "bring the event store forward by that day",
    "train": "train",
    "replay_day": "replay a day of quarter hours",
    "night": "night: score everybody",
    "first_tick": "first tick of a day, ten hours of events",
    "tick": "tick, a quarter of an hour of events",
    "busy_minutes": "the morning after until eight, then 12 minutes of four times as many calls as "
    "the mean, each ingested and followed by a list",
    "next_busy_minutes": "the next 12 such minutes",
    "all": "all of them",
}

PAGE = """# Benchmark

Written by `make bench`. [performance.md](performance.md) says what is compared, and how.

{kind} run of {began:%Y-%m-%d %H:%M} UTC, {minutes:.1f} minutes, revision {revision}, on {machine}.
{load}

{failures}## Beside others

Both sides had the same data in the same run, and gave the same values where a difference is shown.
The ratio is the time of the other divided by ours: **below 1 we are slower.**

![How many times as long others take](images/bench-ratios.svg)

{compared}

## Whole districts

Each verb ran in a process of its own; its imports are not counted in the times. Processor time is
what all its processes together took of the cores; it hardly depends on what else the machine does.
Memory is the peak of the resident memory of all its processes together, in brackets what of it was
not the content of files. The first district learns its own model; the others are scored with that
and hold {growth_days} days.

{measured}

## How it grows

![Seconds by the size of the district](images/bench-time.svg)

![Memory by the size of the district](images/bench-memory.svg)

{growth}

## Servers

One process each; the generator of the load runs on the same cores.

![What clients waited](images/bench-latency.svg)

{latencies}

## Versions

{libraries}
"""


def render_markdown(results: Results) -> str:
    """The page; its pictures are those of ``tests.benchmarks.report.charts``."""
    machine = results.machine
    return PAGE.format(
        kind=results.plan.name.capitalize(),
        began=results.began_at,
        machine=name_machine(machine),
        minutes=results.took_s / 60,
        revision=machine.revision,
        load=describe_load(machine),
        failures="".join(f"**Failed:** {one}\n\n" for one in results.failures),
        compared=compared_table(results.compared),
        growth_days=results.plan.growth_days,
        measured=measured_table(results.measured),
        growth=growth_table(results.growth),
        latencies=latency_table(results.latencies),
        libraries=", ".join(f"{name} {number}" for name, number in machine.libraries.items())
        + f"; Python {machine.python}.",
    )


def name_machine(machine: Machine) -> str:
    """The machine in a line."""
    return (
        f"{machine.cores} cores of {machine.processor} with {machine.memory_gb:.0f} GB "
        f"({machine.system})"
    )


def describe_load(machine: Machine) -> str:
    """Whether the machine was free for the run."""
    if machine.load < machine.cores / 2:
        return "The machine was idle before."
    return (
        f"**The machine was busy with other work:** {machine.load:.1f} programs wanted its "
        f"{machine.cores} cores in the quarter of an hour before,\nso times are longer than on an "
        "idle one. Ratios suffer less, as both sides took turns."
    )


def compared_table(rows: Iterable[Compared]) -> str:
    """Ours beside the peers."""
    return table(
        ("what", "beside", "ours", "theirs", "ratio", "rows", "largest difference", "note"),
        (
            (
                row.name,
                row.peer,
                seconds(row.ours_s),
                seconds(row.peer_s),
                ratio(row.ratio),
                f"{row.rows:,}",
                "–" if row.difference is None else f"{row.difference:.2g}",
                row.note,
            )
            for row in rows
        ),
    )


def measured_table(rows: Iterable[Measured]) -> str:
    """The verbs on the districts."""
    return table(
        ("people", "days", "verb", "time", "processor time", "rows", "rows/s", "memory"),
        (
            (
                f"{row.people:,}",
                f"{row.days}",
                VERB_WORDS.get(row.name, row.name),
                seconds(row.seconds) if not row.not_run else f"not run: {row.not_run}",
                seconds(row.processor_s),
                f"{row.rows:,}" if not row.not_run else "–",
                f"{row.rows_per_s:,.0f}" if row.rows_per_s else "–",
                memory(row),
            )
            for row in rows
        ),
    )


def growth_table(rows: Sequence[Growth]) -> str:
    """The slopes."""
    if not rows:
        return "Fewer than two districts were measured."
    headings = ("time", "processor time", "memory")
    return table(
        (
            "verb", "districts",
            *(f"{one} of a thousand people more" for one in headings),
            *(f"{one}: people to the power of" for one in headings),
        ),
        (
            (
                VERB_WORDS.get(row.name, row.name),
                f"{row.districts}",
                f"{row.a_thousand['seconds']:.2f} s",
                f"{row.a_thousand['processor_s']:.2f} s",
                f"{row.a_thousand['megabytes']:.1f} MB",
                *(f"{row.exponents[key]:.2f}" for key in ("seconds", "processor_s", "megabytes")),
            )
            for row in rows
        ),
    )  # fmt: skip


def latency_table(rows: Iterable[Latency]) -> str:
    """What clients waited."""
    return table(
        ("request", "clients", "requests", "p50", "p99", "requests/s", "note"),
        (
            (
                row.name,
                f"{row.clients}",
                f"{row.requests:,}",
                seconds(row.p50_s),
                seconds(row.p99_s),
                f"{row.requests_per_s:,.0f}" if row.requests_per_s >= 10
                else f"{row.requests_per_s:.1f}",
                row.note,
            )
            for row in rows
        ),
    )  # fmt: skip


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ratio(value: float | None) -> str:
    """A ratio with the two digits that one run can vouch for."""
    if value is None:
        return "–"
    if value < 0.995:
        return f"{value:.2g}"
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def seconds(value: float | None) -> str:
    """A time in the unit that people read it in."""
    if value is None:
        return "–"
    if value < 0.0095:
        return f"{value * 1000:.2g} ms"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def memory(row: Measured) -> str:
    """The peak memory, and what of it is no file's."""
    if row.memory_bytes is None or row.own_bytes is None:
        return "–"
    return f"{row.memory_bytes / 1e6:,.0f} MB ({row.own_bytes / 1e6:,.0f})"
