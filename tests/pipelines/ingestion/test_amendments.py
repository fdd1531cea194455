"""What leaves the lake again: corrections that replace a file, and payments that are reversed."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from data_contracts.errors import DeliveryError
from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.storage.ledger import Ledger
from tests.pipelines.conftest import counts
from tests.pipelines.landing import DAY, put, residents, subscribers, transfers

ICBC = f"transfers/{DAY}/icbc.parquet"
NEXT = DAY + timedelta(days=1)


def times_hundred(rows):
    return [row | {"amount": row["amount"] * 100} for row in rows]


def total(home):
    return home.table("transfers")["amount_cny"].sum()


def ledger(home):
    return Ledger(home.settings.lake_folder / "ledger.db")


def test_a_file_whose_records_have_other_values_is_held_until_it_may_replace(home):
    put(home.landing, ICBC, times_hundred(transfers()))
    home.ingest()
    before = home.lake.version()
    put(home.landing, ICBC, transfers())
    report = home.only()
    assert counts(report) == (40, 0, 0, 0, 40)
    assert f"--replace {ICBC}" in report.remedy
    assert total(home) == Decimal("402000.00")

    assert counts(home.only(replace=[ICBC])) == (40, 40, 0, 0, 0)
    assert total(home) == Decimal("4020.00")
    assert home.lake.at_version(before).scan("transfers").collect()["amount_cny"].sum() == 402000
    assert home.lake.changed_days(before, dataset="transfers") == [DAY]
    assert home.lake.arrivals().select("event_day", "rows").sort("rows").rows() == [
        (DAY, -40),
        (DAY, 40),
        (DAY, 40),
    ]
    ((_, decision),) = ledger(home).decisions()
    assert (decision.kind, decision.path, decision.target_path, decision.rows) == (
        "replace",
        ICBC,
        ICBC,
        40,
    )
    assert read_quarantine(home.settings).height == 0
    assert home.only(replace=[ICBC]).reason == f"already loaded as {ICBC}"
    # What it replaced does not come back by itself.
    put(home.landing, ICBC, times_hundred(transfers()))
    assert home.only().reason == f"replaced by {ICBC}"


def test_a_file_that_came_before_it_was_named_as_a_correction_replaces_all_the_same(home):
    wrong = transfers()
    wrong[0] = wrong[0] | {"amount": wrong[0]["amount"] * 100}
    put(home.landing, ICBC, wrong)
    home.ingest()
    right = total(home) - wrong[0]["amount"] + transfers()[0]["amount"]
    put(home.landing, ICBC, transfers())
    report = home.only()
    assert counts(report) == (40, 0, 1, 39, 0)
    assert f"--replace {ICBC}; it must hold all rows then" in report.remedy

    assert counts(home.only(replace=[ICBC])) == (40, 40, 0, 0, 0)
    assert total(home) == right
    assert home.table("transfers").height == 40
    assert read_quarantine(home.settings).height == 0
    assert home.only().reason == f"already loaded as {ICBC}"
    assert home.only(replace=[ICBC]).reason == f"already loaded as {ICBC}"


def test_a_file_that_was_read_wrong_replaces_itself(home):
    put(home.landing, ICBC, transfers())
    home.ingest()
    before = home.table("transfers").drop("known_at", strict=False)

    assert counts(home.only(replace=[ICBC])) == (40, 40, 0, 0, 0)
    assert home.table("transfers").drop("known_at", strict=False).equals(before)
    assert home.only().reason == f"already loaded as {ICBC}"


def test_a_correction_by_name_takes_the_place_of_the_file_with_its_lost_days(home):
    late = [row | {"record_id": f"L{row['record_id']}"} for row in transfers(10)]
    put(home.landing, f"transfers/{NEXT}/icbc.parquet", [*transfers(day=NEXT), *late])
    put(home.landing, f"transfers/{NEXT}/icbc_更正.parquet", transfers(41, day=NEXT))
    reports = home.ingest()
    assert counts(reports[f"transfers/{NEXT}/icbc.parquet"]) == (50, 50, 0, 0, 0)
    assert "the correction has 41 rows, and 50 would go for it" in (
        reports[f"transfers/{NEXT}/icbc_更正.parquet"].reason
    )  # it lacks the late rows
    home.ingest(replace=[f"transfers/{NEXT}/icbc_更正.parquet"])
    assert home.table("transfers").height == 41
    assert home.lake.days("transfers") == [NEXT]
    assert {report.status for report in home.ingest().values()} == {"duplicate"}


def test_a_file_beside_it_says_what_a_file_replaces(home):
    put(home.landing, ICBC, times_hundred(transfers()))
    place = put(home.landing, f"transfers/{DAY}/icbc-2359.parquet", transfers())
    place.with_name(f"{place.name}.replaces").write_text("icbc.parquet\n")
    reports = home.ingest()
    assert [counts(report) for report in reports.values()] == [(40, 40, 0, 0, 0)] * 2
    assert total(home) == Decimal("4020.00")


def test_a_file_that_is_not_there_cannot_be_named(home):
    put(home.landing, ICBC, transfers())
    with pytest.raises(DeliveryError, match=r"there is no file transfers/x\.csv"):
        home.ingest(replace=["transfers/x.csv"])


def test_a_reversal_undoes_its_payment_in_the_file_and_in_the_lake(home):
    rows = transfers()
    back = [
        rows[3] | {"record_id": "R3", "amount": -rows[3]["amount"]},
        rows[4] | {"record_id": "R4", "amount": -Decimal("9.99")},  # no payment of that amount
    ]
    put(home.landing, ICBC, [*rows, *back])
    report = home.only()
    assert (counts(report), report.skipped) == ((42, 39, 1, 0, 0), 2)
    assert read_quarantine(home.settings)["reasons"].to_list() == [["amount.reverses_nothing"]]

    other = rows[7] | {"record_id": "R7", "amount": -rows[7]["amount"]}
    put(home.landing, f"transfers/{DAY}/icbc-2000.parquet", [other])
    report = home.ingest()[f"transfers/{DAY}/icbc-2000.parquet"]
    assert (counts(report), report.skipped) == ((1, 0, 0, 0, 0), 1)
    assert set(home.table("transfers")["record_id"]) == {
        row["record_id"] for row in rows if row["record_id"] not in ("T000003", "T000007")
    }
    assert [decision.rows for _, decision in ledger(home).decisions()] == [1]
    # Whoever delivers the day once more, under other numbers, brings nothing new.
    again = [row | {"record_id": f"X{row['record_id']}"} for row in [*rows, back[0], other]]
    put(home.landing, f"transfers/{DAY}/icbc-2359.parquet", again)
    assert counts(home.ingest()[f"transfers/{DAY}/icbc-2359.parquet"]) == (42, 0, 0, 42, 0)
    assert home.table("transfers").height == 38


def test_a_register_that_lacks_people_waits_and_can_be_accepted(home):
    put(home.landing, "residents.parquet", residents())
    home.ingest()
    put(home.landing, "residents.parquet", residents(34))
    report = home.only()
    assert counts(report) == (34, 0, 0, 0, 34)
    assert "6 of the 40 entries of residents are missing" in report.reason
    assert "--accept residents.parquet" in report.remedy
    assert home.table("residents").height == 40
    assert counts(home.only(accept=["residents.parquet"])) == (34, 34, 0, 0, 0)
    ((_, decision),) = ledger(home).decisions()
    assert (decision.kind, decision.path) == ("accept", "residents.parquet")
    put(home.landing, "residents.parquet", residents(30))  # four fewer: within bounds
    assert counts(home.only()) == (30, 30, 0, 0, 0)


def test_of_two_files_of_a_register_none_is_taken_until_one_is_chosen(home):
    put(home.landing, "subscribers.csv", subscribers(30))
    put(home.landing, "subscribers-20260801.csv", subscribers(31))
    put(home.landing, "机主.csv", subscribers(31))
    reports = home.ingest()
    assert {path: report.status for path, report in reports.items()} == {
        "subscribers.csv": "held",
        "subscribers-20260801.csv": "held",
        "机主.csv": "duplicate",
    }
    assert "subscribers-20260801.csv" in reports["subscribers.csv"].reason
    assert home.table("subscribers").height == 0
    reports = home.ingest(accept=["subscribers-20260801.csv"])
    assert reports["subscribers-20260801.csv"].accepted == 31
    for report in home.ingest().values():
        assert (report.status, report.accepted) == ("duplicate", 0)
    assert home.table("subscribers").height == 31
    assert ledger(home).held_files() == []


def test_a_file_of_no_dataset_is_kept_in_view_until_it_is_gone(home):
    place = put(home.landing, f"transfers/{DAY}/sub/citic.csv", transfers(1))
    assert home.only().status == "unreadable"
    (stray,) = ledger(home).held_files()
    assert (stray.path, stray.dataset) == (f"transfers/{DAY}/sub/citic.csv", "unknown")
    assert "move the file" in stray.remedy
    place.unlink()
    home.ingest()
    assert ledger(home).held_files() == []


def test_a_new_name_with_the_rows_of_a_known_source_waits(home):
    put(home.landing, ICBC, transfers())
    again = [row | {"record_id": f"X{row['record_id']}"} for row in transfers()]
    path = f"transfers/{DAY}/gongshang.parquet"
    put(home.landing, path, again)
    reports = home.ingest()
    assert counts(reports[path]) == (40, 0, 0, 0, 40)
    assert "those of icbc" in reports[path].reason
    home.settings.home.mkdir(exist_ok=True)
    sources = home.settings.home / "sources"
    sources.mkdir()
    (sources / "gongshang.yaml").write_text("{}")
    home.settings = home.settings.model_copy(update={"sources_folder": sources})
    report = home.ingest()[path]
    assert (counts(report), report.status) == ((40, 0, 0, 40, 0), "duplicate")


def test_a_day_far_below_the_usual_is_warned_of(home):
    days = [date(2026, 7, 20) + timedelta(days=back) for back in range(6)]
    for day in days[:5]:
        put(home.landing, f"transfers/{day}/icbc.parquet", transfers(40, day=day))
    put(home.landing, f"transfers/{days[5]}/icbc.parquet", transfers(3, day=days[5]))
    *usual, last = home.ingest().values()
    assert not any(report.warnings for report in usual)
    assert last.warnings == (
        "icbc has fewer rows of 2026-07-25 than usual, 3 against 40: ask whether the day is whole",
    )


def test_cards_that_a_spreadsheet_cut_wait(home):
    cut = [
        row | {"account_id": f"62220202000{index:04d}0000"} for index, row in enumerate(transfers())
    ]
    put(home.landing, ICBC, cut)
    report = home.only()
    assert (counts(report), "40 of 40 values of account_id" in report.reason) == (
        (40, 0, 0, 0, 40),
        True,
    )
