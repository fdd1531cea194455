"""Which records a row of a snapshot rests on, by hand."""

import polars as pl

from features.entities.coverage import data_seen_in_snapshot


def test_a_row_tells_what_data_there_is():
    columns = ["calls_in_30d", "calls_out_30d", "sms_30d", "debits_30d", "credit_cny_30d"]
    rows = pl.DataFrame(
        [(0, 0, 3, 0, 0.5), (1, 0, 0, 0, None), (0, 0, 0, 2, 0), (0, 0, 0, 0, 0)],
        columns,
        orient="row",
    )
    assert rows.select(data_seen_in_snapshot()).to_series().to_list() == [
        "both",
        "calls only",
        "transfers only",
        "none",
    ]
