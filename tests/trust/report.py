"""The report as Markdown. Every number in it comes from one run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.trust.acknowledged_writes import AcknowledgedWrites
from tests.trust.battery import Outcome
from tests.trust.crashes.trials import Trials
from tests.trust.degraded import Degraded
from tests.trust.hostile_input import HostileInput
from tests.trust.load import Load
from tests.trust.once_found import Held

__all__ = ["Circumstances", "write_report"]

MEMORY_SHOWN = 12
TOP = """# What was tried, and held

Written by `make trust`{short}; every number comes from that run. It killed writers, took parts
away, fed hostile files, pressed the pages, and ran the tests of all that was once found. What is
promised is in [security](security.md) and [operations](operations.md).
"""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Which code, when, and on what."""

    revision: str
    finished_at: datetime
    minutes: float
    cores: int
    load_average: float


def write_report(outcome: Outcome, circumstances: Circumstances) -> str:
    """The page; parts that did not run are named as such."""
    lines = [*_head(outcome, circumstances)]
    sections = {
        "Killed writers": _crashes(outcome.crashes, traced=outcome.traced)
        if outcome.crashes else None,
        "Acknowledged writes": _writes(outcome.writes) if outcome.writes else None,
        "Hostile input": _hostile(outcome.hostile) if outcome.hostile else None,
        "Parts taken away": _degraded(outcome.degraded) if outcome.degraded else None,
        "Load": _load(outcome.load) if outcome.load else None,
        "What was once found, and what holds it now": _held(outcome.held)
        if outcome.held else None,
    }  # fmt: skip
    for title, section in sections.items():
        lines += [f"## {title}", ""]
        lines += section if section is not None else ["Not part of this run."]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _head(outcome: Outcome, circumstances: Circumstances) -> Iterator[str]:
    yield TOP.format(short=" in its short form" if outcome.is_short else "")
    yield (
        f"Revision {circumstances.revision}, {circumstances.finished_at:%Y-%m-%d %H:%M} UTC, "
        f"{circumstances.minutes:.0f} minutes on {circumstances.cores} cores; at its end the "
        f"machine had a load average of {circumstances.load_average:.1f}."
    )
    yield ""
    yield from _table(("what", "count"), [(what, f"{count:,}") for what, count in _sums(outcome)])
    yield ""
    faults = outcome.faults()
    yield "**Nothing failed.**" if not faults else f"**{len(faults)} did not hold:**"
    yield ""
    if faults:
        yield from (f"- {fault}" for fault in faults)
        yield ""


def _sums(outcome: Outcome) -> Iterator[tuple[str, int]]:
    if outcome.crashes:
        yield "writers killed", sum(one.kills for one in outcome.crashes)
        yield "rows compared after them", sum(one.rows for one in outcome.crashes)
    if outcome.writes:
        yield "results acknowledged under kills", outcome.writes.acknowledged
    if outcome.hostile:
        found = outcome.hostile
        yield "hostile files", found.spoilt + found.broken + sum(found.made.values())
    if outcome.degraded:
        yield "parts taken away", len(outcome.degraded.cases)
    requests = sum(part.requests for part in (outcome.degraded, outcome.load) if part)
    if requests:
        yield "requests sent", requests
    if outcome.held:
        yield "tests of what was once found", sum(one.passed + one.failed for one in outcome.held)


def _crashes(crashes: Sequence[Trials], *, traced: bool) -> list[str]:
    how = (
        "Points are spread evenly over the calls of an undisturbed run that write a file, its name "
        "or what the disk has to keep (`strace`); of three trials one is killed by the clock. The "
        "next run then leaves the same rows, lists and digests as one that was never killed."
        if traced
        else "There was no `strace` here, so all were killed by the clock."
    )
    rows = [
        (
            one.name, one.points, one.kills,
            ", ".join(f"{call} {count}" for call, count in sorted(one.by_call.items())) or "–",
            one.timed, one.ended, f"{one.rows:,}", len(one.faults), f"{one.seconds:.0f}",
        )
        for one in crashes
    ]  # fmt: skip
    headings = ("writer", "calls counted", "killed", "at", "by the clock", "over before",
                "rows compared", "differences", "seconds")  # fmt: skip
    acknowledged = sum(one.acknowledged for one in crashes)
    last = f"Of the results, {acknowledged} were acknowledged before a kill; each was there, once."
    return [how, "", *_table(headings, rows), "", last]


def _writes(writes: AcknowledgedWrites) -> list[str]:
    return [
        f"{writes.writers} writers wrote results while `forestall serve` was killed {writes.kills} "
        f"times and started again. {writes.acknowledged:,} were acknowledged, {writes.cut_off} "
        f"answers were cut off, and {writes.written:,} rows are there, each acknowledged one once: "
        f"{len(writes.faults)} faults. The database is {writes.database}. "
        f"{writes.seconds:.0f} seconds."
    ]


def _hostile(found: HostileInput) -> list[str]:
    made = ", ".join(found.made)
    return [
        f"{found.spoilt:,} spoilt deliveries were loaded (`make fuzz` says what must hold of "
        f"each), and {found.broken:,} containers with changed, cut or slipped-in bytes read. Made "
        f"by hand, with bombs of {found.bomb_mib:,} MiB: {made}. "
        f"Of the containers and those made by hand {found.read:,} were read and {found.refused:,} "
        f"refused in words. The process that asked was never ended; {len(found.faults)} faults. "
        f"{found.seconds:.0f} seconds."
    ]


def _degraded(found: Degraded) -> list[str]:
    rows = [
        (case.part, case.list_status or "–", case.result_status or "–", case.ready_status or "–",
         case.said.replace("|", "\\|") or "–", "; ".join(case.faults) or "as it should")
        for case in found.cases
    ]  # fmt: skip
    headings = ("gone", "list", "result", "ready", "what the command said", "and then")
    how = (
        "Statuses while the part was gone. Where the list is 200 it is the last good one, "
        "unchanged, with the moment it is of. Once the part is back all answers as before, without "
        "anybody's doing."
    )
    return [how, "", *_table(headings, rows), *([found.left_out] if found.left_out else [])]


def _load(load: Load) -> list[str]:
    rows = [
        (one.name, one.clients, f"{one.seconds:.0f}", len(one.waits_ms), f"{one.per_second:.0f}",
         f"{one.percentile_ms(0.5):.0f}", f"{one.percentile_ms(0.99):.0f}",
         sum(one.errors.values()))
        for one in load.pressed
    ]  # fmt: skip
    headings = ("request", "clients", "seconds", "answered", "a second", "median ms", "p99 ms",
                "errors")  # fmt: skip
    memory = load.memory_mib[:: max(1, len(load.memory_mib) // MEMORY_SHOWN)]
    soak = f" Then all at once for {load.soak_minutes:g} minutes." if load.soak_minutes else ""
    return [
        f"Beside it {load.held_open} streams were held open, of which {load.still_open} were still "
        f"open at the end, and {load.published} lists were published. The generator shares the "
        f"cores with what it presses.{soak}",
        "",
        *_table(headings, rows),
        "",
        f"Resident memory of the web process, MiB, over {load.seconds:.0f} seconds: "
        f"{', '.join(f'{one:.0f}' for one in memory)}.",
    ]


def _held(held: Sequence[Held]) -> list[str]:
    rows = [
        (
            one.found.number,
            one.found.what,
            "<br>".join(test.replace("::", "` `").join("``") for test in one.found.tests) or "–",
            f"{one.passed} passed, {one.failed} failed"
            + (f", {one.skipped} left out" if one.skipped else ""),
        )
        for one in held
    ]
    return list(_table(("", "what was wrong", "tests", "in this run"), rows))


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(headings) + " |"
    yield "|" + "---|" * len(headings)
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"
