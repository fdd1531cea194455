"""Each shipped format reads a small made-up file as the real exports look."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from data_contracts.contract import load_contract
from data_contracts.errors import DeliveryError, SettingsError
from data_contracts.files.file_reader import read_delivery
from data_contracts.mappings.mapping import SourceMapping, parse_mapping
from data_contracts.mappings.problems import check_section
from data_contracts.mappings.shipped_formats import load_format, load_formats, recognise_format

EXPORTS = Path(__file__).parent / "exports"
CARD = "6222020200010000000"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def read(name, mapping="", *, encoding="utf-8", tmp_path=None):
    """Read a file of ``exports``, in another encoding if need be."""
    path, dataset = EXPORTS / f"{name}.csv", load_format(name).dataset
    if tmp_path is not None:
        text = path.read_text(encoding="utf-8")
        path = tmp_path / path.name
        path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    said = parse_mapping(mapping, name="x") if mapping else SourceMapping()
    return read_delivery(path, contract=load_contract(dataset), mapping=said)


def unread(rows):
    """Codes of reading, without those of rules."""
    return [code for codes in rows["_problems"] for code in codes]


@pytest.mark.parametrize("name", list(load_formats()))
def test_every_format_is_sound_has_an_export_and_is_known_by_its_headings(name):
    one = load_format(name)
    contract = load_contract(one.dataset)
    assert list(check_section(one.mapping, contract=contract, formats={}, at=lambda *p: p)) == []

    reading = read(name)
    named = read(name, f"{one.dataset}: {{format: {name}}}")

    assert unread(reading.rows) == []
    assert named.rows.equals(reading.rows)
    (warning,) = (text for text in reading.warnings if "format" in text)
    assert f"`{one.dataset}: {{format: {name}}}`" in warning
    assert not any("format:" in text for text in named.warnings)


@pytest.mark.parametrize("name", list(load_formats()))
def test_every_format_reads_gb18030_and_crlf(name, tmp_path):
    reading = read(name, encoding="gb18030", tmp_path=tmp_path)
    assert reading.rows.equals(read(name).rows)


def test_the_police_form_of_34_columns():
    reading = read("police_bank_34")
    columns = ("_row", "account_id", "peer_account", "direction", "amount", "channel", "kind")
    assert reading.rows.select(columns).rows() == [
        (2, CARD, "6217000000000000000", "credit", Decimal("100.50"), "mobile", "normal"),
        (3, CARD, None, "credit", Decimal("3.20"), "other", "normal"),
        (4, "0200000000000000001", None, "debit", Decimal("500.00"), "atm", "normal"),
        (6, CARD, "6217000000000000002", "credit", Decimal("3000.00"), "other", "normal"),
        (7, CARD, "6217000000000000003", "debit", Decimal("122.50"), "mobile", "reversal"),
    ]
    assert reading.rows["currency"].to_list() == ["CNY", "CNY", "CNY", "USD", "CNY"]
    assert reading.rows["occurred_at"][1] == at("2026-06-15 09:01:15")
    assert reading.skipped == {"status is failed": 1}


def test_statements_with_two_amounts_a_date_alone_and_the_account_before_the_headings():
    rows = read("icbc_web").rows
    columns = ("account_id", "direction", "amount", "occurred_at", "channel")
    assert rows.select(columns).rows() == [
        (CARD, "debit", Decimal("1200.00"), at("2026-06-15 23:59:59"), "mobile"),
        (CARD, "credit", Decimal("3.20"), at("2026-06-16 23:59:59"), "other"),
        (CARD, "debit", Decimal("30.00"), at("2026-06-16 23:59:59"), "pos"),
    ]
    assert rows["peer_account"].to_list() == ["6217000000000000000", None, None]


def test_statements_with_a_sign_and_account_and_name_in_one_field():
    rows = read("ccb_statement").rows
    columns = ("account_id", "peer_account", "direction", "amount", "occurred_at", "channel")
    assert rows.select(columns).rows() == [
        (
            *(CARD, "6217000000000000000", "credit", Decimal("100.00")),
            *(at("2026-06-15 08:00:00"), "mobile"),
        ),
        (
            *(CARD, "243300133", "debit", Decimal("101.00")),
            *(at("2026-06-15 08:00:01"), "third_party"),
        ),
        (CARD, None, "credit", Decimal("0.50"), at("2026-06-21 23:59:59"), "other"),
    ]
    assert rows["currency"].unique().to_list() == ["CNY"]


def test_a_statement_whose_interest_tax_is_zero():
    reading = read("abc_statement")
    assert reading.rows["amount"].to_list() == [Decimal("10000.00"), Decimal("10"), Decimal("0.01")]
    assert sum(reading.skipped.values()) == 1


def test_bills_leave_out_what_moves_between_own_pockets_and_what_did_not_happen():
    alipay, wechat = read("alipay_bill"), read("wechat_pay")
    assert alipay.rows.select("_row", "account_id", "peer_account", "direction").rows() == [
        (9, "13800000000", None, "debit"),
        (11, "13800000000", "13900000000", "credit"),
    ]
    assert sorted(alipay.skipped.values()) == [1, 1]
    assert wechat.rows.select("account_id", "direction", "amount").rows() == [
        ("CESHI0001", "debit", Decimal("28.16")),
        ("CESHI0001", "credit", Decimal("1000.35")),
    ]
    assert sorted(wechat.skipped.values()) == [1, 1]


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        (
            "cmcc_calls",
            [
                ("13900000000", "out", "voice", 205),
                ("95588", "in", "voice", 45),
                ("02161234567", "in", "voice", 45),
            ],
        ),
        ("cmcc_texts", [("13900000000", "out", "sms", 0), ("106550001", "in", "sms", 0)]),
        ("cucc_calls", [("13900000000", "out", "voice", 70), ("01012345", "in", "voice", 3723)]),
        ("ctcc_calls", [("13900000000", "out", "voice", 70), ("4001600127", "in", "voice", 0)]),
    ],
)
def test_lists_of_operators(name, calls):
    rows = read(name).rows
    assert rows["msisdn"].n_unique() == 1
    found = rows.select("peer_number", "direction", "service", "duration_s").rows()
    assert [row[1:] for row in found] == [row[1:] for row in calls]
    assert found[0][0] == calls[0][0]


def test_a_bill_that_does_not_say_whose_it_is_asks_for_it(tmp_path):
    path = tmp_path / "alipay.csv"
    text = (EXPORTS / "alipay_bill.csv").read_text(encoding="utf-8")
    path.write_text(text.replace("支付宝账户：13800000000\n", ""), encoding="utf-8")
    contract = load_contract("transfers")

    with pytest.raises(DeliveryError, match=r"lacks the columns account_id\.") as caught:
        read_delivery(path, contract=contract, mapping=SourceMapping())
    assert "`transfers: {format: alipay_bill, constants: {account_id: …}}`" in caught.value.remedy

    said = "transfers: {format: alipay_bill, constants: {account_id: 13700000000}}"
    rows = read_delivery(path, contract=contract, mapping=parse_mapping(said, name="x")).rows
    assert rows["account_id"].unique().to_list() == ["13700000000"]


def test_a_source_says_in_its_own_way_what_differs_from_the_format(tmp_path):
    path = tmp_path / "icbc.csv"
    text = (EXPORTS / "police_bank_34.csv").read_text(encoding="utf-8")
    path.write_text(
        text.replace("交易流水号", "流水标识").replace(",出,", ",付出,"), encoding="utf-8"
    )
    said = """
        transfers:
          format: police_bank_34
          headings: {流水标识: record_id}
          values: {direction: {付出: debit}}
          drop: {摘要说明: [结息]}
    """
    reading = read_delivery(
        path, contract=load_contract("transfers"), mapping=parse_mapping(said, name="x")
    )
    assert reading.rows["record_id"].to_list() == ["S1", "S3", "S5", "S6"]
    assert reading.rows["direction"].to_list() == ["credit", "debit", "credit", "debit"]
    assert reading.skipped == {"摘要说明 is 结息": 1, "status is failed": 1}


def test_headings_of_no_format_are_none():
    assert recognise_format(["流水号", "账号"], dataset="transfers") is None
    with pytest.raises(SettingsError, match=r"no format cbc"):
        load_format("cbc")


def test_an_overlapping_export_gives_the_same_numbers(tmp_path):
    lines = (EXPORTS / "ccb_statement.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "ccb.csv"
    path.write_text("".join([*lines[:3], *lines[4:]]), encoding="utf-8")
    later = read_delivery(path, contract=load_contract("transfers"), mapping=SourceMapping()).rows
    both = read("ccb_statement").rows.join(later, on="record_id", how="inner")
    assert both.height == 2
    assert both.filter(pl.col("amount") != pl.col("amount_right")).is_empty()


def test_a_mapping_that_takes_accounts_from_a_wrong_column_hears_what_to_write(tmp_path):
    path = tmp_path / "alipay.csv"
    text = (EXPORTS / "alipay_bill.csv").read_text(encoding="utf-8")
    path.write_text(text.replace("支付宝账户：13800000000\n", ""), encoding="utf-8")
    said = """
        headings:
          transfers: {交易订单号: record_id, 收/付款方式: account_id, 收/支: direction,
                      交易时间: occurred_at, 交易分类: channel, 交易对方: peer_bank}
        values: {transfers: {direction: {支出: debit, 收入: credit}}}
    """
    reading = read_delivery(
        path, contract=load_contract("transfers"), mapping=parse_mapping(said, name="x")
    )
    what = "`transfers: {format: alipay_bill, constants: {account_id: …}}` instead of what"
    assert any(what in warning for warning in reading.warnings)
