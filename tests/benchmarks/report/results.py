"""All that one run of the benchmark found."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tests.benchmarks.districts.growth import Growth
from tests.benchmarks.figures import Compared, Latency, Measured
from tests.benchmarks.plan import Plan
from tests.benchmarks.report.machine import Machine

__all__ = ["Results", "render_json"]


@dataclass(frozen=True, kw_only=True)
class Results:
    """The figures of one run on one machine; ``failures`` says what went wrong, and where."""

    plan: Plan
    machine: Machine
    began_at: datetime
    took_s: float
    compared: tuple[Compared, ...]
    measured: tuple[Measured, ...]
    growth: tuple[Growth, ...]
    latencies: tuple[Latency, ...]
    failures: tuple[str, ...] = ()


def render_json(results: Results) -> str:
    """The results with the ratios, for machines."""
    document: dict[str, Any] = asdict(results)
    document["compared"] = [{**asdict(row), "ratio": row.ratio} for row in results.compared]
    document["measured"] = [
        {**asdict(row), "rows_per_s": row.rows_per_s} for row in results.measured
    ]
    document["began_at"] = results.began_at.isoformat()
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
