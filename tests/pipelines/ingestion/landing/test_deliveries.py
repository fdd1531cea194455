import os
from datetime import date, datetime

import pytest

from data_contracts.errors import DeliveryError
from pipelines.ingestion.landing.deliveries import list_deliveries
from tests.pipelines.landing import SHANGHAI, calls, put, put_text


def test_registers_come_first_then_events_by_day_and_name(tmp_path):
    for path in (
        "transfers/2026-08-01/icbc.csv",
        "calls/2026-08-02/cmcc.parquet",
        "calls/2026-08-01/ctcc.parquet",
        "calls/2026-08-01/cmcc.parquet",
        "cases.parquet",
        "residents.csv",
        "truth.parquet",
    ):
        put_text(tmp_path, path, "x")
    assert [item.path for item in list_deliveries(tmp_path)] == [
        "residents.csv",
        "cases.parquet",
        "calls/2026-08-01/cmcc.parquet",
        "calls/2026-08-01/ctcc.parquet",
        "calls/2026-08-02/cmcc.parquet",
        "transfers/2026-08-01/icbc.csv",
    ]


@pytest.mark.parametrize(
    ("name", "source", "hour", "minute"),
    [
        ("cmcc.parquet", "cmcc", 0, 0),
        ("cmcc-1510.parquet", "cmcc", 15, 10),
        ("rural_cb-0005.csv", "rural_cb", 0, 5),
        ("cmcc-9999.parquet", "cmcc", 0, 0),
        ("cmcc (1).parquet", "cmcc", 0, 0),
    ],
)
def test_a_name_tells_source_and_time(tmp_path, name, source, hour, minute):
    put_text(tmp_path, f"calls/2026-08-01/{name}", "x")
    (item,) = list_deliveries(tmp_path)
    assert (item.dataset, item.source, item.day, item.problem) == (
        "calls",
        source,
        date(2026, 8, 1),
        "",
    )
    assert item.delivered_at == datetime(2026, 8, 1, hour, minute, tzinfo=SHANGHAI)


def test_through_leaves_out_later_days_only(tmp_path):
    for path in ("calls/2026-08-01/cmcc.csv", "calls/2026-08-02/cmcc.csv", "residents.csv"):
        put_text(tmp_path, path, "x")
    kept = [item.path for item in list_deliveries(tmp_path, through=date(2026, 8, 1))]
    assert kept == ["residents.csv", "calls/2026-08-01/cmcc.csv"]


def test_the_digest_is_of_the_content(tmp_path):
    put_text(tmp_path, "residents.csv", "abc")
    (item,) = list_deliveries(tmp_path)
    assert item.digest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(DeliveryError, match="no landing folder"):
        list_deliveries(tmp_path / "nowhere")


def test_a_link_is_refused_with_what_to_do_and_names_no_corrections(tmp_path):
    landing = tmp_path / "landing"
    put(landing, "calls/2026-08-01/cmcc.parquet", calls(2))
    elsewhere = put_text(tmp_path, "elsewhere.csv", "secret")
    (landing / "calls/2026-08-01/ctcc.csv").symlink_to(elsewhere)
    (landing / "calls/2026-08-01/cmcc.parquet.replaces").symlink_to(elsewhere)
    (landing / "transfers").symlink_to(tmp_path)
    good, *links = list_deliveries(landing)
    assert [(one.path, one.problem) for one in links] == [
        ("calls/2026-08-01/ctcc.csv", "it is a link to another place"),
        ("transfers", "it is a link to another place"),
    ]
    link = links[0]
    assert (good.problem, good.corrects, good.sidecar()) == ("", False, None)
    assert (link.dataset, link.problem) == ("unknown", "it is a link to another place")
    assert "the file itself" in link.remedy


def test_what_is_no_file_or_has_no_readable_name_is_named_and_stops_nobody(tmp_path):
    day = tmp_path / "calls/2026-08-01"
    day.mkdir(parents=True)
    (day / "cmcc.csv").write_text("x")
    (day / os.fsdecode("中国移动.csv".encode("gbk"))).write_text("x")
    (day / os.fsdecode(b"\xff\xfe.csv")).write_text("x")
    (day / "a\x1b[31m\nb.csv").write_text("x")
    (day / "ctcc.csv").mkdir()
    os.mkfifo(day / "cucc.csv")
    (tmp_path / "calls/2026-08-02").symlink_to(day)
    found = {one.path: one.problem for one in list_deliveries(tmp_path)}
    name = "its name is not written in UTF-8, or holds signs that cannot be printed"
    no_file = "it is no file, but a folder, a pipe or a device"
    assert found == {
        "calls/2026-08-01/cmcc.csv": "",
        "calls/2026-08-01/中国移动.csv": name,
        "calls/2026-08-01/\\xff\\xfe.csv": name,
        "calls/2026-08-01/a\\x1b[31m\\nb.csv": name,
        "calls/2026-08-01/ctcc.csv": no_file,
        "calls/2026-08-01/cucc.csv": no_file,
        "calls/2026-08-02": "it is a link to another place",
    }
