"""A file that waited and was moved or deleted, as its remedy said, waits no more."""

import shutil
from datetime import date

import pytest

from pipelines.ingestion.ingest import ingest
from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.orchestration.recorded_loads import describe_ingest
from pipelines.storage.ledger import Ledger
from tests.pipelines.conftest import PARSER
from tests.pipelines.landing import (
    DAY,
    RECEIVED_AT,
    calls,
    put,
    put_district,
    put_text,
    residents,
)

FAR = f"calls/{date(2062, 6, 16)}/cmcc.parquet"
COPY = f"calls/{DAY}/kopie.parquet"
SECOND = "residents-2.parquet"
EMPTY = "Cases.csv"


@pytest.fixture
def waiting(home):
    """A district with a day far ahead, a copy under a new name and an empty register that wait."""
    put_district(home.landing)
    home.ingest()
    put(home.landing, FAR, calls(1, day=date(2062, 6, 16)))
    put(home.landing, COPY, [row | {"record_id": f"x{row['record_id']}"} for row in calls()])
    put_text(home.landing, EMPTY, "")
    home.ingest()
    assert waits(home) == {FAR, COPY, EMPTY}
    return home


def ledger(home):
    return Ledger(home.settings.lake_folder / "ledger.db")


def waits(home):
    return {file.path for file in ledger(home).held_files()}


def gone(reports):
    return {path for path, report in reports.items() if report.status == "gone"}


def test_what_was_moved_or_deleted_waits_no_more_and_is_told_once(waiting):
    shutil.rmtree((waiting.landing / FAR).parent)
    (waiting.landing / COPY).unlink()
    (waiting.landing / EMPTY).unlink()
    rows = {name: waiting.table(name).height for name in ("calls", "cases")}
    reports = waiting.ingest()
    assert gone(reports) == {FAR, COPY, EMPTY}
    assert reports[FAR].reason.startswith("it waited (its folder is of 2062-06-16")
    assert waits(waiting) == set()
    assert read_quarantine(waiting.settings).is_empty()
    assert rows == {name: waiting.table(name).height for name in rows}
    assert gone(waiting.ingest()) == set()
    assert {one.kind for _, one in ledger(waiting).decisions()} == {"gone"}


def test_a_second_register_that_was_deleted_leaves_the_first_to_be_loaded(home):
    put_district(home.landing)
    put(home.landing, SECOND, residents(39))
    home.ingest()
    assert waits(home) == {"residents.parquet", SECOND}
    (home.landing / SECOND).unlink()
    reports = home.ingest()
    assert (reports["residents.parquet"].accepted, gone(reports)) == (40, {SECOND})
    assert waits(home) == set()


def test_the_run_counts_what_is_gone_apart_from_what_was_delivered(waiting):
    (waiting.landing / COPY).unlink()
    loaded = ingest(
        waiting.landing, settings=waiting.settings, received_at=RECEIVED_AT, parser=PARSER
    )
    facts = describe_ingest(loaded, {"settings": waiting.settings}).facts
    assert (facts["gone"], facts["files"], len(loaded.files)) == (1, 13, 14)


def test_a_file_that_comes_back_waits_again(waiting):
    kept = waiting.landing / COPY
    content = kept.read_bytes()
    kept.unlink()
    assert gone(waiting.ingest()) == {COPY}
    kept.write_bytes(content)
    assert waiting.ingest()[COPY].status == "held"
    assert COPY in waits(waiting)


def test_a_later_day_that_was_left_alone_is_not_gone(waiting):
    assert gone(waiting.ingest(through=DAY)) == set()
    assert FAR in waits(waiting)


def test_another_or_an_emptied_landing_folder_clears_nothing(waiting, tmp_path):
    before = waits(waiting)
    right, wrong = waiting.landing, tmp_path / "wrong"
    put_district(wrong)
    waiting.landing = wrong  # with the same names in it
    assert gone(waiting.ingest()) == set()
    waiting.landing = right
    kept = tmp_path / "kept"
    shutil.move(right, kept)
    right.mkdir()
    assert gone(waiting.ingest()) == set()
    assert waits(waiting) == before
    right.rmdir()
    (kept / COPY).unlink()
    waiting.landing = kept  # renamed, and the copy deleted
    assert gone(waiting.ingest()) == {COPY}
