"""What was loaded by mistake is taken out again, and one row of a wrong day moves nothing."""

from datetime import date, timedelta

import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import DeliveryError
from pipelines.ingestion.outcomes.delivery_quality import quality_report
from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.ingestion.waiting_files import last_plausible_day
from pipelines.ingestion.withdrawals.withdrawal import withdraw_load
from pipelines.settings import IngestLimits
from pipelines.storage.as_of import last_day_of_many, latest_moment
from pipelines.storage.event_store.store import EventStore
from pipelines.storage.ledger import Ledger
from tests.pipelines.conftest import counts
from tests.pipelines.landing import DAY, RECEIVED_AT, calls, put, put_district

FAR = date(2062, 7, 11)
WRONG = f"calls/{FAR}/cmcc.parquet"
EARLY, LATER, LAST = (f"calls/{DAY}/cmcc-{time}.parquet" for time in ("1500", "1515", "1530"))


@pytest.fixture
def loaded(home):
    put_district(home.landing)
    home.ingest()
    return home


def numbered(number, *, mark, **options):
    """Calls under record numbers of their own file."""
    rows = calls(number, **options)
    return [row | {"record_id": f"{mark}{row['record_id']}"} for row in rows]


def withdraw(home, path, **options):
    options = {"why": "a wrong year", "received_at": RECEIVED_AT} | options
    return withdraw_load(home.settings, path=path, **options)


def test_a_file_of_a_far_day_waits_and_moves_nothing(loaded):
    before = latest_moment(loaded.settings)
    put(loaded.landing, WRONG, calls(1, day=FAR))
    report = loaded.ingest()[WRONG]
    assert (report.status, report.held, report.accepted) == ("held", 1, 0)
    assert report.reason.startswith("its folder is of 2062-07-11, ")
    assert f"--accept {WRONG}" in report.remedy
    assert latest_moment(loaded.settings) == before
    later = DAY + timedelta(days=2)  # and the days that follow are taken as ever
    put(loaded.landing, f"calls/{later}/cmcc.parquet", calls(day=later))
    assert loaded.ingest()[f"calls/{later}/cmcc.parquet"].accepted == 40


def test_a_row_of_a_far_day_that_got_in_moves_no_command_and_is_taken_out(loaded):
    before, table = latest_moment(loaded.settings), loaded.table("calls")
    put(loaded.landing, WRONG, calls(1, day=FAR))
    assert loaded.ingest(accept=[WRONG])[WRONG].accepted == 1
    assert latest_moment(loaded.settings) == before
    arrived = loaded.lake.arrivals()["rows"].sum()
    done = withdraw(loaded, WRONG)
    assert (done.rows, done.days, done.dataset) == (1, 1, "calls")
    assert_frame_equal(loaded.table("calls"), table, check_row_order=False)
    assert loaded.lake.arrivals()["rows"].sum() == arrived - 1
    (_, accepted), (at, decision) = Ledger(loaded.settings.lake_folder / "ledger.db").decisions()
    assert accepted.kind == "accept"
    assert (at, decision.kind, decision.target_path, decision.rows, decision.why) == (
        RECEIVED_AT,
        "withdraw",
        WRONG,
        1,
        "a wrong year",
    )
    assert EventStore.of(loaded.settings).bring_forward().days > 0
    assert EventStore.of(loaded.settings).verify().is_empty()
    assert Ledger(loaded.settings.lake_folder / "ledger.db").newest_day() == DAY + timedelta(days=1)


def test_what_was_taken_out_comes_again_only_by_name(loaded):
    path = f"transfers/{DAY}/icbc.parquet"
    assert withdraw(loaded, path).rows == 40
    again = loaded.ingest()[path]
    assert (again.status, again.reason) == (
        "duplicate",
        "taken out of the lake again: a wrong year",
    )
    assert (again.duplicates, again.skipped) == (0, 40)
    assert again.remedy == f"If it belongs there, ingest the folder with --accept {path}."
    assert loaded.table("transfers").height == 40
    taken = loaded.ingest(accept=[path])[path]
    assert (taken.accepted, taken.warnings, taken.remedy) == (40, (), "")
    assert loaded.table("transfers").height == 80
    assert withdraw(loaded, path).rows == 40


def test_deliveries_are_counted_without_what_was_taken_out(loaded):
    def accepted():
        report = quality_report(loaded.settings)
        return {(one.dataset, one.source): one.accepted for one in report.sources}

    before = accepted()
    path = f"transfers/{DAY}/icbc.parquet"
    withdraw(loaded, path)
    assert accepted() == before | {("transfers", "icbc"): 40}
    loaded.ingest()
    assert accepted() == before | {("transfers", "icbc"): 40}
    loaded.ingest(accept=[path])
    assert accepted() == before


def test_rows_that_left_with_one_file_come_again_with_others_that_hold_them(home):
    put(home.landing, EARLY, numbered(12, mark="a"))
    spoiled = numbered(1, mark="x", first_line=30)[0] | {"duration_s": -5}
    put(home.landing, LATER, [*numbered(24, mark="b"), spoiled])
    put(home.landing, LAST, numbered(36, mark="c"))
    first = home.ingest()
    assert [first[path].accepted for path in (EARLY, LATER, LAST)] == [12, 12, 12]
    before = home.table("calls")
    done = withdraw(home, EARLY)
    assert (done.rows, done.repeating) == (12, (LATER, LAST))
    assert home.table("calls").height == 24
    again = home.ingest()
    assert [counts(again[path]) for path in (EARLY, LATER, LAST)] == [
        (12, 0, 0, 0, 0),
        (25, 24, 1, 0, 0),
        (36, 12, 0, 24, 0),
    ]
    assert again[LATER].warnings == (
        "read again, since another file with some of its rows was taken out of the lake; "
        "12 rows of it were there before",
    )
    happened = ["number", "peer", "started_at"]
    after = home.table("calls")
    assert_frame_equal(after.select(happened), before.select(happened), check_row_order=False)
    assert after["known_at"].min() == before["known_at"].min() + timedelta(minutes=15)
    assert home.lake.arrivals()["rows"].sum() == 36
    assert read_quarantine(home.settings)["row"].to_list() == [25]
    (calls_now,) = quality_report(home.settings).sources
    assert (calls_now.accepted, calls_now.quarantined) == (36, 1)
    version = home.lake.version()
    assert home.ingest()[LATER].status == "duplicate"
    assert home.lake.version() == version  # once is enough


def test_what_cannot_be_taken_out_is_said(loaded):
    with pytest.raises(DeliveryError, match="nothing was loaded from calls/none"):
        withdraw(loaded, "calls/none")
    with pytest.raises(DeliveryError, match="is a register"):
        withdraw(loaded, "residents.parquet")
    path = f"transfers/{DAY}/icbc.parquet"
    withdraw(loaded, path)
    with pytest.raises(DeliveryError, match="was taken out already: a wrong year") as refused:
        withdraw(loaded, path)
    assert f"--accept {path}" in refused.value.remedy
    copies = f"calls/{DAY}/ctcc-2.parquet"
    put(loaded.landing, copies, calls(20, first_line=10)[:19])
    assert loaded.ingest()[copies].duplicates == 19
    with pytest.raises(DeliveryError, match="holds no rows"):
        withdraw(loaded, copies)


def test_days_of_folders_that_can_be_meant():
    limits, today = IngestLimits(ahead_days=31), date(2026, 8, 5)
    soon, late = date(2026, 9, 1), date(2026, 9, 20)

    def last(*days, newest=date(2026, 8, 4)):
        return last_plausible_day(days, received_on=today, newest=newest, limits=limits)

    assert last(date(2026, 8, 1), FAR) == today
    assert last(soon, late) == late  # one leads to the next
    assert last(late) == today
    assert last(FAR, FAR + timedelta(days=1), newest=None) == FAR + timedelta(days=1)
    assert last(today, FAR, newest=None) == today


def test_the_last_day_is_one_of_many_rows():
    month = {date(2026, 7, day): 1000 for day in range(1, 31)}
    gap = timedelta(days=31)
    assert last_day_of_many(month | {FAR: 1}, gap=gap) == date(2026, 7, 30)
    assert last_day_of_many(month | {FAR: 99, date(2070, 1, 1): 1}, gap=gap) == date(2026, 7, 30)
    assert last_day_of_many(month | {date(2026, 12, 1): 900}, gap=gap) == date(2026, 12, 1)
    assert last_day_of_many(month | {date(2026, 8, 1): 1}, gap=gap) == date(2026, 8, 1)
    assert last_day_of_many({FAR: 1}, gap=gap) == FAR
