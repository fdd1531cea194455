"""The machine and the versions that figures hold for."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

__all__ = ["Machine", "describe_machine"]

LIBRARIES = (
    *("polars", "numpy", "lightgbm", "shap", "duckdb", "pandas", "pyarrow"),
    *("great-expectations", "pandera", "dataframely", "mlflow", "fastapi", "uvicorn"),
)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine as it was at the start: ``load`` is the mean number of programs that wanted a core
    in the 15 minutes before. ``revision`` is that of the code.
    """

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    load: float
    revision: str
    libraries: dict[str, str]


def describe_machine() -> Machine:
    """This machine now."""
    return Machine(
        processor=first_line_of("/proc/cpuinfo", "model name"),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=int(first_line_of("/proc/meminfo", "MemTotal").split()[0]) * 1024 / 1e9,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        load=os.getloadavg()[2],
        revision=git_revision(),
        libraries={name: version(name) for name in LIBRARIES},
    )


def first_line_of(file: str, name: str) -> str:
    """What follows ``name:`` where it first stands in the file; ``0 unknown`` without."""
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0 unknown"


def git_revision() -> str:
    """The short name of the revision of the code; ``unknown`` without git."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
