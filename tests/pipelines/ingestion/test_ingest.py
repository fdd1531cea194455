"""A clean delivery: what reaches the lake, what is known when, and that nothing happens twice."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from data_contracts.errors import DeliveryError, LakeError
from pipelines.settings import Feed
from pipelines.storage.installation.vault import Vault
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import TABLES
from pipelines.storage.ledger import Ledger
from tests.pipelines.conftest import Home, counts
from tests.pipelines.landing import (
    DAY,
    SHANGHAI,
    account,
    accounts,
    calls,
    cases,
    id_number,
    msisdn,
    number_tags,
    put,
    put_district,
    residents,
    subscribers,
    transfers,
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """One load that the tests only look at."""
    home = Home(tmp_path_factory.mktemp("loaded"))
    put_district(home.landing)
    home.reports = home.ingest()
    return home


def test_every_file_is_reported_and_every_row_accepted(loaded):
    assert {path: counts(report) for path, report in loaded.reports.items()} == {
        "residents.parquet": (40, 40, 0, 0, 0),
        "subscribers.parquet": (40, 40, 0, 0, 0),
        "accounts.parquet": (40, 40, 0, 0, 0),
        "number_tags.parquet": (2, 2, 0, 0, 0),
        "cases.parquet": (3, 3, 0, 0, 0),
        "calls/2026-08-01/cmcc.parquet": (40, 40, 0, 0, 0),
        "calls/2026-08-01/ctcc.parquet": (20, 20, 0, 0, 0),
        "calls/2026-08-02/cmcc.parquet": (40, 40, 0, 0, 0),
        "calls/2026-08-02/ctcc.parquet": (20, 20, 0, 0, 0),
        "transfers/2026-08-01/icbc.parquet": (40, 40, 0, 0, 0),
        "transfers/2026-08-02/icbc.parquet": (40, 40, 0, 0, 0),
    }
    assert {dataset: loaded.table(dataset).height for dataset in TABLES} == {
        "calls": 120,
        "transfers": 80,
        "residents": 40,
        "subscribers": 40,
        "accounts": 40,
        "number_tags": 2,
        "cases": 3,
    }


def test_the_lake_has_the_agreed_columns_and_types(loaded):
    assert {dataset: loaded.table(dataset).schema for dataset in TABLES} == dict(TABLES)


def test_one_person_has_one_key_in_every_table(loaded):
    residents_, subscribers_ = loaded.table("residents"), loaded.table("subscribers")
    assert (
        set(residents_["person"])
        == set(subscribers_["person"])
        == set(loaded.table("accounts")["person"])
    )
    assert set(loaded.table("cases")["person"]) < set(residents_["person"])
    assert set(loaded.table("calls")["number"]) < set(subscribers_["number"])
    assert set(loaded.table("transfers")["account"]) < set(loaded.table("accounts")["account"])
    assert loaded.table("calls")["number"].str.starts_with("n1_").all()
    assert residents_["person"].str.starts_with("p1_").all()
    assert loaded.table("transfers")["payee"].str.starts_with("a1_").all()


def test_a_number_has_one_key_as_caller_tag_and_suspect(loaded):
    peer_1 = loaded.table("calls").filter(record_id="C000001")["peer"][0]
    assert peer_1 in loaded.table("number_tags")["number"]
    assert loaded.table("cases").filter(case_id="A1")["suspect_numbers"][0].to_list()[0] == peer_1
    payee = loaded.table("transfers").filter(record_id="T000001")["payee"][0]
    assert loaded.table("cases").filter(case_id="A1")["suspect_accounts"][0].to_list() == [payee]


def test_values_of_a_transfer_and_a_resident(loaded):
    row = loaded.table("transfers").filter(record_id="T000000", event_day=DAY).row(0, named=True)
    assert row["amount_cny"] == Decimal("100.50")
    assert row["payee_kind"] == "account"
    assert row["occurred_at"] == row["known_at"] == datetime(2026, 8, 1, 8, tzinfo=SHANGHAI)
    assert loaded.table("residents")["birth_month"].min() == date(1950, 3, 1)
    assert set(loaded.table("residents").columns) & {"id_number", "name", "address"} == set()


def test_the_vault_reveals_people_numbers_and_accounts(loaded):
    vault = Vault.open(loaded.settings)
    calls_ = loaded.table("calls").filter(record_id="C000003", source="cmcc")
    number, peer = calls_["number"][0], calls_["peer"][0]
    assert vault.reveal("number", [number, peer]) == {number: msisdn(3), peer: "13900000003"}
    person = loaded.table("subscribers").filter(number=number)["person"][0]
    (identity,) = vault.reveal_people([person]).values()
    assert identity.id_number == id_number(3)
    assert (identity.name, identity.address, identity.msisdns) == (
        "居民3号",
        "幸福路3号院",
        (msisdn(3),),
    )
    own = loaded.table("accounts").filter(person=person)["account"][0]
    assert vault.reveal("account", [own]) == {own: account(3)}


def test_no_raw_identifier_is_anywhere_in_the_home(loaded):
    content = {
        path: path.read_bytes() + str(path).encode()
        for path in loaded.settings.home.rglob("*")
        if path.is_file() and path.suffix != ".parquet"
    }
    for path in loaded.settings.home.rglob("*.parquet"):  # compressed: look at the values
        content[path] = pl.read_parquet(path).write_json().encode()
    assert len(content) > 10
    for raw in (
        msisdn(3),
        "13900000003",
        id_number(3),
        account(3),
        account(1003),
        "居民3号",
        "幸福路3号院",
    ):
        assert [str(path) for path, data in content.items() if raw.encode() in data] == []


def test_the_same_landing_twice_changes_nothing(loaded):
    before = {dataset: loaded.table(dataset) for dataset in TABLES}
    version = loaded.lake.version()
    for report in loaded.ingest().values():
        assert counts(report) == (report.rows, 0, 0, report.rows, 0)
        assert report.reason == f"already loaded as {report.path}"
    assert loaded.lake.version() == version
    for dataset, table in before.items():
        assert loaded.table(dataset).equals(table)


def test_the_same_file_from_two_sources_counts_once_and_is_warned_of_under_its_own_name(home):
    put_district(home.landing)
    first = home.landing / f"transfers/{DAY}/icbc.parquet"
    copy = f"transfers/{DAY}/psbc.parquet"
    (home.landing / copy).write_bytes(first.read_bytes())
    report = home.ingest()[copy]
    assert (report.source, report.accepted, report.duplicates) == ("psbc", 0, report.rows)
    assert report.warnings == (
        f"the same file came as transfers/{DAY}/icbc.parquet from icbc; its rows count once, "
        "as those of icbc",
    )
    assert home.ingest()[f"transfers/{DAY}/icbc.parquet"].warnings == ()


def test_through_leaves_later_days_and_later_reports_for_another_run(home):
    put_district(home.landing)
    first = home.ingest(through=DAY)
    assert "calls/2026-08-02/cmcc.parquet" not in first
    assert counts(first["cases.parquet"]) == (1, 1, 0, 0, 0)
    assert home.lake.days("calls") == [DAY]
    assert home.table("cases")["case_id"].to_list() == ["A0"]
    assert home.ingest(through=DAY)["cases.parquet"].reason.startswith("already loaded")
    later = home.ingest()
    assert counts(later["cases.parquet"]) == (3, 3, 0, 0, 0)
    assert home.table("cases").height == 3
    assert home.lake.days("calls") == [DAY, DAY + timedelta(days=1)]
    assert home.ingest(through=DAY)["cases.parquet"].reason.startswith("already loaded")
    assert home.table("cases").height == 3


def test_a_record_is_known_when_its_event_has_ended_and_the_feed_has_delivered(home):
    home.settings = home.settings.model_copy(
        update={
            "feeds": {
                "calls": {"cmcc": Feed(delay_minutes=15)},
                "cases": {"default": Feed(delay_minutes=60)},
            }
        }
    )
    two_hours = calls(1)[0] | {"duration_s": 7200}
    put(home.landing, f"calls/{DAY}/cmcc.parquet", [two_hours])
    put(home.landing, f"calls/{DAY}/ctcc.parquet", [two_hours | {"msisdn": msisdn(2)}])
    put(home.landing, "cases.parquet", cases(1))
    home.ingest()
    known = dict(home.table("calls").select("source", "known_at").iter_rows())
    assert known["cmcc"] == datetime(2026, 8, 1, 10, 15, tzinfo=SHANGHAI)
    assert known["ctcc"] == datetime(2026, 8, 1, 10, 0, tzinfo=SHANGHAI)
    assert home.table("cases")["known_at"][0] == datetime(2026, 8, 1, 13, 0, tzinfo=SHANGHAI)


def test_a_live_file_is_known_from_the_time_in_its_name(home):
    put(home.landing, f"calls/{DAY}/cmcc-1510.parquet", calls(1))
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls(2))
    reports = home.ingest()
    assert counts(reports[f"calls/{DAY}/cmcc-1510.parquet"]) == (1, 1, 0, 0, 0)
    assert counts(reports[f"calls/{DAY}/cmcc.parquet"]) == (2, 1, 0, 1, 0)
    known = dict(home.table("calls").select("record_id", "known_at").iter_rows())
    assert known["C000000"] == datetime(2026, 8, 1, 15, 10, tzinfo=SHANGHAI)
    assert known["C000001"] == datetime(2026, 8, 1, 8, 11, tzinfo=SHANGHAI)
    assert home.table("calls")["source"].unique().to_list() == ["cmcc"]


def test_a_call_delivered_from_both_sides_is_two_records(home):
    one = calls(1)[0] | {"msisdn": msisdn(1), "peer_number": msisdn(2), "direction": "out"}
    other = calls(1, first=1)[0] | {
        "msisdn": msisdn(2),
        "peer_number": msisdn(1),
        "direction": "in",
    }
    put(home.landing, f"calls/{DAY}/cmcc.parquet", [one, other])
    assert counts(home.only()) == (2, 2, 0, 0, 0)
    first, second = home.table("calls").sort("record_id").select("number", "peer").rows()
    assert first == second[::-1]


def test_numbers_outside_every_register_stay_in_the_lake(home):
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    assert counts(home.only()) == (40, 40, 0, 0, 0)


def test_a_register_is_replaced_and_an_older_one_can_come_back(home):
    put(home.landing, "number_tags.parquet", number_tags())
    home.ingest()
    put(home.landing, "number_tags.parquet", number_tags()[:1])
    assert counts(home.only()) == (1, 1, 0, 0, 0)
    assert home.table("number_tags").height == 1
    put(home.landing, "number_tags.parquet", number_tags())
    assert counts(home.only()) == (2, 2, 0, 0, 0)
    assert home.table("number_tags").height == 2


def test_a_person_may_hold_several_numbers(home):
    second = subscribers(1)[0] | {"msisdn": msisdn(99)}
    put(home.landing, "residents.parquet", residents(1))
    put(home.landing, "subscribers.parquet", [*subscribers(1), second])
    home.ingest()
    person = home.table("residents")["person"][0]
    assert Vault.open(home.settings).reveal_people([person])[person].msisdns in {
        (msisdn(0), msisdn(99)),
        (msisdn(99), msisdn(0)),
    }


def test_the_latest_address_of_a_person_counts(home):
    moved = residents(3)[1] | {"address": "和平路1号", "community_id": "C001"}
    put(home.landing, "residents.parquet", [*residents(3), moved, residents(3)[2]])
    assert counts(home.only()) == (5, 3, 0, 2, 0)
    table = home.table("residents")
    person = table.filter(community_id="C001")["person"].item()
    assert table["person"].n_unique() == 3
    assert Vault.open(home.settings).reveal_people([person])[person].address == "和平路1号"
    kept = Ledger(home.settings.lake_folder / "ledger.db").latest_load("residents")
    assert kept is not None
    assert kept.warnings == ("1 row is replaced by a later row of the same person",)


def test_a_person_cannot_change_sex_in_a_register(home):
    other = residents(3)[1] | {"sex": "F"}
    put(home.landing, "residents.parquet", [*residents(40), other])
    assert counts(home.only()) == (41, 40, 1, 0, 0)
    assert home.table("residents")["sex"].value_counts().sort("sex").rows() == [
        ("F", 21),
        ("M", 19),
    ]


def test_a_number_and_an_account_may_change_hands(home):
    later = date(2026, 7, 1)
    recycled = subscribers(2)[0] | {"id_number": id_number(1), "activated_on": later}
    clash = subscribers(1)[0] | {"id_number": id_number(2)}
    put(home.landing, "residents.parquet", residents(40))
    put(home.landing, "subscribers.parquet", [recycled, *subscribers(40), clash, recycled])
    moved_on = accounts(2)[0] | {"id_number": id_number(1), "opened_on": later}
    put(home.landing, "accounts.parquet", [*accounts(40), moved_on])
    reports = home.ingest()
    assert counts(reports["subscribers.parquet"]) == (43, 41, 1, 1, 0)
    assert counts(reports["accounts.parquet"]) == (41, 41, 0, 0, 0)
    assert home.table("subscribers")["number"].n_unique() == 40
    assert home.table("accounts")["account"].n_unique() == 40
    # Who holds the number now is called on it, and nobody else.
    identities = Vault.open(home.settings).reveal_people(home.table("residents")["person"])
    held = {one.id_number: set(one.msisdns) for one in identities.values()}
    assert held[id_number(1)] == {msisdn(0), msisdn(1)}
    assert held[id_number(0)] == set()


def test_many_small_batches_give_the_same_lake(home, tmp_path):
    for day in (DAY, DAY + timedelta(days=1)):
        put(home.landing, f"calls/{day}/cmcc.parquet", calls(day=day))
        put(home.landing, f"calls/{day}/cmcc-1200.parquet", calls(20, day=day))
    home.ingest()
    limits = home.settings.ingest.model_copy(update={"batch_rows": 1})
    one_by_one = home.settings.model_copy(
        update={"home": tmp_path / "other", "keys": home.settings.keys_folder}
    )
    one_by_one = one_by_one.model_copy(update={"ingest": limits})
    together = {dataset: home.table(dataset) for dataset in TABLES}
    home.settings = one_by_one
    home.ingest()
    lake = Lake(one_by_one.lake_folder)
    for dataset, table in together.items():
        assert_frame_equal(lake.scan(dataset).collect(), table, check_row_order=False)
    assert len(DeltaTable(one_by_one.lake_folder / "calls").history()) == 5


def test_arrivals_tell_what_came_from_whom_for_which_day(loaded):
    arrivals = loaded.lake.arrivals().filter(dataset="calls", source="cmcc").sort("event_day")
    assert arrivals.select("event_day", "rows", "file").rows() == [
        (DAY, 40, "calls/2026-08-01/cmcc.parquet"),
        (DAY + timedelta(days=1), 40, "calls/2026-08-02/cmcc.parquet"),
    ]
    assert arrivals["known_until"][0] == datetime(2026, 8, 1, 14, 31, tzinfo=SHANGHAI)
    assert arrivals["ingested_at"][0] == datetime(2026, 8, 5, 8, tzinfo=SHANGHAI)


def test_a_delivery_of_days_to_come_is_measured_by_its_own_days(home):
    put_district(home.landing)
    reports = home.ingest(received_at=datetime(2026, 1, 1, tzinfo=SHANGHAI))
    assert sum(report.accepted for report in reports.values()) == 325
    assert home.lake.arrivals()["ingested_at"].unique().to_list() == [
        datetime(2026, 1, 1, tzinfo=SHANGHAI)
    ]


def test_progress_counts_files(home):
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    put(home.landing, f"transfers/{DAY}/icbc.parquet", transfers())
    told = []
    home.ingest(progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_a_landing_folder_that_is_not_there_is_named(home, tmp_path):
    home.landing = tmp_path / "nowhere"
    with pytest.raises(DeliveryError, match="nowhere"):
        home.ingest()


def test_two_loads_at_once_are_refused(home):
    put(home.landing, f"calls/{DAY}/cmcc.parquet", calls())
    with home.lake.locked(), pytest.raises(LakeError, match="another load"):
        home.ingest()
