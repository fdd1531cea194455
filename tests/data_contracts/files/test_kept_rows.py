"""Rejected rows read once more: as delivered through the mapping, or as the contract has them."""

import json
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from data_contracts.contract import load_contract
from data_contracts.files.kept_rows import KeptRow, read_kept_rows
from data_contracts.mappings.language import DatasetMapping
from data_contracts.suites import split_rows

AT = datetime(2026, 8, 1, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
CALL = {
    "record_id": "C1",
    "msisdn": "13800000001",
    "peer_number": "13900000001",
    "direction": "in",
    "service": "voice",
    "started_at": "2026-08-01 09:00:00",
    "duration_s": "1分5秒",
}


def kept(number, values, *, is_delivered=True):
    text = json.dumps(values, ensure_ascii=False)
    return KeptRow(number=number, row_json=text, is_delivered=is_delivered)


def read(*rows, dataset="calls", mapping=None, signs_repeat=False):
    return read_kept_rows(
        rows,
        contract=load_contract(dataset),
        mapping=DatasetMapping.model_validate(mapping or {}),
        signs_repeat=signs_repeat,
        name="cmcc.csv",
    )


def test_rows_as_delivered_go_through_the_mapping_under_their_own_numbers():
    other = {("时长" if name == "duration_s" else name): value for name, value in CALL.items()}
    found = read(
        kept(7, CALL),
        kept(3, other),
        mapping={"headings": {"时长": "duration_s"}, "durations": {"duration_s": ["words"]}},
    )
    assert found.reading.rows.select("_row", "duration_s").rows() == [(3, 65), (7, 65)]
    assert found.unread == ()


def test_lines_before_the_headings_still_say_something():
    values = {name: value for name, value in CALL.items() if name != "msisdn"}
    found = read(
        kept(1, values | {"_preamble": "话单\n号码：13800000009"}),
        mapping={"preamble": {"msisdn": r"号码：(\d+)"}},
    )
    assert found.reading.rows["msisdn"].to_list() == ["13800000009"]


def test_normalised_rows_have_been_through_the_mapping():
    found = read(
        kept(2, CALL | {"duration_s": 3}, is_delivered=False),
        mapping={"durations": {"duration_s": ["minutes"]}},
    )
    assert found.reading.rows["duration_s"].to_list() == [3]


def test_a_table_that_cannot_be_read_leaves_the_others_alone():
    found = read(kept(1, CALL | {"duration_s": "60"}), kept(2, {"a": "x"}))
    assert found.reading.rows["_row"].to_list() == [1]
    assert found.unread == (2,)
    (problem,) = found.problems
    assert "cmcc.csv" in problem


def test_a_line_that_fits_under_no_headings_is_not_guessed():
    found = read(kept(4, {"fields": ["C1", "13800000001"], "headings": 7}))
    assert (found.unread, found.problems, found.reading.rows.height) == ((4,), (), 0)


def test_where_nobody_noted_it_the_columns_tell_how_a_row_was_kept():
    minutes = {"durations": {"duration_s": ["minutes"]}}
    whole = kept(1, CALL | {"duration_s": "3"}, is_delivered=None)
    part = kept(2, CALL | {"duration_s": "3", "备注": ""}, is_delivered=None)
    found = read(whole, part, mapping=minutes)
    assert found.reading.rows["duration_s"].to_list() == [3, 180]


VALUES = {
    "transfers": {
        "record_id": "T1",
        "account_id": "6202000000000001",
        "peer_account": None,
        "direction": "debit",
        "amount": Decimal("100.50"),
        "occurred_at": AT,
        "channel": "mobile",
        "peer_bank": "icbc",
        "kind": "reversal",
    },
    "cases": {
        "case_id": "A1",
        "id_number": "110101195003070003",
        "scam_type": "police",
        "outcome": "loss",
        "first_transfer_at": AT,
        "last_transfer_at": AT,
        "reported_at": AT,
        "loss_amount": Decimal("31000.00"),
        "suspect_numbers": ["13900000001", "0085212345678"],
        "suspect_accounts": ["6202000000000001"],
    },
    "residents": {
        "id_number": "110101195003070003",
        "name": "居民",
        "sex": "F",
        "birth_date": date(1950, 3, 7),
        "residency": "local",
        "community_id": "C000",
        "grid_id": "G0001",
        "address": "幸福路",
    },
}


@pytest.mark.parametrize("dataset", VALUES)
def test_a_normalised_row_comes_back_as_it_was(dataset):
    contract = load_contract(dataset)
    row = {name: VALUES[dataset].get(name) for name in contract.schema}
    frame = pl.DataFrame([{"_file": "f", "_row": 5, **row}], schema_overrides=contract.schema)
    failures = pl.DataFrame({"_file": ["f"], "_row": [5], "reasons": [["row.bad"]]})
    _, bad = split_rows(frame, failures)
    text = bad["row_json"][0]
    found = read(KeptRow(number=5, row_json=text, is_delivered=False), dataset=dataset)
    again = found.reading.rows.select(list(contract.schema)).to_dicts()
    expected = frame.select(list(contract.schema)).to_dicts()
    assert {k: v for k, v in again[0].items() if expected[0][k] is not None} == {
        k: v for k, v in expected[0].items() if v is not None
    }
