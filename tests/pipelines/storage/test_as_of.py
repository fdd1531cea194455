"""What the lake knew before a moment: the registers that stood then."""

from datetime import datetime, timedelta

import pytest

from pipelines.storage.as_of import source_tables_before
from pipelines.storage.lake import Lake
from tests.pipelines.landing import (
    DAY,
    RECEIVED_AT,
    SHANGHAI,
    accounts,
    calls,
    put,
    residents,
    subscribers,
)

LATER = RECEIVED_AT + timedelta(days=7)


@pytest.fixture
def twice(home):
    """The residents came twice: a week later everybody had moved, and one more was there."""
    put(home.landing, "residents.parquet", residents())
    put(home.landing, "subscribers.parquet", subscribers())
    put(home.landing, "accounts.parquet", accounts())
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    home.ingest(received_at=RECEIVED_AT)
    moved = [row | {"community_id": "C999"} for row in residents(41)]
    put(home.landing, "residents.parquet", moved)
    home.ingest(received_at=LATER)
    return home


def communities(home, at: datetime) -> tuple[int, bool]:
    """How many residents there were, and whether they had moved."""
    people = source_tables_before(home.settings, at=at).residents.collect()
    return people.height, people["community_id"].unique().to_list() == ["C999"]


def test_a_moment_sees_the_register_that_stood_before_it(twice):
    assert communities(twice, RECEIVED_AT + timedelta(minutes=1)) == (40, False)
    assert communities(twice, LATER) == (40, False)
    assert communities(twice, LATER + timedelta(minutes=1)) == (41, True)


def test_a_past_that_was_loaded_afterwards_sees_the_register_of_today(twice):
    noon = datetime(2026, 8, 1, 12, tzinfo=SHANGHAI)
    assert noon < RECEIVED_AT
    assert communities(twice, noon) == (41, True)


def test_a_register_of_days_before_a_column_lacks_its_values(twice, monkeypatch):
    from pipelines.storage import lake

    wider = lake.TABLES["residents"] | {"note": lake.MOMENT}
    monkeypatch.setattr(lake, "TABLES", {**lake.TABLES, "residents": wider})
    at = RECEIVED_AT + timedelta(minutes=1)
    old = Lake(twice.settings.lake_folder).scan_register("residents", before=at).collect()
    assert (old.height, old["note"].null_count()) == (40, 40)
