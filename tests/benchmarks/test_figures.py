import math

import pytest

from tests.benchmarks.figures import (
    Compared,
    Measured,
    compare_runs,
    largest_difference,
    summarise_latencies,
    time_run,
)


def test_a_ratio_above_one_says_that_the_peer_takes_longer() -> None:
    row = Compared(name="a", peer="b", ours_s=2.0, peer_s=3.0, rows=1, note="")
    assert row.ratio == 1.5
    assert Compared(name="a", peer="b", ours_s=2.0, peer_s=None, rows=1, note="").ratio is None


def test_rows_a_second() -> None:
    row = Measured(
        name="a",
        people=1,
        days=1,
        rows=30,
        seconds=2.0,
        processor_s=2.5,
        memory_bytes=1,
        own_bytes=1,
    )
    assert row.rows_per_s == 15


def test_the_largest_difference_is_that_of_the_values() -> None:
    assert largest_difference([[1.0, math.nan]], [[1.0, math.nan]]) == 0
    assert largest_difference([1.0, 2.0], [1.0, 2.5], tolerance=1) == 0.5


@pytest.mark.parametrize(
    ("ours", "peer"), [([1.0], [1.1]), ([1.0], [1.0, 1.0]), ([1.0], [math.nan])]
)
def test_other_answers_are_no_comparison(ours: list[float], peer: list[float]) -> None:
    with pytest.raises(ValueError, match=r"differ|other"):
        largest_difference(ours, peer)


def test_both_sides_run_as_often_and_in_turn() -> None:
    ran: list[str] = []
    _, ours, _, peer = compare_runs(
        lambda: ran.append("ours") or len(ran), lambda: ran.append("peer") or len(ran), runs=2
    )
    assert ran == ["ours", "peer", "ours", "peer"]
    assert (ours, peer) == (3, 4)


def test_a_run_gives_its_result() -> None:
    seconds, found = time_run(lambda: 3)
    assert found == 3
    assert seconds >= 0


def test_latencies_are_summed_up() -> None:
    found = summarise_latencies("a", [0.1, 0.3, 0.2, 0.4, 0.5], clients=2, elapsed_s=0.5, note="")
    assert (found.requests, found.requests_per_s) == (5, 10)
    assert found.p50_s == pytest.approx(0.3)
    assert found.p99_s == pytest.approx(0.496)
