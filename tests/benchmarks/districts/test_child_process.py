"""A module of three lines stands for a verb; it lies in the folder that the child runs in."""

import pytest

from tests.benchmarks.districts.child_process import ChildLimits, available_memory, run_child

ROOMY = ChildLimits(memory_bytes=10**10, seconds=120)
HALF = 150_000_000
GREEDY = f"""
import subprocess, sys, time
own = bytearray({HALF})
own[::4096] = b"x" * len(own[::4096])
if len(sys.argv) > 1:
    subprocess.run([sys.executable, __file__], check=True)
else:
    time.sleep(1)
print("done")
"""


def run(folder, text: str, *arguments: str, limits: ChildLimits = ROOMY):
    (folder / "verb.py").write_text(text)
    return run_child(["verb", *arguments], folder=folder, limits=limits)


def test_the_memory_of_all_processes_together_counts(tmp_path) -> None:
    found = run(tmp_path, GREEDY, "with a child")
    assert found.output.splitlines() == ["done", "done"]
    assert 2 * HALF < found.own_bytes < found.memory_bytes < 3 * HALF
    assert found.seconds >= 1
    assert not found.stopped


def test_a_process_that_takes_too_much_is_stopped(tmp_path) -> None:
    limits = ChildLimits(memory_bytes=HALF, seconds=120)
    found = run(tmp_path, GREEDY, limits=limits)
    assert found.stopped == "it needed more than 0.1 GB of memory"
    assert found.output == ""


def test_a_process_that_takes_too_long_is_stopped(tmp_path) -> None:
    limits = ChildLimits(memory_bytes=10**10, seconds=1)
    found = run(tmp_path, "import time\ntime.sleep(600)", limits=limits)
    assert found.stopped == "it took longer than the 1 s that were left"
    assert found.seconds < 60


def test_a_failure_is_told_with_its_end(tmp_path) -> None:
    with pytest.raises(RuntimeError, match="no such district"):
        run(tmp_path, "raise SystemExit('no such district')")


def test_some_memory_is_available() -> None:
    assert available_memory() > 10**7
