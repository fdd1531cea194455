"""What goes wrong in real deliveries, one test a fault: tidied up, quarantined with its reason, or
held as a whole.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from pipelines.ingestion.outcomes.quarantine import read_quarantine
from pipelines.ingestion.parsing.parser_process import Parser
from pipelines.storage.installation.vault import Vault
from tests.pipelines.conftest import counts
from tests.pipelines.landing import (
    CALL_HEADINGS,
    DAY,
    SHANGHAI,
    TRANSFER_HEADINGS,
    calls,
    cases,
    id_number,
    lines,
    msisdn,
    put,
    put_text,
    residents,
    subscribers,
    transfers,
)

CALLS = f"calls/{DAY}/cmcc.csv"
TRANSFERS = f"transfers/{DAY}/icbc.csv"


def spoilt(rows, **changes):
    """The rows with the tenth one changed."""
    return [row | changes if index == 9 else row for index, row in enumerate(rows)]


def reasons(home):
    """(row, reasons) of every quarantined row."""
    return read_quarantine(home.settings).select("row", "reasons").rows()


def chinese(rows):
    """Calls as the Chinese CSV form writes them."""
    words = {"in": "被叫", "out": "主叫", "voice": "语音", "sms": "短信"}
    return [
        row | {"direction": words[row["direction"]], "service": words[row["service"]]}
        for row in rows
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_encodings_with_chinese_headings_and_values(home, encoding):
    put_text(
        home.landing, CALLS, lines(chinese(calls()), headings=CALL_HEADINGS), encoding=encoding
    )
    assert counts(home.only()) == (40, 40, 0, 0, 0)
    row = home.table("calls").sort("record_id").row(1, named=True)
    assert (row["direction"], row["service"], row["duration_s"]) == ("in", "voice", 60)
    assert row["started_at"] == datetime(2026, 8, 1, 8, 10, tzinfo=SHANGHAI)


def test_chinese_transfers(home):
    words = [row | {"direction": "借", "channel": "手机银行"} for row in transfers()]
    put_text(home.landing, TRANSFERS, lines(words, headings=TRANSFER_HEADINGS), encoding="gb18030")
    assert counts(home.only()) == (40, 40, 0, 0, 0)
    assert home.table("transfers").select("direction", "channel").unique().rows() == [
        ("debit", "mobile")
    ]


def test_windows_line_ends(home):
    put_text(home.landing, CALLS, lines(calls(), end="\r\n"))
    assert counts(home.only()) == (40, 40, 0, 0, 0)
    assert home.table("calls")["duration_s"].to_list() == [60] * 40


def test_columns_in_another_order_and_one_too_many(home):
    put(home.landing, CALLS, [{"imei": "0", **dict(reversed(row.items()))} for row in calls()])
    assert counts(home.only()) == (40, 40, 0, 0, 0)


def test_a_missing_column_holds_the_file(home):
    put(
        home.landing,
        CALLS,
        [{name: value for name, value in row.items() if name != "duration_s"} for row in calls()],
    )
    report = home.only()
    assert counts(report) == (0, 0, 0, 0, 0)
    assert "duration_s" in report.reason
    assert home.table("calls").height == 0


FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in "13900000003")


UNTIDY = ["+8613900000003", "008613900000003", "139 0000 0003", "139-0000-0003", FULL_WIDTH]


def test_untidy_numbers_are_the_same_number(home):
    tidy, *others = calls(6)
    rows = [row | {"peer_number": text} for row, text in zip(others, UNTIDY, strict=True)]
    put(home.landing, CALLS, [tidy | {"peer_number": "13900000003"}, *rows])
    assert counts(home.only()) == (6, 6, 0, 0, 0)
    assert home.table("calls")["peer"].n_unique() == 1
    assert home.table("calls")["peer_kind"].unique().to_list() == ["mobile"]


def test_international_numbers_are_alike_with_plus_and_zeros(home):
    one, other = calls(2)
    put(
        home.landing,
        CALLS,
        [one | {"peer_number": "+85212345678"}, other | {"peer_number": "0085212345678"}],
    )
    assert counts(home.only()) == (2, 2, 0, 0, 0)
    assert home.table("calls").select("peer_kind", "peer_area").unique().rows() == [
        ("international", "00852")
    ]
    assert home.table("calls")["peer"].n_unique() == 1


def test_an_id_number_of_15_digits_is_the_same_person(home):
    new = id_number(3)
    old = new[:6] + new[8:17]
    put(home.landing, "residents.parquet", residents())
    put(home.landing, "subscribers.csv", spoilt(subscribers(), id_number=old))
    assert counts(home.ingest()["subscribers.csv"]) == (40, 40, 0, 0, 0)
    table = home.table("subscribers")
    assert table["person"].n_unique() == 39
    (person,) = table.filter(pl.col("person").is_duplicated())["person"].unique()
    assert Vault.open(home.settings).reveal("person", [person]) == {person: new}


def test_a_wrong_check_digit_is_quarantined(home):
    good = id_number(9)
    wrong = good[:17] + ("1" if good[17] != "1" else "2")
    put(home.landing, "residents.parquet", spoilt(residents(), id_number=wrong))
    assert counts(home.only()) == (40, 39, 1, 0, 0)
    assert reasons(home) == [(10, ["id_number.check_digit"])]


BAD_CALLS = [
    ({"direction": "sideways"}, "direction.unknown_value"),
    ({"duration_s": -5}, "duration_s.negative"),
    ({"duration_s": 90_000}, "duration_s.over_a_day"),
    ({"started_at": datetime(2026, 9, 1, tzinfo=SHANGHAI)}, "started_at.in_future"),
    ({"started_at": datetime(1900, 1, 1, tzinfo=SHANGHAI)}, "started_at.too_old"),
    ({"started_at": "yesterday"}, "started_at.unreadable"),
    ({"duration_s": ""}, "duration_s.missing"),
]


def spoilt_files(home, rows, changes, *, path):
    """A file for each change; the tenth row of each is spoilt by it."""
    paths = [path.format(number) for number in range(len(changes))]
    for number, (place, change) in enumerate(zip(paths, changes, strict=True)):
        moment = "started_at" if "started_at" in rows[0] else "occurred_at"
        own = [row | {moment: row[moment] + timedelta(seconds=number)} for row in rows]
        own = [row | {"record_id": f"{row['record_id']}-{number}"} for row in own]
        put(home.landing, place, spoilt(own, **change))
    return paths


def reasons_by_file(home):
    """The reasons of the only quarantined row, the tenth below the headings, of each file."""
    rows = read_quarantine(home.settings).select("path", "row", "reasons").rows()
    assert {row for _, row, _ in rows} == {11}
    assert len({path for path, _, _ in rows}) == len(rows)
    return {path: codes for path, _, codes in rows}


def test_a_bad_call_is_quarantined_with_its_reason(home):
    changes = [change for change, _ in BAD_CALLS]
    paths = spoilt_files(home, calls(), changes, path=f"calls/{DAY}/cmcc-120{{}}.csv")
    assert {counts(report) for report in home.ingest().values()} == {(40, 39, 1, 0, 0)}
    found = reasons_by_file(home)
    for path, (_, reason) in zip(paths, BAD_CALLS, strict=True):
        assert reason in found[path]
    assert not home.table("calls")["record_id"].str.contains("C000009").any()


def test_an_amount_that_is_none_is_quarantined(home):
    changes = [{"amount": amount} for amount in ("0", "-3.00", "NaN")]
    paths = spoilt_files(home, transfers(), changes, path=f"transfers/{DAY}/icbc-120{{}}.csv")
    assert {counts(report) for report in home.ingest().values()} == {(40, 39, 1, 0, 0)}
    found = reasons_by_file(home)
    assert found.keys() == set(paths)
    assert all(code.startswith("amount.") for codes in found.values() for code in codes)


def test_an_amount_with_a_thousands_sign_is_tidied(home):
    put(home.landing, TRANSFERS, spoilt(transfers(), amount='"1,234.56"'))
    assert counts(home.only()) == (40, 40, 0, 0, 0)
    assert home.table("transfers").filter(record_id="T000009")["amount_cny"].to_list() == [
        Decimal("1234.56")
    ]


def test_the_same_file_under_two_names(home):
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    put(home.landing, f"calls/{DAY}/cmcc_copy.parquet", calls())
    reports = home.ingest()
    assert counts(reports[f"calls/{DAY}/cmcc.parquet"]) == (40, 40, 0, 0, 0)
    assert counts(reports[f"calls/{DAY}/cmcc_copy.parquet"]) == (40, 0, 0, 40, 0)
    assert home.table("calls").height == 40


def test_the_same_record_in_two_files_with_different_values(home):
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls(40))
    home.ingest()
    put(home.landing, f"calls/{DAY}/cmcc-2350.parquet", spoilt(calls(41), duration_s=61))
    report = home.ingest()[f"calls/{DAY}/cmcc-2350.parquet"]
    assert counts(report) == (41, 1, 1, 39, 0)
    assert reasons(home) == [(10, ["record_id.conflict"])]
    assert home.table("calls").filter(record_id="C000009")["duration_s"].to_list() == [60]


def test_the_same_record_twice_in_one_file(home):
    rows = calls()
    put(home.landing, CALLS, [*rows, rows[3], rows[4] | {"duration_s": 61}])
    assert counts(home.only()) == (42, 40, 1, 1, 0)
    assert reasons(home) == [(43, ["record_id.conflict"])]


def test_a_file_that_arrives_days_late_marks_its_event_day(home):
    later = DAY + timedelta(days=3)
    put(home.landing, f"calls/{later}/cmcc.parquet", calls(day=later))
    home.ingest()
    before = home.lake.version()
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls(first=500))
    assert counts(home.ingest()[f"calls/{DAY}/cmcc.parquet"]) == (40, 40, 0, 0, 0)
    assert home.lake.changed_days(before, dataset="calls") == [DAY]


def test_late_rows_in_a_later_folder_land_on_their_event_day_and_are_known_from_the_delivery(home):
    later = DAY + timedelta(days=3)
    put(home.landing, f"calls/{later}/cmcc.parquet", [*calls(day=later), *calls(2, first=500)])
    assert counts(home.only()) == (42, 42, 0, 0, 0)
    late = home.table("calls", days=(DAY, DAY))
    assert sorted(late["record_id"]) == ["C000500", "C000501"]
    assert late["known_at"].unique().to_list() == [datetime(2026, 8, 4, tzinfo=SHANGHAI)]


def test_a_batch_with_too_many_bad_rows_is_held_as_a_whole(home):
    rows = [row | {"duration_s": -1} if index < 3 else row for index, row in enumerate(calls())]
    put(home.landing, CALLS, rows)
    put(home.landing, f"calls/{DAY}/ctcc.parquet", calls())
    reports = home.ingest()
    assert counts(reports[CALLS]) == (40, 0, 0, 0, 40)
    reason = "3 of 40 rows are bad, more than 5%: duration_s.negative (3)"
    assert reports[CALLS].reason == reason
    assert "--retry-held" in reports[CALLS].remedy
    assert counts(reports[f"calls/{DAY}/ctcc.parquet"]) == (40, 40, 0, 0, 0)
    assert home.table("calls")["source"].unique().to_list() == ["ctcc"]
    assert counts(home.ingest()[CALLS]) == (40, 0, 0, 0, 40)


def test_a_held_file_is_tried_again_when_asked_or_corrected(home):
    rows = [row | {"duration_s": -1} if index < 3 else row for index, row in enumerate(calls())]
    put(home.landing, CALLS, rows)
    home.ingest()
    home.settings = home.settings.model_copy(
        update={"ingest": home.settings.ingest.model_copy(update={"held_share": 0.1})}
    )
    assert counts(home.only()) == (40, 0, 0, 0, 40)
    assert counts(home.only(retry_held=True)) == (40, 37, 3, 0, 0)
    put(home.landing, CALLS, calls())
    assert counts(home.only()) == (40, 3, 0, 37, 0)


def test_a_truncated_parquet_file_is_held(home):
    for number, kept in enumerate((0, 3, 100, -20)):
        place = put(home.landing, f"calls/{DAY}/cmcc-120{number}.parquet", calls())
        place.write_bytes(place.read_bytes()[:kept])
    reports = home.ingest().values()
    assert len(reports) == 4
    assert {counts(report) for report in reports} == {(0, 0, 0, 0, 0)}
    assert all(report.reason for report in reports)
    assert home.table("calls").height == 0


def test_a_truncated_csv_file_loses_no_whole_row_silently(home):
    place = put_text(home.landing, CALLS, lines(calls()))
    place.write_bytes(place.read_bytes()[:-12])
    report = home.only()
    assert report.rows == report.accepted + report.quarantined + report.held
    assert report.accepted == 0 or report.quarantined == 1


@pytest.mark.parametrize(
    "text", ["", lines(residents(1)).splitlines()[0] + "\n"], ids=["nothing", "headings"]
)
def test_an_empty_register_does_not_wipe_the_old_one(home, text):
    put(home.landing, "residents.csv", residents())
    home.ingest()
    put_text(home.landing, "residents.csv", text)
    report = home.only()
    assert report.reason
    assert home.table("residents").height == 40


def test_empty_files_of_several_days_are_each_held(home):
    paths = [f"calls/{DAY + timedelta(days=offset)}/cmcc.csv" for offset in range(3)]
    for path in paths:
        put_text(home.landing, path, "")
    reports = home.ingest()
    assert [path for path, report in reports.items() if report.reason] == paths
    assert {counts(report) for report in reports.values()} == {(0, 0, 0, 0, 0)}


def test_a_held_file_that_lay_in_the_wrong_folder_is_read_in_the_right_one(home):
    wrong = put(home.landing, "calls/2026-05-01/cmcc.parquet", calls())
    assert home.only().held == 40
    right = home.landing / CALLS.replace("csv", "parquet")
    right.parent.mkdir()
    wrong.rename(right)
    assert counts(home.only()) == (40, 40, 0, 0, 0)
    assert read_quarantine(home.settings).filter("held")["path"].unique().to_list() == [
        "calls/2026-05-01/cmcc.parquet"
    ]


@pytest.mark.parametrize("name", ["cmcc.csv", "cmcc.parquet"])
def test_a_mislabelled_file_is_held_or_read_never_half_read(home, name):
    other = "cmcc.parquet" if name.endswith("csv") else "cmcc.csv"
    place = put(home.landing, f"calls/{DAY}/{other}", calls())
    place.rename(place.with_name(name))
    report = home.only()
    assert counts(report) in {(0, 0, 0, 0, 0), (40, 40, 0, 0, 0)}
    assert bool(report.reason) == (report.rows == 0)


def test_transfers_in_the_calls_folder_are_held(home):
    put(home.landing, f"calls/{DAY}/icbc.parquet", transfers())
    report = home.only()
    assert counts(report) == (0, 0, 0, 0, 0)
    assert report.reason


@pytest.mark.parametrize(
    "path", ["letters/2026-08-01/cmcc.parquet", "calls/august/cmcc.csv", "calls/2026-08-01/a.pdf"]
)
def test_a_file_that_belongs_to_no_dataset_is_named(home, path):
    put_text(home.landing, path, "x")
    report = home.only()
    assert (report.dataset, counts(report)) == ("unknown", (0, 0, 0, 0, 0))
    assert report.reason


def test_truth_and_unfinished_uploads_are_left_alone(home):
    for path in ("truth.parquet", ".hidden.csv", f"calls/{DAY}/cmcc.parquet.part"):
        put_text(home.landing, path, "x")
    assert home.ingest() == {}


def test_a_source_that_is_missing_for_days_leaves_the_others_whole(home):
    for offset in (0, 3):
        put(
            home.landing,
            f"calls/{DAY + timedelta(days=offset)}/cmcc.parquet",
            calls(day=DAY + timedelta(days=offset)),
        )
    home.ingest()
    assert home.lake.days("calls") == [DAY, DAY + timedelta(days=3)]


def test_a_new_scam_code_is_no_fault(home):
    put(home.landing, "cases.parquet", [row | {"scam_type": "ticket_refund"} for row in cases()])
    assert counts(home.only()) == (3, 3, 0, 0, 0)
    assert home.table("cases")["scam_type"].unique().to_list() == ["ticket_refund"]


def test_reports_and_reasons_hold_no_raw_identifier(home):
    put(
        home.landing,
        CALLS,
        spoilt(calls(), peer_number="not a number", msisdn="13800", duration_s=-1),
    )
    put(home.landing, f"calls/{DAY}/ctcc.csv", [row | {"duration_s": -1} for row in calls()])
    text = str(home.ingest()) + read_quarantine(home.settings).write_json()
    for raw in ("13800", "not a number", msisdn(3), "13900000003"):
        assert raw not in text


def test_a_file_that_is_still_being_written_is_held_and_read_by_the_next_run(home, monkeypatch):
    place = put(home.landing, CALLS, calls(20))
    read = Parser.read

    def read_as_it_grows(parser, *args, **options):
        outcome = read(parser, *args, **options)
        put(home.landing, CALLS, calls(40))
        return outcome

    with monkeypatch.context() as patched:
        patched.setattr(Parser, "read", read_as_it_grows)
        report = home.only()
    assert counts(report) == (0, 0, 0, 0, 0)
    assert report.reason == "the file changed while it was read"
    assert place.exists()
    assert counts(home.only()) == (40, 40, 0, 0, 0)


def test_a_movement_without_another_party_is_loaded_without_a_payee(home):
    put(home.landing, TRANSFERS, spoilt(transfers(), peer_account="-"))
    assert counts(home.only()) == (40, 40, 0, 0, 0)

    moves = home.table("transfers").sort("record_id")
    assert moves.row(9, named=True)["payee"] is None
    assert moves["payee"].null_count() == moves["payee_kind"].null_count() == 1


def test_passports_and_permits_are_people(home):
    register = spoilt(residents(), id_number="H1234567802")
    register[8] |= {"id_number": "e12345678"}
    put(home.landing, "residents.csv", register)
    put(home.landing, "subscribers.csv", spoilt(subscribers(), id_number="H12345678"))
    reports = home.ingest()

    assert [counts(report) for report in reports.values()] == [(40, 40, 0, 0, 0)] * 2
    holder = home.table("subscribers").filter(
        ~pl.col("person").is_in(home.table("residents")["person"].implode())
    )
    assert holder.height == 1  # of the passport's owner the number still names another person
