"""Kills a deed at many points and looks at what the next run makes of what is left.

A point is a call by which something is written down: of a file, of its name, of what the disk has
to keep. All calls of an undisturbed run that touch its folder are counted with ``strace``, points
are spread evenly over them, and the process group is killed while ``strace`` holds the call before
it is entered. Of three trials one is killed by the clock, wherever it is.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.trust.crashes.deeds import ACKNOWLEDGED, DEEDS, Contents, Deed

__all__ = ["Trials", "can_trace", "kill_at_points"]

CALLS = (
    "rename", "renameat", "renameat2", "linkat", "unlink", "fsync", "fdatasync", "write",
    "pwrite64", "ftruncate",
)  # fmt: skip
LINE = re.compile(r"^(?P<thread>\d+) +(?P<call>[a-z0-9_]+)\((?P<rest>.*)")
BY_THE_CLOCK = 3  # of so many trials one
LONG_S = 900
LOOKS, LOOK_S = 4, 0.02  # every traced call stops for a moment: held is who stands longer
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Point:
    """The call number ``count`` of its kind that a thread makes."""

    call: str
    count: int


@dataclass(kw_only=True)
class Trials:
    """What came of one deed: ``by_call`` counts the kills by the call they fell on, ``timed`` those
    by the clock, ``ended`` the runs that were over before their kill.
    """

    name: str
    points: int = 0
    by_call: Counter[str] = field(default_factory=Counter)
    timed: int = 0
    ended: int = 0
    rows: int = 0
    parts: int = 0
    acknowledged: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        """How many runs were really killed."""
        return self.timed + sum(self.by_call.values())


def can_trace() -> bool:
    """Whether ``strace`` is there and may follow a process."""
    if shutil.which("strace") is None:
        return False
    command = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-o",
        os.devnull,
        "-e",
        "trace=write",
        "true",
    ]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def kill_at_points(name: str, *, trials: int, folder: Path, seed: int) -> Trials:
    """Kill the deed ``trials`` times below ``folder``, each time on a fresh copy of its home, and
    compare what the next run leaves with what an undisturbed one leaves.
    """
    deed, begun = DEEDS[name], time.monotonic()
    prepared = folder / "prepared"
    prepared.mkdir(parents=True)
    deed.prepare(prepared)
    found = Trials(name=name)
    tracing = can_trace()
    undisturbed, points, lasts_s = _undisturbed(deed, prepared, folder, tracing=tracing)
    found.points = len(points)
    found.parts = len(undisturbed)
    wanted = _plan(points, trials=trials, tracing=tracing)
    random = Random(seed)
    for number, point in enumerate(wanted):
        place = folder / f"trial-{number}"
        shutil.copytree(prepared, place)
        _kill(deed, place, point, found, delay_s=random.uniform(0, 0.95) * lasts_s)
        _compare(deed, place, undisturbed, found, where=str(point or "the clock"))
        shutil.rmtree(place)
    found.seconds = time.monotonic() - begun
    return found


def _plan(points: Sequence[Point], *, trials: int, tracing: bool) -> list[Point | None]:
    """A point for each trial, evenly over all; None is the clock."""
    if not tracing or not points:
        return [None] * trials
    clocks = trials // BY_THE_CLOCK
    at_calls = trials - clocks
    chosen = [points[(2 * n + 1) * len(points) // (2 * at_calls)] for n in range(at_calls)]
    return [*chosen, *[None] * clocks]


def _undisturbed(
    deed: Deed, prepared: Path, folder: Path, *, tracing: bool
) -> tuple[Contents, Sequence[Point], float]:
    """What an undisturbed run leaves, the calls that it makes, and how long it takes."""
    place, log = folder / "undisturbed", folder / "calls"
    points: list[Point] = []
    if tracing:
        shutil.copytree(prepared, place)
        watched = ["-y", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
        assert _start(deed, place, tracer=watched).wait(LONG_S) == 0, f"{deed.name} fails traced"
        points = list(_points(log.read_text(errors="replace"), str(place)))
        shutil.rmtree(place)
    shutil.copytree(prepared, place)
    process = _start(deed, place)
    begun = _wait_for_begin(process, place)
    assert process.wait(LONG_S) == 0, f"{deed.name} fails undisturbed"
    lasts_s = time.monotonic() - begun
    contents = deed.contents(place)
    shutil.rmtree(place)
    return contents, points, lasts_s


def _points(log: str, place: str) -> Iterator[Point]:
    """The calls that touch ``place``, in order, each numbered as its thread numbers it."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in log.splitlines():
        found = LINE.match(line)
        if found is None:
            continue
        key = (found["thread"], found["call"])
        counts[key] += 1
        if place in found["rest"]:
            yield Point(found["call"], counts[key])


def _start(deed: Deed, place: Path, *, tracer: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
    """The deed in a process group of its own, followed by ``strace`` if it is given options."""
    command = [sys.executable, "-m", "tests.trust.crashes.deeds", deed.name, str(place)]
    if tracer:
        command = ["strace", "-f", "--seccomp-bpf", "-qq", *tracer, *command]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _wait_for_begin(process: "subprocess.Popen[bytes]", place: Path) -> float:
    """The moment at which everything is imported and the deed begins."""
    begun = place.with_name(f"{place.name}.begun")
    while process.poll() is None and not begun.exists():
        time.sleep(0.002)
    begun.unlink(missing_ok=True)
    return time.monotonic()


def _kill(deed: Deed, place: Path, point: Point | None, found: Trials, *, delay_s: float) -> None:
    """Run the deed and kill it at the point, or by the clock, with all that it has started."""
    if point is None:
        process = _start(deed, place)
        _wait_for_begin(process, place)
        with suppress(subprocess.TimeoutExpired):
            process.wait(delay_s)
    else:
        held = f"inject={point.call}:delay_enter={LONG_S}s:when={point.count}"
        tracer = ["-o", os.devnull, "-e", f"trace={point.call}", "-e", held]
        process = _start(deed, place, tracer=tracer)
        _wait_until_held(process)
    ended, followed = process.poll(), _descendants(process.pid)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(LONG_S)
    while any(map(_is_alive, followed)):  # it holds its locks until then
        time.sleep(LOOK_S)
    if ended is not None:
        found.ended += 1
        if ended != 0:
            found.faults.append(f"{point or 'the clock'}: it ended with {ended}")
    elif point is None:
        found.timed += 1
    else:
        found.by_call[point.call] += 1


def _wait_until_held(process: "subprocess.Popen[bytes]") -> None:
    """Until ``strace`` holds a thread before its call, or the deed is over."""
    looks = 0
    while process.poll() is None and looks < LOOKS:
        looks = looks + 1 if _is_held(process.pid) else 0
        time.sleep(LOOK_S)


def _is_alive(pid: str) -> bool:
    """Whether a thread of it still is: its files are open, and its locks held, until the last."""
    return any(state != "Z" for state in _states(pid))


def _is_held(tracer: int) -> bool:
    """Whether a thread of what the tracer has started stands still for it."""
    return any("t" in _states(pid) for pid in _descendants(tracer))


def _descendants(pid: int | str) -> list[str]:
    """What it has started, and what those have."""
    return [one for child in _children(pid) for one in (child, *_descendants(child))]


def _states(pid: str) -> list[str]:
    """The states of the threads of a process, one letter each."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found.append((task / "stat").read_text().rpartition(")")[2].split()[0])
    return found


def _children(pid: int | str) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return []


def _compare(deed: Deed, place: Path, undisturbed: Contents, found: Trials, *, where: str) -> None:
    """Run the deed again, to its end, and compare."""
    if (said := place / ACKNOWLEDGED).exists():
        found.acknowledged += len(set(said.read_text().split()))
    try:
        deed.run(place)
        contents = deed.contents(place)
    except Exception as error:  # noqa: BLE001 -- that the next run works is what is tried
        found.faults.append(f"{where}: the next run failed: {error!r}")
        return
    found.rows += sum(rows for rows, _ in contents.values())
    for part, (rows, digest) in undisturbed.items():
        if contents[part] != (rows, digest):
            found.faults.append(f"{where}: {part} has {contents[part][0]} rows, not the {rows}")


def main() -> None:
    """Kill one deed: ``python -m tests.trust.crashes.trials DEED TRIALS FOLDER``."""
    name, trials, folder = sys.argv[1:]
    sys.stdout.write(f"{kill_at_points(name, trials=int(trials), folder=Path(folder), seed=1)}\n")


if __name__ == "__main__":
    main()
