"""What is read for a list or a model is of one version of the lake, whatever is loaded
meanwhile.
"""

from datetime import timedelta

import polars as pl
import pytest

from pipelines.settings import Settings
from pipelines.storage.event_store.loading import load_known_records
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.lake import Lake
from tests.features.districts import NOON, ago, call, case, district, transfer
from tests.pipelines.storage.event_store.lakes import SmallLake, lake_rows

TABLES = district(
    calls=[call("x1", ago(days=3)), call("x1", ago(hours=3), number="n2")],
    transfers=[transfer("b1", ago(hours=1), "300.00")],
    cases=[case(ago(hours=2), numbers=["x1"], accounts=["b1"])],
)
LATER = district(calls=[call("x9", ago(hours=2))], cases=[case(ago(hours=1), numbers=["x9"])])


class Loads:
    """Loads once, as soon as something is said."""

    def __init__(self, small: SmallLake) -> None:
        self.small, self.done = small, False

    def __call__(self, text: str) -> None:
        if not self.done:
            self.done = True
            self.small.append("calls", lake_rows(LATER, "calls"))
            self.small.replace_registers(LATER, ["cases"])


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def small(settings) -> SmallLake:
    found = SmallLake(settings.lake_folder)
    found.replace_registers(TABLES)
    for dataset in ("calls", "transfers"):
        found.append(dataset, lake_rows(TABLES, dataset))
    return found


def read(settings, **options):
    return load_known_records(settings, at=NOON, span=timedelta(days=1), **options)


def peers(known) -> tuple[set[str], set[str]]:
    """Who called by the records, and by the cases."""
    rows = known.tables.calls.select("peer").collect()["peer"]
    named = known.tables.cases.select(pl.col("suspect_numbers").explode()).collect().to_series()
    return set(rows), set(named)


def test_what_is_loaded_meanwhile_is_no_part_of_it(small, settings):
    before = small.lake.fixed().version()
    known = read(settings, progress=Loads(small))
    assert known.data_version == before
    assert peers(known) == ({"x1"}, {"x1"})
    assert "x9" not in set(known.event_index.numbers["peer"])
    again = read(settings)
    assert again.data_version == small.lake.fixed().version() != before
    assert peers(again) == ({"x1", "x9"}, {"x9"})
    assert "x9" in set(again.event_index.numbers["peer"])


def test_records_follow_a_store_that_somebody_brought_further(small, settings):
    class BringsForward(Loads):
        def __call__(self, text: str) -> None:
            if text == "opening the event store" and not self.done:
                super().__call__(text)
                EventStore.of(settings).bring_forward()

    known = read(settings, progress=BringsForward(small))
    assert known.data_version == small.lake.fixed().version()
    assert peers(known) == ({"x1", "x9"}, {"x9"})


def test_a_fixed_lake_reads_one_version_alone(small, settings):
    fixed = small.lake.fixed()
    small.append("calls", lake_rows(LATER, "calls"))
    assert len(fixed.files("calls")) < len(small.lake.files("calls"))
    assert fixed.scan("calls").collect().height == 2
    assert fixed.version() == Lake(settings.lake_folder).at_version(fixed.version()).version()
    assert fixed.fixed() is fixed
