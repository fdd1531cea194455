"""Districts of several sizes through the verbs of a day, and how time and memory grow with them."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import numpy as np
import numpy.typing as npt

from tests.benchmarks.districts.child_process import ChildLimits, run_child
from tests.benchmarks.districts.verbs import DistrictStep
from tests.benchmarks.figures import Measured

__all__ = ["Growth", "Limits", "measure_district", "measure_growth", "summarise_growth"]

ROOT = Path(__file__).parents[3]
VERBS_MODULE = "tests.benchmarks.districts.verbs"
#: The verbs of a district that learns its own model, in order.
LEARNING_VERBS = (
    *("simulate", "ingest_history", "store_history", "train", "replay_day", "night"),
    *("ingest_day", "store_day", "first_tick", "tick", "busy_minutes", "next_busy_minutes"),
)
#: The verbs of a district that is given a model.
DAILY_VERBS = tuple(verb for verb in LEARNING_VERBS if verb != "train")
NEEDED_BEFORE = {  # what must have come to its end before a verb makes sense
    "ingest_history": "simulate",
    "store_history": "ingest_history",
    "train": "store_history",
    "replay_day": "store_history",
    "night": "store_history",
    "ingest_day": "store_history",
    "store_day": "ingest_day",
    "first_tick": "night",
    "tick": "first_tick",
    "busy_minutes": "tick",
    "next_busy_minutes": "busy_minutes",
}
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What all districts together may use: memory at once, and time until ``deadline_s`` (of the
    monotonic clock).
    """

    memory_bytes: int
    deadline_s: float

    def for_child(self) -> ChildLimits:
        """What is left for the next process."""
        return ChildLimits(
            memory_bytes=self.memory_bytes, seconds=max(1.0, self.deadline_s - monotonic())
        )


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How a verb grows from the smallest to the largest district, in ``seconds``, ``processor_s``
    and ``megabytes``.

    ``a_thousand`` is what each thousand people more cost, by a straight line through the districts;
    ``exponents`` are the k of people ** k.
    """

    name: str
    districts: int
    a_thousand: Mapping[str, float]
    exponents: Mapping[str, float]


def measure_district(
    step: DistrictStep, *, verbs: Sequence[str], settings: str, limits: Limits, say: Say
) -> tuple[Measured, ...]:
    """Run the ``verbs`` on one district, each in a process of its own.

    ``settings`` is the text of the home's settings file. A verb that exceeds a limit, or that
    builds on such a verb, is in the rows as not run, with the reason.
    """
    step.home.mkdir(parents=True, exist_ok=True)
    (step.home / "forestall.toml").write_text(settings)
    rows: dict[str, Measured] = {}
    for verb in verbs:
        before = rows.get(NEEDED_BEFORE.get(verb, ""))
        if before is not None and before.not_run:
            rows[verb] = not_run(step, verb, f"{before.name} before it did not come to its end")
        else:
            rows[verb] = measure_verb(replace(step, verb=verb), limits=limits)
        say(describe(rows[verb]))
    return tuple(rows.values())


def measure_growth(
    sizes: Iterable[int],
    *,
    folder: Path,
    days: int,
    model_home: Path,
    settings: str,
    limits: Limits,
    say: Say,
) -> tuple[Measured, ...]:
    """A day of districts of these ``sizes`` (people), the smallest first, scored with the champion
    of ``model_home``; each is deleted afterwards.

    A district for which the time left cannot do, by what the one before took, is in the rows as
    not run.
    """
    found: list[Measured] = []
    took_s, measured_size = 0.0, 0
    for people in sorted(sizes):
        step = DistrictStep(
            verb="", folder=str(folder / f"{people}"), people=people, days=days, intensity=1
        )
        expected_s = took_s * people / measured_size if measured_size else 0.0
        if reason := lack_of_time(expected_s, left_s=limits.deadline_s - monotonic()):
            found.append(not_run(step, "all", reason))
            say(describe(found[-1]))
            continue
        began = monotonic()
        shutil.copytree(model_home / "models", step.home / "models")
        rows = measure_district(step, verbs=DAILY_VERBS, settings=settings, limits=limits, say=say)
        shutil.rmtree(step.folder)
        took_s, measured_size = monotonic() - began, people
        found += rows
    return tuple(found)


def lack_of_time(expected_s: float, *, left_s: float) -> str:
    """Why a district is not begun; empty where the time that is left may do."""
    if left_s <= 0:
        return "no time was left"
    if expected_s > left_s:
        return f"about {expected_s / 60:.1f} min expected, {left_s / 60:.1f} min left"
    return ""


def measure_verb(step: DistrictStep, *, limits: Limits) -> Measured:
    """One verb in a process of its own."""
    run = run_child([VERBS_MODULE, step.write()], folder=ROOT, limits=limits.for_child())
    if run.stopped:
        return not_run(step, step.verb, run.stopped)
    result = json.loads(run.output.splitlines()[-1])
    return Measured(
        name=step.verb,
        people=step.people,
        days=step.days,
        rows=result["rows"],
        seconds=result["seconds"],
        processor_s=result["processor_s"],
        memory_bytes=run.memory_bytes,
        own_bytes=run.own_bytes,
    )


def not_run(step: DistrictStep, verb: str, reason: str) -> Measured:
    """A row without figures."""
    return Measured(
        name=verb,
        people=step.people,
        days=step.days,
        rows=0,
        seconds=None,
        processor_s=None,
        memory_bytes=None,
        own_bytes=None,
        not_run=reason,
    )


def describe(row: Measured) -> str:
    """One line of progress."""
    if row.seconds is None or row.memory_bytes is None:
        return f"{row.people:,} people, {row.name}: not run, {row.not_run}"
    return (
        f"{row.people:,} people, {row.name}: {row.seconds:.1f} s, {row.memory_bytes / 1e6:,.0f} MB"
    )


def summarise_growth(rows: Iterable[Measured]) -> tuple[Growth, ...]:
    """The growth of each verb that was measured on two districts or more."""
    by_verb: dict[str, list[Measured]] = {}
    for row in rows:
        if not row.not_run:
            by_verb.setdefault(row.name, []).append(row)
    return tuple(growth_of(name, found) for name, found in by_verb.items() if len(found) > 1)


def growth_of(name: str, rows: Sequence[Measured]) -> Growth:
    """The growth of one verb over districts that all have figures."""
    thousands = [row.people / 1000 for row in rows]
    figures = {
        "seconds": [row.seconds for row in rows],
        "processor_s": [row.processor_s for row in rows],
        "megabytes": [(row.memory_bytes or 0) / 1e6 for row in rows],
    }
    return Growth(
        name=name,
        districts=len(rows),
        a_thousand={key: slope(thousands, found) for key, found in figures.items()},
        exponents={key: slope(np.log(thousands), np.log(found)) for key, found in figures.items()},
    )


def slope(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """How steep the straight line through the points is, by least squares."""
    return float(np.polyfit(x, np.asarray(y, dtype=np.float64), 1)[0])
