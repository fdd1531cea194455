from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from data_contracts.errors import LakeError
from pipelines.storage.lake import Lake
from pipelines.storage.lake_schemas import TABLES
from pipelines.storage.ledger import Arrival, Ledger

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_1, DAY_2 = date(2026, 8, 1), date(2026, 8, 2)


def call(record, *, day, number="n1_a", hour=9):
    started_at = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)
    return {
        "record_id": record,
        "source": "cmcc",
        "number": number,
        "peer": "n1_x",
        "peer_kind": "mobile",
        "peer_area": None,
        "direction": "in",
        "service": "voice",
        "started_at": started_at,
        "duration_s": 60,
        "known_at": started_at + timedelta(minutes=1),
        "event_day": day,
        "file_id": "f",
    }


def calls(*rows):
    return pl.DataFrame(list(rows), schema=TABLES["calls"])


def load(lake, root, dataset, frame, *, batch):
    """Append as ``ingest`` does, with the ledger's part."""
    ledger = Ledger(root / "ledger.db")
    arrivals = [
        Arrival(
            source="cmcc", event_day=day, path=f"{batch}.parquet", rows=number, known_until=None
        )
        for day, number in frame.group_by("event_day").len().iter_rows()
    ]
    ledger.prepare(
        batch,
        dataset=dataset,
        files=[],
        arrivals=arrivals,
        received_at=datetime(2026, 8, 3, tzinfo=SHANGHAI),
    )
    ledger.commit(batch, delta_version=lake.append(dataset, frame, batch=batch))


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)


@pytest.mark.parametrize("dataset", TABLES)
def test_before_the_first_load_every_table_is_there_and_empty(lake, dataset):
    frame = lake.scan(dataset).collect()
    assert frame.schema == TABLES[dataset]
    assert frame.height == 0
    assert lake.days(dataset) == []
    assert lake.last_batch(dataset) == 0


def test_what_was_appended_is_read_back_by_day(lake):
    late = call("2", day=DAY_2)
    lake.append("calls", calls(late, call("1", day=DAY_1)), batch=1)
    assert lake.days("calls") == [DAY_1, DAY_2]
    assert_frame_equal(lake.scan("calls", days=(DAY_2, DAY_2)).collect(), calls(late))
    assert lake.scan("calls").collect().schema == TABLES["calls"]


def test_money_lists_and_missing_values_come_back_as_they_were(lake):
    case = dict.fromkeys(TABLES["cases"]) | {
        "case_id": "A1",
        "loss_amount_cny": Decimal("12.34"),
        "suspect_numbers": ["n1_a", "n1_b"],
        "suspect_accounts": [],
    }
    cases = pl.DataFrame([case], schema=TABLES["cases"])
    lake.replace("cases", cases, batch=1)
    assert_frame_equal(lake.scan("cases").collect(), cases)


def test_the_same_batch_is_added_only_once(lake):
    first = lake.append("calls", calls(call("1", day=DAY_1)), batch=3)
    assert lake.append("calls", calls(call("1", day=DAY_1)), batch=3) == first
    assert lake.scan("calls").collect().height == 1
    assert lake.last_batch("calls") == 3


def test_a_register_is_replaced_as_a_whole(lake):
    tags = pl.DataFrame({"number": ["n1_a", "n1_b"], "tag": ["courier", "courier"]})
    lake.replace("number_tags", tags, batch=1)
    lake.replace("number_tags", tags.head(1), batch=2)
    assert lake.scan("number_tags").collect().rows() == [("n1_a", "courier")]
    lake.replace("number_tags", tags.clear(), batch=3)
    assert lake.scan("number_tags").collect().rows() == []


def test_versions_name_states_that_can_be_read_again(lake, tmp_path):
    load(lake, tmp_path, "calls", calls(call("1", day=DAY_1)), batch=1)
    before = lake.version()
    load(lake, tmp_path, "calls", calls(call("2", day=DAY_2)), batch=2)
    assert before != lake.version()
    assert lake.at_version(before).scan("calls").collect()["record_id"].to_list() == ["1"]
    assert lake.at_version(before).days("calls") == [DAY_1]
    assert lake.at_version("").scan("calls").collect().height == 0


def test_changed_days_are_those_that_gained_rows(lake, tmp_path):
    load(lake, tmp_path, "calls", calls(call("1", day=DAY_1), call("2", day=DAY_2)), batch=1)
    before = lake.version()
    assert lake.changed_days(before, dataset="calls") == []
    load(lake, tmp_path, "calls", calls(call("3", day=DAY_1)), batch=2)
    assert lake.changed_days(before, dataset="calls") == [DAY_1]
    assert lake.changed_days("", dataset="calls") == [DAY_1, DAY_2]
    assert lake.changed_days("", dataset="transfers") == []


def test_compacting_merges_and_sorts_and_changes_nothing_else(lake, tmp_path):
    load(
        lake,
        tmp_path,
        "calls",
        calls(call("1", day=DAY_1, number="n1_c"), call("2", day=DAY_2)),
        batch=1,
    )
    load(lake, tmp_path, "calls", calls(call("3", day=DAY_1, number="n1_a")), batch=2)
    before, version = lake.scan("calls").collect(), lake.version()
    assert lake.compact("calls") == [DAY_1]
    after = lake.scan("calls").collect()
    assert_frame_equal(after, before, check_row_order=False)
    assert lake.scan("calls", days=(DAY_1, DAY_1)).collect()["number"].to_list() == ["n1_a", "n1_c"]
    assert len(DeltaTable(tmp_path / "calls").file_uris()) == 2
    assert lake.version() == version
    assert lake.changed_days(version, dataset="calls") == []
    assert lake.last_batch("calls") == 2
    assert lake.compact("calls") == []
    assert_frame_equal(
        lake.at_version(version).scan("calls").collect(), before, check_row_order=False
    )


def test_only_one_writer_at_a_time(lake, tmp_path):
    with lake.locked(), pytest.raises(LakeError, match="another load"), Lake(tmp_path).locked():
        pass
    with lake.locked():
        pass


def test_a_flipped_bit_is_found(lake, tmp_path):
    lake.append("calls", calls(call("1", day=DAY_1), call("2", day=DAY_2)), batch=1)
    assert lake.damaged_files() == []
    (place,) = (tmp_path / "calls" / f"event_day={DAY_2}").glob("*.parquet")
    content = bytearray(place.read_bytes())
    content[40] ^= 1
    place.write_bytes(content)
    assert lake.damaged_files() == [str(place)]


def test_an_unknown_dataset_or_version_is_refused(lake):
    with pytest.raises(LakeError, match="no dataset 'letters'"):
        lake.scan("letters")
    with pytest.raises(LakeError, match="is no version"):
        lake.at_version("calls=one")


def test_no_commit_tells_more_than_its_batch(lake, tmp_path):
    lake.append("calls", calls(call("1", day=DAY_1)), batch=1)
    (add,) = DeltaTable(tmp_path / "calls").history(1)
    assert set(add) <= {
        "timestamp",
        "operation",
        "operationParameters",
        "engineInfo",
        "clientVersion",
        "version",
    }
