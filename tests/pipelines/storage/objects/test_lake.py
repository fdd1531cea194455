"""The lake in an object store: what it holds is what a lake in a folder holds, on bad days too."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from data_contracts.errors import LakeError
from pipelines.settings import Storage
from pipelines.storage.lake import Lake
from pipelines.storage.places.chosen import choose_place
from pipelines.storage.places.objects import Objects
from tests.pipelines.storage.objects.proxy import Rule
from tests.pipelines.storage.test_lake import DAY_1, DAY_2, SHANGHAI, call, calls, load

AT = datetime(2026, 8, 3, tzinfo=SHANGHAI)
COMMIT = r"/_delta_log/\d+\.json"


def lake_at(storage: Storage, folder: Path) -> Lake:
    return Lake(folder, place=choose_place(storage, lake_folder=folder))


@pytest.fixture
def both(bucket, tmp_path) -> tuple[Lake, Lake]:
    """A lake in a folder and one in an object store."""
    return Lake(tmp_path / "local"), lake_at(bucket, tmp_path / "remote")


def records(lake: Lake, dataset: str = "calls", **options) -> list[str]:
    return sorted(lake.scan(dataset, **options).collect()["record_id"])


def test_both_hold_the_same_after_every_way_of_writing(both):
    day_1, day_2 = call("1", day=DAY_1, number="n1_c"), call("2", day=DAY_2)
    tags = pl.DataFrame({"number": ["n1_a", "n1_b"], "tag": ["courier", "courier"]})
    seen = []
    for lake in both:
        load(lake, lake.folder, "calls", calls(day_1, day_2), batch=1)
        first = lake.version()
        load(lake, lake.folder, "calls", calls(call("3", day=DAY_1)), batch=2)
        lake.replace("number_tags", tags, batch=3)
        lake.replace("number_tags", tags.head(1), batch=4)
        lake.amend("calls", calls(call("4", day=DAY_2)), gone=calls(day_2), batch=5, at=AT)
        assert lake.append("calls", calls(day_2), batch=5) == 3
        before = lake.scan("calls").collect().sort("record_id")
        assert lake.compact("calls") == [DAY_1]
        assert_frame_equal(lake.scan("calls").collect().sort("record_id"), before)
        merged = lake.scan("calls", days=(DAY_1, DAY_1)).collect()
        assert merged["number"].to_list() == ["n1_a", "n1_c"]
        files = lake.files("calls")
        seen.append(
            {
                "calls": before,
                "first": lake.at_version(first).scan("calls").collect().sort("record_id"),
                "tags": lake.scan("number_tags").collect(),
                "files": lake.scan_files("calls", files).collect().sort("record_id"),
                "days": lake.days("calls"),
                "then": lake.at_version(first).days("calls"),
                "changed": lake.changed_days(first, dataset="calls"),
                "version": lake.version(),
                "newest": lake.newest_versions(),
                "batch": lake.last_batch("calls"),
                "number": len(files),
                "damaged": lake.damaged_files(),
            }
        )
    local, remote = seen
    for name, held in local.items():
        if isinstance(held, pl.DataFrame):
            assert_frame_equal(remote[name], held)
        else:
            assert remote[name] == held
    assert (local["number"], local["batch"], local["damaged"]) == (2, 5, [])
    assert local["calls"]["record_id"].to_list() == ["1", "3", "4"]
    assert not list((both[1].folder / "scratch").iterdir())


def test_what_is_taken_out_is_gone_from_both_with_all_that_held_it(both):
    tags = pl.DataFrame({"number": ["n1_a", "n1_b"], "tag": ["courier", "courier"]})
    for lake in both:
        lake.append("calls", calls(call("1", day=DAY_1), call("2", day=DAY_2)), batch=1)
        lake.append("calls", calls(call("3", day=DAY_1)), batch=2)
        lake.compact("calls")
        first = lake.files("calls")
        lake.replace("number_tags", tags, batch=3)
        lake.replace("number_tags", tags.head(1), batch=4)

        done = lake.rewrite("calls", lambda rows: rows.clear(), batch=5, at=AT, until=DAY_2)
        assert (done.rows_gone, done.days) == (2, (DAY_1,))
        assert records(lake) == ["2"]
        assert lake.sweep("calls", before=DAY_2) == 3  # of two loads, and of both together
        assert lake.files_there("calls", first) == list(lake.files("calls"))

        without = lake.rewrite(
            "number_tags", lambda rows: rows.filter(pl.col("number") != "n1_a"), batch=6, at=AT
        )
        assert without.rows_gone == 1
        assert lake.sweep("number_tags", readable_from=without.version) == 2
        assert lake.scan("number_tags").collect().is_empty()
        assert lake.rewrite("calls", lambda rows: rows, batch=7, at=AT).version is None
        assert lake.rewrite("cases", lambda rows: rows.clear(), batch=7, at=AT).version is None
        assert "cases" not in lake.newest_versions()
        assert lake.damaged_files() == []


def test_a_flipped_bit_at_rest_is_found(bucket, tmp_path):
    lake = lake_at(bucket, tmp_path)
    lake.append("calls", calls(call("1", day=DAY_1), call("2", day=DAY_2)), batch=1)
    objects = Objects(bucket, "lake")
    (file,) = (name for name in lake.files("calls") if str(DAY_2) in name)
    content = bytearray(objects.read(f"calls/{file}"))
    content[40] ^= 1
    objects._store.put(f"calls/{file}", bytes(content))
    assert lake.damaged_files() == [f"s3://{bucket.bucket}/city/lake/calls/{file}"]


@pytest.mark.parametrize("fault", ["lost", "reset", "busy", "broken", "twice"])
@pytest.mark.parametrize("way", ["append", "amend", "compact"])
def test_a_commit_is_made_once_whatever_becomes_of_its_answer(
    object_server, bucket, tmp_path, fault, way
):
    lake = lake_at(bucket, tmp_path)
    lake.append("calls", calls(call("1", day=DAY_1)), batch=1)
    lake.append("calls", calls(call("2", day=DAY_1)), batch=2)
    bad = lake_at(object_server.with_faults(bucket, Rule("PUT", COMMIT, fault)), tmp_path)
    if way == "append":
        bad.append("calls", calls(call("3", day=DAY_2)), batch=3)
    elif way == "amend":
        gone = calls(call("2", day=DAY_1))
        bad.amend("calls", calls(call("3", day=DAY_2)), gone=gone, batch=3, at=AT)
    else:
        assert bad.compact("calls") == [DAY_1]
    assert fault in {seen for _, _, seen in object_server.requests()}
    expected = {"append": ["1", "2", "3"], "amend": ["1", "3"], "compact": ["1", "2"]}
    assert records(lake) == expected[way]
    assert lake.newest_version("calls") == 3
    assert lake.last_batch("calls") == (2 if way == "compact" else 3)


@pytest.mark.parametrize("fault", ["lost", "reset", "busy", "broken", "twice"])
def test_the_first_commit_of_a_table_and_its_files_bear_bad_days(
    object_server, bucket, tmp_path, fault
):
    faults = (Rule("PUT", COMMIT, fault, times=1), Rule("PUT", r"\.parquet", fault, times=2))
    bad = lake_at(object_server.with_faults(bucket, *faults), tmp_path)
    assert bad.append("calls", calls(call("1", day=DAY_1), call("2", day=DAY_2)), batch=1) == 1
    lake = lake_at(bucket, tmp_path)
    assert records(lake) == ["1", "2"]
    assert lake.damaged_files() == []


@pytest.mark.parametrize("fault", ["reset", "busy", "broken", "cut"])
def test_readers_bear_bad_days(object_server, bucket, tmp_path, fault):
    lake_at(bucket, tmp_path).append("calls", calls(call("1", day=DAY_1)), batch=1)
    faults = (Rule("GET", COMMIT, fault), Rule("GET", r"\.parquet", fault))
    bad = lake_at(object_server.with_faults(bucket, *faults), tmp_path)
    assert records(bad) == ["1"]
    assert {seen for _, _, seen in object_server.requests()} == {"none", fault}


def test_a_late_answer_is_waited_for(object_server, bucket, tmp_path):
    late = Rule("PUT", COMMIT, "late", seconds=1)
    bad = lake_at(object_server.with_faults(bucket, late), tmp_path)
    bad.append("calls", calls(call("1", day=DAY_1)), batch=1)
    assert records(lake_at(bucket, tmp_path)) == ["1"]


def test_an_answer_that_comes_too_late_is_looked_for(object_server, bucket, tmp_path):
    """The commit is made, and its answer comes after the connection was given up."""
    lake = lake_at(bucket, tmp_path)
    lake.append("calls", calls(call("1", day=DAY_1)), batch=1)
    late = Rule("PUT", COMMIT, "late", seconds=3)
    bad = lake_at(object_server.with_faults(bucket, late), tmp_path)
    bad.append("calls", calls(call("2", day=DAY_1)), batch=2)
    assert records(lake) == ["1", "2"]
    assert lake.newest_version("calls") == 2


@pytest.mark.parametrize("fault", ["reset", "busy"])
def test_without_any_answer_a_load_is_not_committed_and_can_be_done_again(
    object_server, bucket, tmp_path, fault
):
    lake = lake_at(bucket, tmp_path)
    lake.append("calls", calls(call("1", day=DAY_1)), batch=1)
    never = Rule("PUT", COMMIT, fault, times=1000)
    bad = lake_at(object_server.with_faults(bucket, never), tmp_path)
    with pytest.raises(LakeError, match="did not answer") as caught:
        bad.append("calls", calls(call("2", day=DAY_1)), batch=2)
    assert "storage.endpoint" in caught.value.remedy
    assert records(lake) == ["1"]
    lake.append("calls", calls(call("2", day=DAY_1)), batch=2)
    assert records(lake) == ["1", "2"]


@pytest.mark.parametrize("fault", ["reset", "refused"])
def test_what_is_said_holds_no_credentials(object_server, bucket, tmp_path, fault):
    rules = [Rule(method, "", fault, times=1000) for method in ("GET", "PUT", "HEAD")]
    bad = lake_at(object_server.with_faults(bucket, *rules), tmp_path)
    for act in (
        lambda: bad.append("calls", calls(call("1", day=DAY_1)), batch=1),
        lambda: bad.days("calls"),
        lambda: bad.newest_version("calls"),
    ):
        with pytest.raises(LakeError) as caught:
            act()
        words = f"{caught.value} {caught.value.remedy}"
        assert ("refused" if fault == "refused" else "did not answer") in words
        assert "very-secret" not in words
        assert caught.value.__cause__ is None


def test_a_bucket_that_does_not_exist_is_said_to_be_missing(bucket, tmp_path):
    lake = lake_at(bucket.model_copy(update={"url": "s3://nowhere/city"}), tmp_path)
    with pytest.raises(LakeError, match="no such bucket"):
        lake.append("calls", calls(call("1", day=DAY_1)), batch=1)


def test_a_shared_folder_holds_the_tables_and_the_home_the_ledger(tmp_path):
    lake = lake_at(Storage(url=str(tmp_path / "shared")), tmp_path / "home")
    load(lake, lake.folder, "calls", calls(call("1", day=date(2026, 8, 1))), batch=1)
    assert DeltaTable(tmp_path / "shared" / "lake" / "calls").version() == 1
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["ledger.db"]
    assert lake.version() == "calls=1"


def test_two_writers_cannot_both_commit(bucket, tmp_path, monkeypatch):
    """The other one commits between our look at the table and our commit."""
    one, other = lake_at(bucket, tmp_path / "one"), lake_at(bucket, tmp_path / "other")
    one.append("calls", calls(call("1", day=DAY_1)), batch=1)
    original = DeltaTable.create_write_transaction

    def late(table, *args, **options):
        monkeypatch.setattr(DeltaTable, "create_write_transaction", original)
        other.append("calls", calls(call("2", day=DAY_1)), batch=2)
        return original(table, *args, **options)

    monkeypatch.setattr(DeltaTable, "create_write_transaction", late)
    with pytest.raises(LakeError, match="somebody else is writing"):
        one.append("calls", calls(call("3", day=DAY_1)), batch=3)
    assert records(one) == ["1", "2"]
