"""The store brought forward load by load, against the same events laid out at once."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.catalogue.definitions import MassRule
from features.event_index import EventIndex, build_event_index
from features.kernel.source_tables import SourceTables
from features.point_in_time import build_snapshot
from pipelines.storage.event_store.parts import segments
from pipelines.storage.event_store.store import EventStore
from tests.examples import examples
from tests.features.districts import moments
from tests.features.generated import query_times, source_tables
from tests.pipelines.storage.event_store.lakes import SmallLake, lake_rows

PEOPLE = ("p1", "p2", "p3")
LEADS = {"lead_peer_code": "numbers", "lead_payee_code": "accounts"}
NAMES = {"numbers": "peer", "accounts": "payee"}


def snapshot(event_index: EventIndex, *points: tuple[str, datetime]) -> pl.DataFrame:
    """The features of people, the leading number and account by name."""
    frame = build_snapshot(event_index, moments(*points))
    return frame.with_columns(
        getattr(event_index, register)[NAMES[register]].gather(frame[code]).alias(code)
        for code, register in LEADS.items()
    )


def rule_of(residents: int) -> MassRule:
    return MassRule(share=0, residents=residents)


loads = st.lists(st.integers(0, 2), min_size=1, max_size=60)


@examples(12)
@given(
    tables=source_tables(),
    at=query_times,
    order=loads,
    residents=st.sampled_from((1, 2, 100)),
    size=st.sampled_from(("small", "large")),
)
def test_features_are_the_same_in_whatever_order_and_parts_the_events_came(
    tables: SourceTables, at: datetime, order: list[int], residents: int, size: str
) -> None:
    """A large store keeps no running totals in memory, but what owners come to in files."""
    rule = rule_of(residents)
    points = [(person, at) for person in PEOPLE]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if size == "large":
            patch.setattr(segments, "MOST_KEPT", 0)
            patch.setattr(segments, "TOTALLED_FROM", 1)
        small = SmallLake(Path(folder) / "lake")
        small.replace_registers(tables)
        store = EventStore(Path(folder) / "store", small.lake, rule)
        for load in range(3):
            for dataset in ("calls", "transfers"):
                small.append(dataset, of_load(lake_rows(tables, dataset), load, order))
            store.bring_forward()
        found = snapshot(store.open(at=at), *points)
    expected = snapshot(build_event_index(tables, mass_rule=rule), *points)
    assert_frame_equal(found, expected, check_dtypes=False, check_exact=True)


def of_load(rows: pl.DataFrame, load: int, order: Sequence[int]) -> pl.DataFrame:
    """The rows that come with one load."""
    loads = pl.Series([order[place % len(order)] for place in range(len(rows))], dtype=pl.Int64)
    return rows.filter(loads == load)
