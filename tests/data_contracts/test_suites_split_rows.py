import json
from datetime import datetime

import polars as pl

from data_contracts.contract import load_contract
from data_contracts.files.file_reader import read_delivery
from data_contracts.mappings.mapping import SourceMapping
from data_contracts.suites import check_rows, split_rows
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
        ("calls/2026-08-01/cmcc.csv", 3, ["duration_s.negative"]),
        ("calls/2026-08-01/cmcc.csv", 4, ["started_at.unreadable"]),
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
