"""What numbers did to the whole district before a moment, beside DuckDB."""

import numpy as np
import polars as pl

from features.entities.number_profiles import peer_state
from features.event_index import build_event_index
from features.kernel.segment import to_milliseconds
from features.kernel.source_tables import SourceTables
from tests.benchmarks.comparisons.duckdb_sums import DuckDBSums
from tests.benchmarks.comparisons.peer_tables import NO_MASS_NUMBERS, peer_tables
from tests.benchmarks.figures import Compared, compare_runs, largest_difference

__all__ = ["compare_number_profiles"]


def compare_number_profiles(tables: SourceTables, *, most: int, runs: int) -> tuple[Compared, ...]:
    """The profile of the number of each of the ``most`` latest contacts with a stranger, at the
    moment of the contact.

    Raises ``ValueError`` where the values of the two differ.
    """
    event_index = build_event_index(tables, mass_rule=NO_MASS_NUMBERS)
    latest = event_index.stranger_contacts.events.select("peer_code", "known_at")
    latest = latest.sort("known_at", "peer_code").tail(most)
    peer, at_ms = latest["peer_code"].cast(pl.Int64).to_numpy(), to_milliseconds(latest["known_at"])
    names = event_index.numbers["peer"].gather(latest["peer_code"])
    in_duckdb = DuckDBSums(peer_tables(tables, event_index=event_index))
    try:
        in_duckdb.build_contacts()
        in_duckdb.set_points(
            pl.DataFrame({"point": np.arange(len(latest)), "peer": names, "at_ms": at_ms})
        )
        ours_s, ours, peer_s, theirs = compare_runs(
            lambda: peer_state(event_index.contacts_by_number, peer=peer, at_ms=at_ms),
            in_duckdb.profiles_by_range_join,
            runs=runs,
        )
    finally:
        in_duckdb.close()
    values = ours.cast(pl.Float64).to_numpy()
    return (
        Compared(
            name="number profiles, many moments",
            peer="DuckDB, range join",
            ours_s=ours_s,
            peer_s=peer_s,
            rows=len(latest),
            note=f"all {values.shape[1]} figures of a number's behaviour over 24 hours to 30 days",
            difference=largest_difference(values, theirs),
        ),
    )
