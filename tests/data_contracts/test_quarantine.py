import json
from datetime import datetime

import polars as pl
import pytest

from data_contracts.contract import load_all_contracts, load_contract
from data_contracts.files.file_reader import read_delivery
from data_contracts.mappings.mapping import SourceMapping
from data_contracts.quarantine import reason_text, split_rows
from data_contracts.suites import check_rows
from tests.data_contracts.deliveries import CALL_ROWS, CALLS, SHANGHAI, csv_file


def test_good_rows_go_on_and_bad_ones_keep_their_values_and_reasons(tmp_path):
    rows = (
        CALL_ROWS[0],
        CALL_ROWS[1].replace(",0", ",-5").replace("voice", "语音"),
        CALL_ROWS[2].replace("2026-08-01 23:59:59", "midnight"),
    )
    calls = load_contract("calls")
    path = csv_file(tmp_path, CALLS, *rows)
    frame = read_delivery(path, contract=calls, mapping=SourceMapping()).rows
    frame = frame.with_columns(pl.lit("calls/2026-08-01/cmcc.csv").alias("_file"))
    result = check_rows(frame, contract=calls, received_at=datetime(2026, 8, 2, tzinfo=SHANGHAI))

    good, bad = split_rows(frame, result.failures)

    assert good.columns == ["_row", *calls.schema.names(), "_file"]
    assert good["record_id"].to_list() == ["C1"]
    assert bad.select("_file", "_row", "reasons").rows() == [
        ("calls/2026-08-01/cmcc.csv", 2, ["duration_s.negative"]),
        ("calls/2026-08-01/cmcc.csv", 3, ["started_at.unreadable"]),
    ]
    normalised, delivered = (json.loads(text) for text in bad["row_json"])
    assert (normalised["service"], normalised["duration_s"]) == ("voice", -5)
    assert delivered["started_at"] == "midnight"
    assert bad["is_delivered"].to_list() == [False, True]


def test_no_row_is_lost_and_none_is_in_both_parts():
    frame = pl.DataFrame({"_file": ["a", "a", "b"], "_row": [1, 2, 1], "value": ["x", "y", "z"]})
    failures = pl.DataFrame({"_file": ["b"], "_row": [1], "reasons": [["value.malformed"]]})

    good, bad = split_rows(frame, failures)

    assert good.rows() == [("a", 1, "x"), ("a", 2, "y")]
    assert bad.rows() == [("b", 1, ["value.malformed"], '{"value":"z"}', False)]


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    [
        (
            "duration_s.negative",
            "duration_s: The duration is below zero.",
            "通话时长：时长为负数。",
        ),
        ("direction.missing", "direction: The value is missing.", "呼叫方向：缺少必填的值。"),
        ("amount.unreadable", "amount: The value cannot be read.", "金额：取值无法识别。"),
        (
            "row.too_many_fields",
            "The row has more fields than there are headings; a value that holds the separator (as"
            " in 1,234.00) must stand in quotation marks.",
            "该行的字段多于表头；含分隔符的取值（如 1,234.00）须加引号。",
        ),
        (
            "record_id.conflict",
            "record_id: The same record came with other values.",
            "记录号：同一记录以不同内容重复送达。",
        ),
        (
            "amount.two_amounts",
            "amount: Both amount columns hold an amount, so nobody knows which one is meant.",
            "金额：收入与支出两列均有金额，无法判断以哪一列为准。",
        ),
        ("moon.full", "The rule moon.full does not hold.", "不符合规则 moon.full。"),
    ],
)
def test_reasons_in_plain_words(code, english, chinese):
    assert reason_text(code) == english
    assert reason_text(code, "zh") == chinese


def test_every_rule_has_words_in_both_languages():
    for contract in load_all_contracts():
        for rule in contract.rules:
            assert "does not hold" not in reason_text(rule.code)
            assert not reason_text(rule.code, "zh").isascii()


def test_words_are_those_of_the_dataset():
    of_calls = reason_text("direction.unknown_value", "zh", dataset="calls")
    of_transfers = reason_text("direction.unknown_value", "zh", dataset="transfers")
    assert of_calls == "呼叫方向：取值不在 in、out 之内。"
    assert of_transfers == "借贷标志：取值不在 debit、credit 之内。"
    english = reason_text("direction.unknown_value", dataset="transfers")
    assert english == "direction: The value is not one of debit, credit."
    # What a dataset does not know is said as another one says it.
    assert reason_text("duration_s.negative", dataset="transfers") == reason_text(
        "duration_s.negative"
    )
