"""One run at the smallest size, without a model: every part that needs one fails and is told."""

import json
from dataclasses import replace

from tests.benchmarks.bench import run_benchmark, write_report
from tests.benchmarks.plan import QUICK


def test_a_part_that_fails_costs_no_other_its_figures(tmp_path) -> None:
    plan = replace(QUICK, people=50, sizes=(100,))  # fewer people than a district needs
    results = run_benchmark(
        plan, folder=tmp_path / "work", memory_bytes=8 * 10**9, say=lambda _: None
    )
    assert [failure.partition(":")[0] for failure in results.failures] == [
        "district", "scored rows", "growth",
    ]  # fmt: skip
    assert "at least 100 people" in results.failures[0]
    write_report(results, folder=tmp_path / "docs")
    assert "**Failed:** district" in (tmp_path / "docs" / "bench.md").read_text()
    assert json.loads((tmp_path / "docs" / "bench.json").read_text())["compared"] == []
    assert len(list((tmp_path / "docs" / "images").glob("bench-*.svg"))) == 4
