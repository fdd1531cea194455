"""What a worker must have in common with the machine that asks, so that both come to the same last
digit.
"""

import platform
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

__all__ = ["list_differences", "take_fingerprint"]

LIBRARIES = ("lightgbm", "numpy", "polars", "scipy")
ROOT = Path(__file__).parents[2]
PACKAGES = ("data_contracts", "features", "models", "pipelines")

Fingerprint = tuple[tuple[str, str], ...]


@cache
def take_fingerprint() -> Fingerprint:
    """What this process computes with, as names and values: Python, libraries, the processor's
    instructions that NumPy uses, and a digest of forestall itself.
    """
    return (
        ("Python", platform.python_version()),
        *((name, version(name)) for name in LIBRARIES),
        ("processor", f"{platform.machine()} {' '.join(vector_instructions())}"),
        ("forestall", code_digest()),
    )


def list_differences(other: Fingerprint) -> tuple[str, ...]:
    """The names by which ``other`` differs from this process."""
    theirs = dict(other)
    return tuple(name for name, value in take_fingerprint() if theirs.get(name) != value)


def vector_instructions() -> list[str]:
    """Those of the processor that NumPy chooses its loops by: the last digit of an exponential
    depends on them. ``NPY_DISABLE_CPU_FEATURES`` takes some away.
    """
    import numpy as np

    config = np.show_config(mode="dicts")
    assert config is not None  # noqa: S101 -- of the other mode, which prints
    return sorted(config["SIMD Extensions"].get("found", []))


def code_digest() -> str:
    """The digest of the sources and declarations that this process runs."""
    total = sha256()
    for path in source_files():
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def source_files() -> Iterator[Path]:
    """Every module and declaration, in the order of their names."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in {".py", ".yaml"}:
                yield path
