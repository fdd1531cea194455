"""A command in a process of its own: how long it takes, and the memory of all its processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ChildLimits", "ChildRun", "available_memory", "run_child"]

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, kw_only=True)
class ChildLimits:
    """What a command may use before it is stopped."""

    memory_bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ChildRun:
    """What became of a command: its standard output, its use, and why it was stopped, if it was.
    ``memory_bytes`` is the peak of the resident memory of all its processes together; a page that
    several share counts once for each. ``own_bytes`` leaves out pages of files, which the kernel
    takes back whenever memory is short.
    """

    output: str
    seconds: float
    memory_bytes: int
    own_bytes: int
    stopped: str = ""


def run_child(arguments: Sequence[str], *, folder: Path, limits: ChildLimits) -> ChildRun:
    """Run a Python module with ``arguments`` in ``folder`` and look at its processes 20 times a
    second.

    Raises ``RuntimeError`` with the end of its errors where it fails by itself.
    """
    began = time.monotonic()
    peak = own_peak = 0
    stopped = output = error = ""
    with started_group([sys.executable, "-m", *arguments], folder=folder) as child:
        while child.returncode is None:
            try:
                output, error = child.communicate(timeout=LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                now, own_now = measure_processes(child.pid)
                peak, own_peak = max(peak, now), max(own_peak, own_now)
                stopped = stopped or exceeded(peak, time.monotonic() - began, limits)
                if stopped:
                    os.killpg(child.pid, signal.SIGKILL)
    if child.returncode and not stopped:
        raise RuntimeError(f"{' '.join(arguments)} failed: {error[-2000:]}")
    return ChildRun(
        output=output,
        seconds=time.monotonic() - began,
        memory_bytes=peak,
        own_bytes=own_peak,
        stopped=stopped,
    )


@contextmanager
def started_group(command: Sequence[str], *, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command as a group of its own; whatever happens in the block, none of it is left."""
    with subprocess.Popen(
        list(command),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            yield child
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)


def exceeded(memory_bytes: int, seconds: float, limits: ChildLimits) -> str:
    """Which limit is exceeded, in words; empty while none is."""
    if memory_bytes > limits.memory_bytes:
        return f"it needed more than {limits.memory_bytes / 1e9:.1f} GB of memory"
    if seconds > limits.seconds:
        return f"it took longer than the {limits.seconds:.0f} s that were left"
    return ""


def measure_processes(root: int) -> tuple[int, int]:
    """Resident bytes of the process ``root`` and all below it, and what of these is of no file."""
    used = [memory_of(process) for process in {root, *descendants(root)}]
    return sum(total for total, _ in used), sum(own for _, own in used)


def memory_of(process: int) -> tuple[int, int]:
    """Resident bytes of one process, and those that are of no file; none once it has ended."""
    try:
        fields = Path(f"/proc/{process}/statm").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    resident, of_files = int(fields[1]), int(fields[2])
    return resident * PAGE_BYTES, (resident - of_files) * PAGE_BYTES


def descendants(root: int) -> set[int]:
    """The processes that a process has started, and theirs."""
    parents = dict(filter(None, map(parent_of, Path("/proc").glob("[0-9]*"))))
    found = {root}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def parent_of(folder: Path) -> tuple[int, int] | None:
    """A process and its parent, by its folder below ``/proc``; None once it has ended."""
    try:
        stat = (folder / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # After the name, which may hold spaces and brackets of its own: state, parent, …
    return int(folder.name), int(stat.rpartition(")")[2].split()[1])


def available_memory() -> int:
    """Bytes of memory that programs can still have, as the kernel reckons."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return int(amount.split()[0]) * 1024
    raise RuntimeError("/proc/meminfo names no MemAvailable")
