import json

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.files.file_reader import read_delivery
from data_contracts.mappings.mapping import SourceMapping

HEAD = "流水号,账号,对方账号,借贷标志,金额,交易时间,渠道,对方银行"
ROW = "{n},62220001,6217{n:04d},借,{n}.00,2026-08-01 09:00:00,{channel},建行"


def read_transfers(tmp_path, head, *rows):
    path = tmp_path / "icbc.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return read_delivery(path, contract=load_contract("transfers"), mapping=SourceMapping())


def test_a_file_without_the_optional_columns_has_their_defaults(tmp_path):
    reading = read_transfers(tmp_path, HEAD, ROW.format(n=1, channel="ATM"))

    assert reading.rows.select("currency", "status", "kind").rows() == [("CNY", "booked", "normal")]
    assert reading.skipped == {}


def test_what_was_not_booked_is_left_out_and_counted_and_currencies_have_one_spelling(tmp_path):
    rows = [
        f"{ROW.format(n=n, channel='ATM')},{currency},{status},{kind}"
        for n, (currency, status, kind) in enumerate(
            [
                ("人民币", "成功", ""),
                ("RMB", "失败", ""),
                ("USD", "交易成功", "冲正"),
                ("", "处理中", ""),
                ("156", "", "N"),
                ("CNY", "失败", ""),
                ("CNY", "何故", ""),
            ],
            start=1,
        )
    ]
    reading = read_transfers(tmp_path, f"{HEAD},交易币种,交易是否成功,冲正标志", *rows)

    assert reading.rows.select("_row", "currency", "status", "kind").rows() == [
        (2, "CNY", "booked", "normal"),
        (4, "USD", "booked", "reversal"),
        (6, "CNY", "booked", "normal"),
        (8, "CNY", "何故", "normal"),
    ]
    assert reading.skipped == {"status is failed": 2, "status is pending": 1}


def test_a_channel_that_has_no_word_is_another_one_with_a_warning(tmp_path):
    rows = [ROW.format(n=1, channel="手机银行"), ROW.format(n=2, channel="以物易物")]
    reading = read_transfers(tmp_path, HEAD, *rows)

    assert reading.rows.select("channel", "_problems", "_warnings").rows() == [
        ("mobile", [], []),
        ("other", [], ["channel.other_value"]),
    ]
    assert "以物易物" in json.loads(reading.rows["_raw"][1]).values()


def test_a_missing_required_column_is_still_missing(tmp_path):
    reading = read_transfers(tmp_path, HEAD, ROW.format(n=1, channel=""))
    assert reading.rows["channel"].to_list() == [None]
    assert reading.rows["_warnings"].dtype == pl.List(pl.String)
