"""What a benchmark measures: rows of figures, and how they are taken."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = [
    "Compared",
    "Latency",
    "Measured",
    "compare_runs",
    "largest_difference",
    "summarise_latencies",
    "time_run",
]

Result = TypeVar("Result")
PeerResult = TypeVar("PeerResult")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Ours beside a ``peer``, on the same data in the same run; seconds are medians.

    ``difference`` is the largest between the values of the two, None where the peer has none to
    compare. A peer that could not run has no seconds, and ``note`` says why.
    """

    name: str
    peer: str
    ours_s: float
    peer_s: float | None
    rows: int
    note: str
    difference: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as long the peer takes: above 1 ours is the faster."""
        return None if self.peer_s is None else self.peer_s / self.ours_s


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One verb on one district: seconds, and the peak memory of all its processes together.

    ``processor_s`` is the time of the cores that it took, which hardly depends on what else the
    machine does.
    ``memory_bytes`` is resident memory, ``own_bytes`` what of it is not the content of files. A
    verb that was ``not_run`` says why and has no figures.
    """

    name: str
    people: int
    days: int
    rows: int
    seconds: float | None
    processor_s: float | None
    memory_bytes: int | None
    own_bytes: int | None
    note: str = ""
    not_run: str = ""

    @property
    def rows_per_s(self) -> float | None:
        """Rows a second; None without rows or without figures."""
        return self.rows / self.seconds if self.seconds and self.rows else None


@dataclass(frozen=True, kw_only=True)
class Latency:
    """What clients of a server waited; the generator of the load runs on the same machine."""

    name: str
    clients: int
    requests: int
    p50_s: float
    p99_s: float
    requests_per_s: float
    note: str


def time_run(work: Callable[[], Result]) -> tuple[float, Result]:
    """The seconds that ``work`` takes, and its result."""
    began = perf_counter()
    result = work()
    return perf_counter() - began, result


def compare_runs(
    ours: Callable[[], Result], peer: Callable[[], PeerResult], *, runs: int
) -> tuple[float, Result, float, PeerResult]:
    """The median seconds and the last result of ours and of the peer.

    The two take turns: what else the machine does meanwhile weighs on both.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        seconds, found = time_run(ours)
        taken[0].append(seconds)
        seconds, peer_found = time_run(peer)
        taken[1].append(seconds)
    return statistics.median(taken[0]), found, statistics.median(taken[1]), peer_found


def largest_difference(
    ours: npt.ArrayLike, peer: npt.ArrayLike, *, tolerance: float = 1e-6
) -> float:
    """The largest difference of two arrays of one shape; missing values must be missing in both.

    Raises ``ValueError`` above ``tolerance``: the times of two different answers are no comparison.
    """
    one, other = np.asarray(ours, dtype=np.float64), np.asarray(peer, dtype=np.float64)
    if one.shape != other.shape or not np.array_equal(np.isnan(one), np.isnan(other)):
        raise ValueError("the two have other rows or other missing values")
    difference = float(np.nanmax(np.abs(one - other), initial=0.0))
    if difference > tolerance:
        raise ValueError(f"the values differ by {difference}")
    return difference


def summarise_latencies(
    name: str, waits_s: Sequence[float], *, clients: int, elapsed_s: float, note: str
) -> Latency:
    """The figures of the ``waits_s`` of all requests that were sent in ``elapsed_s``."""
    return Latency(
        name=name,
        clients=clients,
        requests=len(waits_s),
        p50_s=float(np.quantile(waits_s, 0.5)),
        p99_s=float(np.quantile(waits_s, 0.99)),
        requests_per_s=len(waits_s) / elapsed_s,
        note=note,
    )
