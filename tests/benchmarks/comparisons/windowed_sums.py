"""Features of people at one moment and at many, beside DuckDB and pandas."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from features.catalogue.definitions import FEATURES
from features.event_index import EventIndex, build_event_index
from features.kernel.query_points import QueryPoints
from features.kernel.segment import to_milliseconds
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from features.windowed_sums import sum_windows
from tests.benchmarks.comparisons.duckdb_sums import DuckDBSums
from tests.benchmarks.comparisons.pandas_sums import PandasSums
from tests.benchmarks.comparisons.peer_tables import CALL_SUMS, NO_MASS_NUMBERS, peer_tables
from tests.benchmarks.figures import Compared, compare_runs, largest_difference

__all__ = ["compare_windowed_sums"]

Values = npt.NDArray[np.float64]
COLUMNS = tuple(f"{one.name}_{window}" for one in CALL_SUMS for window in one.windows)
SUBSET = f"{len(COLUMNS)} sums over calls and texts"
LAYOUT_NOTE = (
    "ours lays out calls, transfers and registers for all features, "
    f"the peer calls alone for the {SUBSET}"
)


def compare_windowed_sums(
    tables: SourceTables, *, moments: pl.DataFrame, at: datetime, runs: int
) -> tuple[Compared, ...]:
    """Everybody at the one moment ``at``, and the many ``moments`` (``person``, ``at``): the sums
    that the catalogue declares over calls and texts, as ours, in DuckDB and in pandas.

    Raises ``ValueError`` where the values of two differ.
    """
    event_index = build_event_index(tables, mass_rule=NO_MASS_NUMBERS)
    everyone = event_index.people.select("person", at=pl.lit(at).cast(moments.schema["at"]))
    given = peer_tables(tables, event_index=event_index)
    in_duckdb, in_pandas = DuckDBSums(given), PandasSums(given)
    try:
        layouts = compare_layouts(tables, in_duckdb, in_pandas, runs=runs)
        once = compare_at(event_index, everyone, in_duckdb, in_pandas, runs=runs, one_moment=True)
        whole_way = compare_whole_way(tables, everyone, in_duckdb, runs=runs)
        many = compare_at(event_index, moments, in_duckdb, in_pandas, runs=runs, one_moment=False)
        return (*layouts, *once, whole_way, *many)
    finally:
        in_duckdb.close()


def compare_whole_way(
    tables: SourceTables, everyone: pl.DataFrame, in_duckdb: DuckDBSums, *, runs: int
) -> Compared:
    """From the lake's tables to the sums of everybody, for somebody who asks just once; DuckDB
    needs no running totals for that. ``in_duckdb`` knows the points already.
    """

    def ours() -> Values:
        event_index = build_event_index(tables, mass_rule=NO_MASS_NUMBERS)
        return windowed_values(event_index, query_points(event_index, everyone))

    def peer() -> Values:
        in_duckdb.build_contacts()
        return in_duckdb.sums_by_range_join()

    ours_s, values, peer_s, theirs = compare_runs(ours, peer, runs=runs)
    return Compared(
        name="event index and windowed sums, everybody at one moment",
        peer="DuckDB, range join",
        ours_s=ours_s,
        peer_s=peer_s,
        rows=len(everyone),
        note=f"{LAYOUT_NOTE}; all for one question",
        difference=largest_difference(values, theirs),
    )


def compare_layouts(
    tables: SourceTables, in_duckdb: DuckDBSums, in_pandas: PandasSums, *, runs: int
) -> tuple[Compared, ...]:
    """From the lake's tables to what can be asked at any moment."""
    found = []
    for peer, sums in (("DuckDB", in_duckdb), ("pandas", in_pandas)):
        ours_s, _, peer_s, rows = compare_runs(
            lambda: build_event_index(tables, mass_rule=NO_MASS_NUMBERS), sums.lay_out, runs=runs
        )
        found.append(
            Compared(
                name="event index",
                peer=peer,
                ours_s=ours_s,
                peer_s=peer_s,
                rows=rows,
                note=LAYOUT_NOTE,
            )
        )
    return tuple(found)


def compare_at(
    event_index: EventIndex,
    moments: pl.DataFrame,
    in_duckdb: DuckDBSums,
    in_pandas: PandasSums,
    *,
    runs: int,
    one_moment: bool,
) -> tuple[Compared, ...]:
    """The same sums by each way that a peer has, and all features beside the best of DuckDB."""
    points = query_points(event_index, moments)
    asked = pl.DataFrame(
        {"point": np.arange(len(moments)), "owner": points.owner, "at_ms": points.at_ms}
    )
    in_duckdb.set_points(asked)
    ways: dict[str, Callable[[], Values]] = {
        "DuckDB, range join": in_duckdb.sums_by_range_join,
        "DuckDB, ASOF join": in_duckdb.sums_by_asof_join,
        "pandas, merge_asof": lambda: in_pandas.sums_by_merge_asof(asked),
    }
    if one_moment:
        ways["pandas, group-by"] = lambda: in_pandas.sums_at_one_moment(asked)
    scene = "everybody at one moment" if one_moment else "many moments"
    found = [
        compare_way(event_index, points, scene=scene, peer=peer, way=way, runs=runs)
        for peer, way in ways.items()
    ]
    best = min((one for one in found if one.peer.startswith("DuckDB")), key=lambda one: one.peer_s)
    ours_s, snapshot, peer_s, _ = compare_runs(
        lambda: build_snapshot(event_index, moments), ways[best.peer], runs=runs
    )
    check_snapshot(snapshot, event_index, points)
    return (
        *found,
        Compared(
            name=f"all {len(FEATURES)} features, {scene}",
            peer=best.peer,
            ours_s=ours_s,
            peer_s=peer_s,
            rows=len(moments),
            note=f"ours computes every feature, the peer the {SUBSET} alone",
        ),
    )


def compare_way(
    event_index: EventIndex,
    points: QueryPoints,
    *,
    scene: str,
    peer: str,
    way: Callable[[], Values],
    runs: int,
) -> Compared:
    """Our sums beside those of one way, which must be the same."""
    ours_s, ours, peer_s, theirs = compare_runs(
        lambda: windowed_values(event_index, points), way, runs=runs
    )
    return Compared(
        name=f"windowed sums, {scene}",
        peer=peer,
        ours_s=ours_s,
        peer_s=peer_s,
        rows=len(points.owner),
        note=f"{SUBSET}; each from its own layout",
        difference=largest_difference(ours, theirs),
    )


def query_points(event_index: EventIndex, moments: pl.DataFrame) -> QueryPoints:
    """The ``moments`` in the codes of the timelines."""
    known = moments.join(
        event_index.people.select("person", owner="code"), on="person", maintain_order="left"
    )
    return QueryPoints(
        known, known["owner"].cast(pl.Int64).to_numpy(), to_milliseconds(known["at"])
    )


def windowed_values(event_index: EventIndex, points: QueryPoints) -> Values:
    """The sums of the subset, (points, sums)."""
    sums = sum_windows(
        {
            "contacts": event_index.contacts,
            "stranger_contacts": event_index.stranger_contacts,
        },
        points,
    )
    return np.column_stack([sums[name] for name in COLUMNS])


def check_snapshot(snapshot: pl.DataFrame, event_index: EventIndex, points: QueryPoints) -> None:
    """Raise ``ValueError`` where the snapshot has other sums than those that were compared."""
    values = snapshot.select(COLUMNS).cast(pl.Float64).to_numpy()
    largest_difference(values, windowed_values(event_index, points))
