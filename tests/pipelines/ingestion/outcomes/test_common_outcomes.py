"""The most common outcomes of deliveries: which, of how many rows, and where to mend them."""

from datetime import timedelta

import pytest

from data_contracts.words.remedies import remedy_of
from pipelines.ingestion.outcomes.delivery_quality import quality_report
from tests.pipelines.conftest import Home
from tests.pipelines.landing import (
    DAY,
    RECEIVED_AT,
    accounts,
    calls,
    put,
    put_text,
    residents,
    subscribers,
    transfers,
)

NEXT = DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """One call of China Mobile is bad on each of two days, three of China Unicom on the second; a
    day of payments is held, a file has other headings and one is no delivery.
    """
    home = Home(tmp_path_factory.mktemp("outcomes"))
    put(home.landing, "residents.parquet", residents())
    put(home.landing, "subscribers.parquet", subscribers())
    put(home.landing, "accounts.parquet", accounts())
    for number, day in enumerate((DAY, NEXT)):
        rows = calls(day=day, first=100 * number)
        rows[3] |= {"duration_s": -5}
        put(home.landing, f"calls/{day}/cmcc.parquet", rows)
    rows = calls(100, day=NEXT, first=500)
    for place in (7, 8, 9):
        rows[place] |= {"duration_s": -1}
    put(home.landing, f"calls/{NEXT}/cucc.parquet", rows)
    bad = [row | {"direction": "sideways"} for row in transfers()]
    put(home.landing, f"transfers/{DAY}/icbc.parquet", bad)
    put_text(home.landing, f"calls/{DAY}/ctcc.csv", "a,b\n1,2\n")
    put_text(home.landing, "notes.docx", "read me")
    home.ingest(received_at=RECEIVED_AT)
    return quality_report(home.settings)


def test_they_are_counted_by_reason_and_source(outcomes):
    assert [
        (one.dataset, one.source, one.status, one.code, one.rows, one.files)
        for one in outcomes.outcomes
    ] == [
        ("unknown", "", "unreadable", "file.unknown", 0, 1),
        ("calls", "ctcc", "unreadable", "file.unreadable", 0, 1),
        ("transfers", "icbc", "held", "file.bad_rows", 40, 1),
        ("calls", "cucc", "rejected", "duration_s.negative", 3, 1),
        ("calls", "cmcc", "rejected", "duration_s.negative", 2, 2),
    ]
    assert outcomes.outcomes_since == RECEIVED_AT


def test_each_has_words_a_remedy_and_a_page(outcomes):
    for one in outcomes.outcomes:
        assert one.zh != one.en
        assert remedy_of(one.code) is not remedy_of("moon.full")
        assert one.link.startswith(f"/operations/deliveries/{one.code}?")


def test_files_that_wait_are_told_with_their_kind_and_remedy(outcomes):
    held = {file.path: file for file in outcomes.held}
    assert {path: (file.status, file.code, file.rows) for path, file in held.items()} == {
        f"calls/{DAY}/ctcc.csv": ("unreadable", "file.unreadable", 0),
        f"transfers/{DAY}/icbc.parquet": ("held", "file.bad_rows", 40),
        "notes.docx": ("unreadable", "file.unknown", 0),
    }
    assert "--retry-held" in held[f"transfers/{DAY}/icbc.parquet"].remedy


def test_what_was_loaded_days_ago_is_no_longer_told(tmp_path):
    home = Home(tmp_path)
    rows = calls()
    rows[3] |= {"duration_s": -5}
    put(home.landing, f"calls/{DAY}/cmcc.parquet", rows)
    home.ingest(received_at=RECEIVED_AT)
    put(home.landing, f"calls/{NEXT}/cmcc.parquet", calls(day=NEXT, first=100))
    later = RECEIVED_AT + timedelta(days=2)
    home.ingest(received_at=later)
    report = quality_report(home.settings)
    assert (report.outcomes, report.outcomes_since) == ((), later)
