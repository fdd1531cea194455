"""Peers and we give the same sums, on drawn districts with ties, late deliveries and handed-on
numbers; the comparison itself raises where they do not.
"""

from datetime import timedelta

import pytest
from hypothesis import given

from features.event_index import build_event_index
from features.kernel.source_tables import SourceTables
from tests.benchmarks.comparisons import windowed_sums
from tests.benchmarks.comparisons.number_profiles import compare_number_profiles
from tests.benchmarks.comparisons.windowed_sums import compare_windowed_sums
from tests.benchmarks.figures import Compared
from tests.examples import examples
from tests.features import generated
from tests.features.districts import NOON, ago, call, district, moments

MOMENTS = moments(
    ("p1", NOON), ("p2", NOON - timedelta(hours=30)), ("p1", NOON - timedelta(days=9))
)
WAYS = ["DuckDB, range join", "DuckDB, ASOF join", "pandas, merge_asof"]


def rows_of(tables: SourceTables) -> tuple[Compared, ...]:
    return compare_windowed_sums(tables, moments=MOMENTS, at=NOON, runs=1)


def test_the_rows_say_what_was_compared() -> None:
    rows = rows_of(district(calls=[call("x1", ago(hours=2), duration_s=700)]))
    one = [row.peer for row in rows if row.name == "windowed sums, everybody at one moment"]
    many = [row.peer for row in rows if row.name == "windowed sums, many moments"]
    assert one == [*WAYS, "pandas, group-by"]
    assert many == WAYS
    assert [row.name for row in rows if row.peer == "pandas"] == ["event index"]
    assert all(row.ours_s > 0 and row.peer_s > 0 for row in rows)


@examples(3)
@given(generated.source_tables())
def test_the_peers_give_our_sums(tables: SourceTables) -> None:
    rows = rows_of(tables)
    assert [row.difference for row in rows if "windowed sums" in row.name] == [0.0] * 8


def test_other_sums_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(event_index, points):
        return 2 * real(event_index, points)

    real = windowed_sums.windowed_values
    monkeypatch.setattr(windowed_sums, "windowed_values", doubled)
    with pytest.raises(ValueError, match="differ by"):
        rows_of(district(calls=[call("x1", ago(hours=2))]))


@examples(3)
@given(generated.source_tables())
def test_the_peer_gives_our_number_profiles(tables: SourceTables) -> None:
    strangers = build_event_index(tables).stranger_contacts.events
    (row,) = compare_number_profiles(tables, most=10, runs=1)
    assert row.difference <= 1e-9
    assert row.rows == min(10, len(strangers))
