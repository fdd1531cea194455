"""What the engineers' page is told of deliveries, on two drawn days."""

from datetime import datetime, timedelta

import pytest

from pipelines.ingestion.outcomes.delivery_quality import quality_report
from tests.pipelines.conftest import Home
from tests.pipelines.landing import (
    DAY,
    RECEIVED_AT,
    SHANGHAI,
    accounts,
    calls,
    put,
    put_text,
    residents,
    subscribers,
    transfers,
)

NEXT = DAY + timedelta(days=1)
LONG_AGO = DAY - timedelta(days=30)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """One call of 40 is bad; a day later three calls come late, and the only bank has fallen
    silent.
    """
    home = Home(tmp_path_factory.mktemp("quality"))
    put(home.landing, "residents.parquet", residents())
    put(
        home.landing,
        "subscribers.parquet",
        [*subscribers(39), subscribers(40)[39] | {"operator": "cbn"}],
    )
    put(home.landing, "accounts.parquet", accounts())
    spoiled = calls()
    spoiled[9] |= {"duration_s": -5}
    put(home.landing, f"calls/{LONG_AGO}/cmcc.parquet", calls(5, day=LONG_AGO, first=900))
    put(home.landing, f"calls/{DAY}/cmcc.parquet", spoiled)
    put(
        home.landing,
        f"calls/{NEXT}/cmcc.parquet",
        [*calls(10, day=NEXT, first=100), *calls(3, first=200, first_line=20)],
    )
    put(
        home.landing,
        f"calls/{NEXT}/cucc-1510.parquet",
        calls(4, day=NEXT + timedelta(days=1), first=300),
    )
    put_text(home.landing, f"calls/{NEXT}/ctcc.parquet", "")
    put(home.landing, f"transfers/{DAY}/icbc.parquet", transfers(2))
    home.ingest()
    return quality_report(home.settings)


def of(report, dataset, source):
    (found,) = (one for one in report.sources if (one.dataset, one.source) == (dataset, source))
    return found


def test_rows_of_the_last_days_are_added_up(report):
    found = of(report, "calls", "cmcc")
    assert (found.files, found.rows, found.accepted, found.quarantined) == (2, 53, 52, 1)
    assert (found.duplicates, found.held, found.late) == (0, 0, 3)
    assert found.received_at == RECEIVED_AT
    assert found.last_row_at == datetime(
        2026, 8, 2, 9, 31, tzinfo=SHANGHAI
    )  # the tenth call, a minute long


def test_reasons_are_told_in_words_with_their_number(report):
    (reason,) = of(report, "calls", "cmcc").reasons
    assert (reason.code, reason.rows) == ("duration_s.negative", 1)
    assert reason.en.startswith("duration_s: ")
    assert "通话时长" in reason.zh


def test_registers_stand_beside_as_they_are(report):
    assert (
        of(report, "residents", "residents").accepted,
        of(report, "accounts", "accounts").late,
    ) == (40, 0)


def test_held_files_are_named(report):
    (held,) = report.held
    assert held.path == f"calls/{NEXT}/ctcc.parquet"
    assert held.reason


def test_who_fell_silent_and_who_never_came_is_told(report):
    assert [(one.dataset, one.source, one.since and one.since.date()) for one in report.silent] == [
        ("calls", "cbn", None),
        ("transfers", "icbc", DAY),
    ]


def test_a_held_file_that_is_tried_again_counts_once(tmp_path):
    """Twice it is held with the same rows, then mended; at last it is corrected as a whole."""
    home, path = Home(tmp_path), f"transfers/{DAY}/icbc.parquet"
    put(home.landing, path, [row | {"direction": "sideways"} for row in transfers()])
    home.ingest()
    home.ingest(retry_held=True)
    tried = of(quality_report(home.settings), "transfers", "icbc")
    assert (tried.files, tried.rows, tried.accepted, tried.held) == (1, 40, 0, 40)
    put(home.landing, path, transfers(30))
    home.ingest()
    mended = of(quality_report(home.settings), "transfers", "icbc")
    assert (mended.files, mended.rows, mended.accepted, mended.held) == (1, 30, 30, 0)
    put(home.landing, path, transfers(29))
    home.ingest(replace=[path])
    corrected = of(quality_report(home.settings), "transfers", "icbc")
    assert (corrected.files, corrected.rows, corrected.accepted) == (1, 29, 29)


def test_of_a_register_that_is_held_it_is_told_whether_one_stands(tmp_path):
    home = Home(tmp_path)
    bad = [row | {"id_number": "1"} for row in residents(4)]
    put(home.landing, "residents.parquet", bad[:3])
    home.ingest()
    found = of(quality_report(home.settings), "residents", "residents")
    assert (found.rows, found.accepted, found.held, found.in_force) == (3, 0, 3, False)
    put(home.landing, "residents.parquet", residents())
    home.ingest()
    put(home.landing, "residents.parquet", bad)
    home.ingest()
    report = quality_report(home.settings)
    found = of(report, "residents", "residents")
    assert (found.files, found.rows, found.accepted, found.in_force) == (1, 40, 40, True)
    assert [file.path for file in report.held] == ["residents.parquet"]


def test_before_any_load_there_is_nothing(tmp_path):
    found = quality_report(Home(tmp_path).settings)
    assert (found.sources, found.held, found.silent, found.newest_at) == ((), (), (), None)
