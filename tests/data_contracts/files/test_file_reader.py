"""What goes wrong in real deliveries, as far as the reading of one file is concerned."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data_contracts.contract import dataset_names, load_contract
from data_contracts.errors import DeliveryError
from data_contracts.files.file_reader import read_delivery
from data_contracts.mappings.mapping import SourceMapping
from tests.data_contracts.deliveries import (
    CALL_ROWS,
    CALLS,
    CHINESE_CALL_ROWS,
    CHINESE_CALLS,
    CHINESE_TRANSFER_ROWS,
    CHINESE_TRANSFERS,
    READ_CALLS,
    call_table,
    csv_file,
)
from tests.examples import examples

COLUMNS = load_contract("calls").schema.names()


def read_whole(path, dataset="calls", mapping=None):
    return read_delivery(path, contract=load_contract(dataset), mapping=mapping or SourceMapping())


def read(path, dataset="calls", mapping=None):
    return read_whole(path, dataset, mapping).rows


def problems(frame):
    return frame.filter(pl.col("_problems").list.len() > 0).select("_row", "_problems").rows()


def assert_reads_the_three_calls(path, **kwargs):
    frame = read(path, **kwargs)
    assert frame.select(COLUMNS).rows() == READ_CALLS
    assert frame.select(COLUMNS).schema == load_contract("calls").schema
    headings = int(path.suffix != ".parquet")  # are a row as a spreadsheet counts them
    assert frame["_row"].to_list() == [headings + 1, headings + 2, headings + 3]
    assert problems(frame) == []
    assert frame["_raw"].to_list() == [None, None, None]


def test_csv_in_utf8(tmp_path):
    assert_reads_the_three_calls(csv_file(tmp_path, CALLS, *CALL_ROWS))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_chinese_form_in_every_encoding(tmp_path, encoding, newline):
    path = csv_file(tmp_path, CHINESE_CALLS, *CHINESE_CALL_ROWS, encoding=encoding, newline=newline)
    assert_reads_the_three_calls(path)


def test_the_chinese_form_of_transfers(tmp_path):
    frame = read(
        csv_file(tmp_path, CHINESE_TRANSFERS, *CHINESE_TRANSFER_ROWS, encoding="gb18030"),
        dataset="transfers",
    )

    assert frame.select("direction", "amount", "channel", "peer_bank").rows() == [
        ("debit", Decimal("1234.56"), "mobile", "工行"),
        ("credit", Decimal("100.00"), "atm", "建行"),
    ]
    assert problems(frame) == []


def test_a_last_line_without_an_end(tmp_path):
    path = tmp_path / "cmcc.csv"
    path.write_text("\n".join((CALLS, *CALL_ROWS)), encoding="utf-8")
    assert_reads_the_three_calls(path)


def test_columns_in_another_order_and_one_too_many(tmp_path):
    columns = [*COLUMNS[::-1], "cell_13812345678"]
    lines = [",".join([*reversed(row.split(",")), "x"]) for row in CALL_ROWS]

    path = csv_file(tmp_path, ",".join(columns), *lines)

    assert_reads_the_three_calls(path)
    assert read_whole(path).notes == (
        "cmcc.csv: 1 column that the contract does not know is ignored: cell_###########",
    )


def test_a_column_missing(tmp_path):
    header, rows = CALLS.removesuffix(",duration_s"), [row.rpartition(",")[0] for row in CALL_ROWS]

    with pytest.raises(DeliveryError, match=r"cmcc\.csv lacks the columns duration_s\.$"):
        read(csv_file(tmp_path, header, *rows))


def test_a_file_without_headings_shows_none_of_its_values(tmp_path):
    with pytest.raises(DeliveryError) as raised:
        read(csv_file(tmp_path, *CALL_ROWS))
    assert "13812345678" not in str(raised.value)
    assert "lacks the columns record_id" in str(raised.value)


def test_a_transfers_file_in_the_calls_folder(tmp_path):
    with pytest.raises(DeliveryError, match="It looks like a file of transfers"):
        read(csv_file(tmp_path, CHINESE_TRANSFERS, *CHINESE_TRANSFER_ROWS))


def test_two_columns_of_one_meaning(tmp_path):
    with pytest.raises(DeliveryError, match="two columns for msisdn"):
        read(csv_file(tmp_path, CALLS + ",本机号码", *(row + ",13812345678" for row in CALL_ROWS)))
    with pytest.raises(DeliveryError, match="the same heading twice"):
        read(csv_file(tmp_path, CALLS + ",msisdn", *(row + ",13812345678" for row in CALL_ROWS)))


def test_numbers_are_made_tidy(tmp_path):
    rows = (
        "C1,+86 138-1234-5678,010-6555 1234,in,voice,2026/08/01 09:30:15,84",
        "C2,００８６１３８１２３４５６７８,+852 9123 4567,out,voice,2026-08-01T02:00:00Z,0",
        "C3,13987654321,1069 0123 4567,in,sms,2026-08-01 23:59:59,0.0",
    )
    assert_reads_the_three_calls(csv_file(tmp_path, CALLS, *rows))


def test_unreadable_values_name_their_row_and_keep_what_was_delivered(tmp_path):
    rows = (
        CALL_ROWS[0],
        "C2,13812345678,95588,out,voice,yesterday,long",
        "C3,13812345678,95588,out,voice,,0",
    )
    frame = read(csv_file(tmp_path, CALLS, *rows))

    assert problems(frame) == [(3, ["started_at.unreadable", "duration_s.unreadable"])]
    assert json.loads(frame["_raw"][1]) == {
        "record_id": "C2",
        "msisdn": "13812345678",
        "peer_number": "95588",
        "direction": "out",
        "service": "voice",
        "started_at": "yesterday",
        "duration_s": "long",
    }
    assert frame["started_at"].to_list()[1:] == [None, None]


def test_a_comma_that_is_not_quoted_shifts_the_row_and_is_noticed(tmp_path):
    row = "T1,6222020012345678,M0000021,借,1,234.56,2026-08-01 09:30:15,手机银行,工行"
    frame = read(csv_file(tmp_path, CHINESE_TRANSFERS, row), dataset="transfers")

    assert problems(frame) == [(2, ["row.too_many_fields"])]
    assert frame["record_id"].to_list() == [None]
    assert json.loads(frame["_raw"][0]) == {"fields": row.split(","), "headings": 8}


def test_unknown_values_stay_for_the_rules_to_name(tmp_path):
    frame = read(csv_file(tmp_path, CALLS, CALL_ROWS[0].replace(",in,", ",sideways,")))
    assert frame["direction"].to_list() == ["sideways"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cmcc.csv", b"", "empty"),
        ("cmcc.parquet", b"", "empty"),
        (
            "cmcc.csv",
            "\n".join((CALLS, *CALL_ROWS)).encode()[:-30],
            "truncated: its last line breaks off",
        ),
        (
            "cmcc.csv",
            "\n".join((CHINESE_CALLS, *CHINESE_CALL_ROWS, "C4,主")).encode("gb18030")[:-1],
            "truncated",
        ),
        (
            "cmcc.csv",
            "\n".join((CHINESE_CALLS, *CHINESE_CALL_ROWS, "C4,主")).encode()[:-1],
            "truncated",
        ),
        ("cmcc.csv", "\n".join((CALLS, 'C1,"138')).encode(), "truncated"),
        ("cmcc.csv", b"PAR1....PAR1", "mislabelled: its content is Parquet"),
        ("cmcc.parquet", CALLS.encode(), "mislabelled: its content is not Parquet"),
        ("cmcc.parquet", b"PAR1" + bytes(40), "truncated: the end of the Parquet file is missing"),
        ("cmcc.parquet", b"PAR1" + bytes(40) + b"PAR1", "damaged Parquet file"),
        ("cmcc.csv", b"PK\x03\x04....", "ZIP or Excel"),
        ("cmcc.csv", b"\x1f\x8b....", "gzip"),
        ("cmcc.csv", CALLS.encode() + b"\x00\n", "not text in UTF-8 or GB18030"),
        ("cmcc.csv", CALLS.encode() + b"\n\xff\x01\xff\x02,1\n", "not text in UTF-8 or GB18030"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DeliveryError, match=message) as raised:
        read(tmp_path / name)
    assert raised.value.remedy
    assert str(raised.value).startswith(name)


def test_parquet_with_and_without_zones(tmp_path):
    zones = {
        "shanghai": pl.col("started_at"),
        "utc": pl.col("started_at").dt.convert_time_zone(str(UTC)).cast(pl.Datetime("ns", "UTC")),
        "none": pl.col("started_at").dt.replace_time_zone(None).cast(pl.Datetime("ms")),
        "text": pl.col("started_at").dt.strftime("%+"),
    }
    for name, started_at in zones.items():
        path = tmp_path / f"{name}.parquet"
        call_table().with_columns(started_at.alias("started_at")).write_parquet(path)
        assert_reads_the_three_calls(path)


def test_parquet_with_other_types_of_the_same_values(tmp_path):
    path = tmp_path / "cmcc.parquet"
    call_table().with_columns(
        pl.col("msisdn").cast(pl.Int64),
        pl.col("direction").cast(pl.Categorical),
        pl.col("duration_s").cast(pl.Float64),
    ).write_parquet(path)
    assert_reads_the_three_calls(path)


def test_parquet_with_a_column_of_no_readable_type(tmp_path):
    path = tmp_path / "cmcc.parquet"
    call_table().with_columns(duration_s=pl.struct(a=pl.lit(1))).write_parquet(path)
    with pytest.raises(DeliveryError, match="the column duration_s has a type that cannot be read"):
        read(path)


def test_half_a_parquet_file(tmp_path):
    path = tmp_path / "cmcc.parquet"
    call_table().write_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DeliveryError, match="truncated"):
        read(path)


def test_amounts_that_are_no_numbers_in_parquet(tmp_path):
    path = tmp_path / "icbc.parquet"
    columns = load_contract("transfers").schema.names()[:8]
    when = READ_CALLS[0][5]
    rows = [
        (f"T{i}", "62220001", "M0000021", "debit", a, when, "pos", None)
        for i, a in enumerate([1.5, float("nan"), -2.0])
    ]
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(path)

    frame = read(path, dataset="transfers")

    assert frame["amount"].to_list() == [Decimal("1.50"), None, Decimal("2.00")]
    assert frame["kind"].to_list() == ["normal", "normal", "reversal"]
    assert problems(frame) == [(2, ["amount.unreadable"])]
    assert json.loads(frame["_raw"][1])["amount"] == "NaN"


def test_a_sources_own_headings_values_and_delimiter(tmp_path):
    mapping = SourceMapping(
        delimiter="|",
        headings={
            "calls": {
                "CDR": "record_id",
                "A": "msisdn",
                "B": "peer_number",
                "DIR": "direction",
                "SVC": "service",
            }
        },
        values={
            "calls": {"direction": {"MT": "in", "MO": "out"}, "service": {"1": "voice", "2": "sms"}}
        },
    )
    rows = [
        row.replace(",in,", ",MT,")
        .replace(",out,", ",MO,")
        .replace("voice", "1")
        .replace("sms", "2")
        .replace(",", "|")
        for row in CALL_ROWS
    ]
    assert_reads_the_three_calls(
        csv_file(tmp_path, "CDR|A|B|DIR|SVC|开始时间|通话时长", *rows), mapping=mapping
    )


def test_a_file_of_headings_alone_has_no_rows(tmp_path):
    assert read(csv_file(tmp_path, CALLS)).height == 0


def test_a_text_without_duration_has_none_and_a_call_must_say_it(tmp_path):
    rows = [row.rpartition(",")[0] + "," for row in CALL_ROWS]
    assert read(csv_file(tmp_path, CALLS, *rows))["duration_s"].to_list() == [None, None, 0]


def test_rows_that_fit_under_no_heading_stand_between_the_others(tmp_path):
    reading = read_whole(csv_file(tmp_path, CALLS, CALL_ROWS[0], "C2,138", "", *CALL_ROWS[1:]))

    assert reading.rows["_row"].to_list() == [2, 3, 5, 6]
    assert reading.rows["record_id"].to_list() == ["C1", None, "C2", "C3"]
    assert problems(reading.rows) == [(3, ["row.too_few_fields"])]
    assert reading.skipped == {"blank line": 1}
    assert len(reading.warnings) == 1


def test_headings_that_lack_a_column_below_a_preamble(tmp_path):
    with pytest.raises(DeliveryError, match="Line 1 looks like a preamble") as raised:
        read(csv_file(tmp_path, "calls of a day", CALLS.removesuffix(",duration_s"), CALL_ROWS[0]))
    assert "the headings seem to be on line 2" in str(raised.value)
    assert "heading_row" in raised.value.remedy


ACCOUNT_ABOVE = {"transfers": {"preamble": {"account_id": r"卡号[:：]\s*(\d+)"}}}
STATEMENT = ("流水号,借贷标志,金额,交易时间,渠道,对方账号", "1,借,5.00,2026-06-15 10:00:00,柜面,")


@pytest.mark.parametrize("second", ["卡号：62220002", "卡号：62220002,户名：李四,,,,"])
def test_a_file_of_two_statements_is_refused(tmp_path, second):
    mapping = SourceMapping.model_validate(ACCOUNT_ABOVE)
    path = csv_file(tmp_path, "卡号：62220001", *STATEMENT, second, *STATEMENT)
    with pytest.raises(DeliveryError, match="several statements: row 4 says another account_id"):
        read(path, dataset="transfers", mapping=mapping)


def test_a_statement_whose_pages_repeat_the_account_is_read(tmp_path):
    mapping = SourceMapping.model_validate(ACCOUNT_ABOVE)
    path = csv_file(tmp_path, "卡号：62220001", *STATEMENT, "卡号：62220001", *STATEMENT)
    rows = read(path, dataset="transfers", mapping=mapping)
    assert rows["account_id"].to_list() == ["62220001", None, "62220001"]


def test_a_register_may_be_empty(tmp_path):
    path = tmp_path / "cases.parquet"
    pl.DataFrame(schema=load_contract("cases").schema).write_parquet(path)
    assert read(path, dataset="cases").height == 0


def test_old_id_numbers_and_lists_of_a_case(tmp_path):
    header = ",".join(c.name for c in load_contract("cases").columns if not c.optional)
    row = (
        "A1,110105491231002,冒充公检法,既遂,2026-08-01 09:00:00,,2026-08-02 09:00:00,"
        "9544.05,010-65551234;+85512345,"
    )
    frame = read(csv_file(tmp_path, header, row), dataset="cases")

    assert frame.select(
        "id_number", "scam_type", "outcome", "suspect_numbers", "suspect_accounts"
    ).rows() == [("11010519491231002X", "police", "loss", ["01065551234", "0085512345"], [])]


@pytest.mark.parametrize("dataset", dataset_names())
def test_every_dataset_reads_its_own_empty_table_and_its_chinese_headings(tmp_path, dataset):
    contract = load_contract(dataset)
    assert all(column.headings for column in contract.columns)
    if contract.event_column is None:
        frame = read(
            csv_file(tmp_path, ",".join(c.headings[0] for c in contract.columns)), dataset=dataset
        )
        assert frame.drop("_row", "_problems", "_warnings", "_raw").schema == contract.schema


CALLS_DRAWN = st.lists(
    st.fixed_dictionaries(
        {
            "record_id": st.from_regex(r"[A-Z][0-9]{1,12}", fullmatch=True),
            "msisdn": st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
            "peer_number": st.from_regex(
                r"(00852[0-9]{8}|95[0-9]{3}|1[3-9][0-9]{9})", fullmatch=True
            ),
            "direction": st.sampled_from(["in", "out"]),
            "service": st.sampled_from(["voice", "sms"]),
            "started_at": st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 # put in a zone below
            "duration_s": st.integers(-86400, 200000),
        }
    ),
    min_size=1,
    max_size=20,
)


@examples(25)
@given(CALLS_DRAWN)
def test_the_same_calls_read_the_same_from_parquet_and_from_chinese_csv(tmp_path_factory, calls):
    folder = tmp_path_factory.mktemp("calls")
    table = pl.DataFrame(calls).select(
        pl.col("started_at")
        .cast(pl.Datetime("us"))
        .dt.truncate("1s")
        .dt.replace_time_zone("Asia/Shanghai")
        if column == "started_at"
        else column
        for column in COLUMNS
    )
    table.write_parquet(folder / "cmcc.parquet")
    chinese = table.with_columns(
        pl.col("direction").replace({"in": "被叫", "out": "主叫"}),
        pl.col("service").replace({"voice": "语音", "sms": "短信"}),
        pl.col("started_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
    )
    (folder / "cmcc.csv").write_bytes(
        chinese.rename(dict(zip(COLUMNS, CHINESE_CALLS.split(","), strict=True)))
        .write_csv()
        .encode("gb18030")
    )

    from_parquet, from_csv = read(folder / "cmcc.parquet"), read(folder / "cmcc.csv")

    assert_frame_equal(from_parquet.with_columns(pl.col("_row") + 1), from_csv)
    assert_frame_equal(from_parquet.select(COLUMNS), table.cast({"duration_s": pl.Int32}))


def test_a_list_that_is_not_read_in_full_is_taken_with_a_warning(tmp_path):
    header = ",".join(c.name for c in load_contract("cases").columns if not c.optional)
    case = "11010519491231002X,police,loss,2026-06-15 10:00,,2026-06-16 09:00,5"
    path = csv_file(
        tmp_path,
        header,
        f"A1,{case},13812345678/QQ:123,无",
        f"A2,{case},,6222 0200 1234",
    )

    frame = read(path, dataset="cases")

    assert frame["suspect_numbers"].to_list() == [["13812345678"], []]
    assert frame["suspect_accounts"].to_list() == [[], ["622202001234"]]
    assert frame["_problems"].to_list() == [[], []]
    assert frame["_warnings"].to_list() == [["suspect_numbers.unreadable_item"], []]
    assert frame["_raw"].is_null().to_list() == [False, True]


def test_a_movement_may_have_no_other_party_and_a_placeholder_is_none(tmp_path):
    header = "record_id,account_id,peer_account,direction,amount,occurred_at,channel"
    movement = "debit,5,2026-06-15 10:00,mobile"
    named = ("6222020012345678", "", "-", "无", "NONE", "0000")
    lines = [f"{row},6222020012340000,{peer},{movement}" for row, peer in enumerate(named)]

    frame = read(csv_file(tmp_path, header, *lines), dataset="transfers")

    assert frame["peer_account"].to_list() == ["6222020012345678", None, None, None, None, None]
    assert frame["_problems"].list.len().sum() == 0
    assert frame["_warnings"].to_list() == [
        *([], [], [], []),
        ["peer_account.placeholder"],
        ["peer_account.placeholder"],
    ]


def test_a_register_may_name_the_kind_of_identity_document(tmp_path):
    header = ",".join(name for name in load_contract("subscribers").schema if name != "id_kind")
    lines = (
        "13812345678,e12345678,cmcc,2020-01-01,护照",
        "13912345678,01234567,cmcc,2020-01-01,台胞证",
    )

    frame = read(csv_file(tmp_path, f"{header},证件类型", *lines), dataset="subscribers")
    old = read(csv_file(tmp_path, header, lines[0].rsplit(",", 1)[0]), dataset="subscribers")

    assert frame["id_number"].to_list() == ["E12345678", "01234567"]
    assert frame["id_kind"].to_list() == ["passport", "travel_permit"]
    assert old["id_kind"].to_list() == [None]
