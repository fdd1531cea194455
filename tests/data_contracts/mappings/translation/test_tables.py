"""What each word of a mapping does to a table."""

import polars as pl
import pytest

from data_contracts.contract import load_contract
from data_contracts.errors import DeliveryError
from data_contracts.mappings.mapping import parse_mapping
from data_contracts.mappings.translation.tables import translate_table

MOVEMENT = {
    "流水号": "1",
    "账号": "62220001",
    "对方账号": "62170001",
    "借贷标志": "借",
    "金额": "100.00",
    "交易时间": "2026-06-15 08:00:00",
    "渠道": "手机银行",
    "对方银行": "建行",
}
CALL = {
    "记录号": "1",
    "本机号码": "13800000000",
    "对方号码": "13900000000",
    "呼叫方向": "主叫",
    "业务类型": "语音",
    "开始时间": "2026-06-15 09:00:00",
    "通话时长": "60",
}


def translate(mapping, *rows, base=MOVEMENT, without=(), dataset="transfers", preamble=()):
    """Translate rows, each a few changed fields of a good one."""
    whole = [{k: v for k, v in (base | row).items() if k not in without} for row in rows]
    raw = pl.DataFrame(whole).with_row_index("_row", offset=1)
    return translate_table(
        raw,
        contract=load_contract(dataset),
        mapping=parse_mapping(mapping, name="icbc.yaml").of(dataset),
        preamble=preamble,
    )


TWO_AMOUNTS = (
    {"支出": "100.00", "收入": ""},
    {"支出": "0.00", "收入": "7"},
    {"支出": "", "收入": ""},
)
NO_AMOUNT = ("金额", "借贷标志")


@pytest.mark.parametrize(
    "mapping",
    [
        "transfers: {amount: {debit: 支出, credit: 收入}}",
        "headings: {transfers: {支出: amount, 收入: amount}}",
        "{}",
    ],
)
def test_two_amount_columns_are_one_amount_with_a_direction(mapping):
    table = translate(mapping, *TWO_AMOUNTS, without=NO_AMOUNT)
    assert table.rows.select("amount", "direction").rows() == [
        ("100.00", "debit"),
        ("7", "credit"),
        (None, None),
    ]
    assert (table.problems, table.ignored) == ({}, ())


def test_two_amount_columns_that_nobody_named_are_taken_with_a_warning():
    (warning,) = translate("{}", *TWO_AMOUNTS, without=NO_AMOUNT).warnings
    assert "`transfers: {amount: {debit: 支出, credit: 收入}}`" in warning


def test_a_row_with_two_amounts_says_two_things():
    table = translate("{}", {"支出": "1", "收入": "2"}, without=NO_AMOUNT)
    assert {code: mask.to_list() for code, mask in table.problems.items()} == {
        "amount.two_amounts": [True]
    }


def test_a_signed_amount_has_its_direction_in_its_sign():
    rows = [{"交易金额": one} for one in ("+100.00", "-101.00", "102")]
    table = translate("transfers: {amount: {signed: 交易金额}}", *rows, without=NO_AMOUNT)
    assert table.rows.select("amount", "direction").rows() == [
        ("100.00", "credit"),
        ("101.00", "debit"),
        ("102", "credit"),
    ]
    other = "transfers: {amount: {signed: 交易金额, negative: credit}}"
    assert translate(other, *rows, without=NO_AMOUNT).rows["direction"].to_list() == [
        "debit",
        "credit",
        "debit",
    ]


def test_a_minus_where_the_direction_is_said_is_a_reversal():
    amounts = ("10.00", "-50,000.00", "(800.00)", "8.00-", "--21.78", "1.234,56")
    table = translate("{}", *({"金额": amount} for amount in amounts))
    assert table.rows.select("amount", "kind").rows() == [
        ("10.00", None),
        ("50,000.00", "reversal"),
        ("800.00", "reversal"),
        ("8.00", "reversal"),
        ("--21.78", None),
        ("1.234,56", None),
    ]


def test_a_minus_before_every_payment_only_repeats_its_direction():
    rows = [{"金额": "-5"}] * 3 + [{"金额": "7", "借贷标志": "贷"}]
    table = translate("{}", *rows)
    assert table.rows["amount"].to_list() == ["5", "5", "5", "7"]
    assert "kind" not in table.rows.columns
    assert len(table.notes) == 1


def test_words_mark_reversals():
    rows = ({"摘要": "冲正交易"}, {"摘要": "转账"}, {"摘要": "红冲"})
    assert translate("{}", *rows).rows["kind"].to_list() == ["reversal", None, None]
    mapping = "transfers: {reversals: {摘要: [红冲]}}"
    assert translate(mapping, *rows).rows["kind"].to_list() == [None, None, "reversal"]


def test_date_and_time_are_joined():
    rows = [
        {"日期": "20260615", "时间": "80000"},
        {"日期": "2026-06-15", "时间": "8:01"},
        {"日期": "2026-06-15 00:00:00", "时间": "18:01:02"},
        {"日期": "2026-06-15", "时间": ""},
    ]
    table = translate(
        "transfers: {join: {occurred_at: [日期, 时间]}}", *rows, without=("交易时间",)
    )
    assert table.rows["occurred_at"].to_list() == [
        "2026-06-15 08:00:00",
        "2026-06-15 08:01:00",
        "2026-06-15 18:01:02",
        "2026-06-15",
    ]


def test_a_part_of_a_field_is_taken_at_a_mark_or_by_a_pattern():
    rows = [{"对方账号与户名": "6217/张三"}, {"对方账号与户名": "手续费"}]
    for how in ('at: "/"', "pattern: '^([0-9]*)'"):
        mapping = f"transfers: {{split: {{peer_account: {{heading: 对方账号与户名, {how}}}}}}}"
        table = translate(mapping, *rows, without=("对方账号",))
        assert table.rows["peer_account"].to_list()[0] == "6217"


def test_constants_and_the_lines_before_the_headings_fill_columns():
    table = translate(
        "transfers:\n  preamble: {account_id: '账号[:：]\\s*(\\d+)'}\n  constants: {channel: 柜面}",
        {},
        without=("账号", "渠道"),
        preamble=("明细", "账号： 62220009,户名：测试"),
    )
    assert table.rows.select("account_id", "channel").rows() == [("62220009", "柜面")]


def test_a_constant_fills_only_what_says_nothing_where_a_heading_is_mapped():
    mapping = "transfers: {headings: {渠道: channel}, constants: {channel: other}}"
    table = translate(mapping, {"渠道": "ATM"}, {"渠道": " "})
    assert table.rows["channel"].to_list() == ["ATM", "other"]


def test_of_several_headings_the_first_counts_that_says_something():
    mapping = "calls: {headings: {主号: msisdn, 备号: msisdn}}"
    rows = [{"主号": "1", "备号": "2"}, {"主号": "", "备号": "3"}]
    table = translate(mapping, *rows, base=CALL, without=("本机号码",), dataset="calls")
    assert table.rows["msisdn"].to_list() == ["1", "3"]


def test_what_the_mapping_names_wins_over_the_contracts_heading():
    table = translate("transfers: {headings: {交易额: amount}}", {"交易额": "5", "金额": "9"})
    assert table.rows["amount"].to_list() == ["5"]
    assert table.ignored == ("金额",)


@pytest.mark.parametrize("one", [1, 1.0, "1", " １ ", True])
def test_values_are_compared_as_text_whatever_their_type(one):
    word = "true" if one is True else "1"
    mapping = f"values: {{calls: {{direction: {{{word}: out, '2': in}}}}}}"
    table = translate(mapping, {"呼叫方向": one}, base=CALL, dataset="calls")
    assert table.rows["direction"].to_list() == ["out"]


def test_values_know_any_letters_and_empty_cells():
    mapping = "calls: {values: {direction: {呼出*: out, '': in}, service: {彩信: sms, '*': voice}}}"
    rows = [{"呼叫方向": "呼出(长途)", "业务类型": "彩信"}, {"呼叫方向": "", "业务类型": "VoLTE"}]
    table = translate(mapping, *rows, base=CALL, dataset="calls")
    assert table.rows.select("direction", "service").rows() == [("out", "sms"), ("in", "voice")]


def test_words_for_nothing_are_nothing():
    table = translate(
        'transfers: {nothing: ["-", "\\\\N"]}', {"对方账号": " -"}, {"对方账号": "\\N"}
    )
    assert table.rows["peer_account"].to_list() == [None, None]


def test_rows_are_kept_and_dropped_by_headings_and_columns_and_counted():
    mapping = "transfers: {keep: {结果: [成功, 已*]}, drop: {direction: [贷], 摘要: [作废, '']}}"
    rows = [
        {"结果": "成功", "摘要": "转账"},
        {"结果": "失败", "摘要": "转账"},
        {"结果": "已记账", "摘要": "作废"},
        {"结果": "成功", "摘要": ""},
        {"结果": "成功", "摘要": "转账", "借贷标志": "贷"},
    ]
    table = translate(mapping, *rows)
    assert table.rows["_row"].to_list() == [1]
    assert table.skipped == {
        "结果 is not 成功 or 已*": 1,
        "摘要 is empty": 1,
        "摘要 is 作废": 1,
        "direction is 贷": 1,
    }


def test_a_filter_by_a_heading_that_is_not_there_is_refused():
    with pytest.raises(DeliveryError, match="no heading 状态"):
        translate("transfers: {keep: {状态: [成功]}}", {})


def test_other_currencies_are_converted_by_the_mappings_rates():
    rows = [{"币种": "usd", "金额": "1,000.00"}, {"币种": "HKD"}, {"币种": "人民币"}]
    table = translate("transfers: {rates: {USD: 7.1234}}", *rows)
    assert table.rows.select("amount", "currency").rows() == [
        ("7123.40", "CNY"),
        ("100.00", "HKD"),
        ("100.00", "人民币"),
    ]


def test_record_numbers_from_content_are_the_same_in_an_overlapping_export():
    mapping = "transfers: {record_numbers: content}"
    day = [{"金额": "1"}, {"金额": "2"}, {"金额": "2"}, {"金额": "3", "账号": "62220002"}]
    first = translate(mapping, *day, without=("流水号",)).rows["record_id"].to_list()
    again = (
        translate(mapping, *day[1:], {"金额": "4"}, without=("流水号",)).rows["record_id"].to_list()
    )
    assert len(set(first)) == 4
    assert again[:3] == first[1:]
    assert first[1].removesuffix("-1") == first[2].removesuffix("-2")


def test_record_numbers_hold_nothing_by_which_an_account_can_be_guessed():
    mapping = "transfers: {record_numbers: content}"
    rows = [{}, {"账号": "62220002"}, {"对方账号": "62170002"}]
    numbers = translate(mapping, *rows, without=("流水号",)).rows["record_id"].to_list()
    assert len(set(numbers)) == 1


def test_record_numbers_from_named_headings():
    mapping = "transfers: {record_numbers: [交易时间, 余额]}"
    rows = [{"余额": "1"}, {"余额": "2"}, {"余额": "1", "金额": "9"}]
    one, two, three = translate(mapping, *rows, without=("流水号",)).rows["record_id"].to_list()
    assert one != two
    assert three == one.removesuffix("1") + "2"


def test_record_numbers_from_headings_that_are_not_there_are_named_with_what_to_write():
    with pytest.raises(DeliveryError, match="none of the headings 余额, 凭证号") as caught:
        translate("transfers: {record_numbers: [余额, 凭证号]}", {})
    assert "record_numbers in the source's mapping" in caught.value.remedy


def test_what_is_missing_is_named_with_what_to_write():
    with pytest.raises(DeliveryError, match=r"lacks the columns account_id\.") as caught:
        translate("{}", {}, without=("账号",))
    assert "`transfers: {headings: {heading in the file: account_id}}`" in caught.value.remedy


def test_two_headings_for_one_column_are_named_with_what_to_write():
    with pytest.raises(DeliveryError, match="two columns for account_id: 账号, account_id"):
        translate("{}", {"account_id": "1"})


def test_columns_that_begin_with_a_line_pass_through_and_the_others_keep_their_types():
    raw = pl.DataFrame([MOVEMENT]).with_columns(金额=pl.lit(5.5), _row=pl.lit(7))
    table = translate_table(
        raw,
        contract=load_contract("transfers"),
        mapping=parse_mapping("{}", name="x").of("transfers"),
    )
    assert table.rows["_row"].to_list() == [7]
    assert table.rows.schema["amount"] == pl.Float64
