import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_contracts.forms.lists import (
    account_numbers,
    has_unread_accounts,
    has_unread_numbers,
    phone_numbers,
)

ONE, TWO = "13812345678", "13912345678"
CARD_1, CARD_2 = "6222020200012345678", "62170000000000000002"

NOTHING = ("无", "不详", "未知", "none", "N/A", "-", "/", "0", "", None)
MARKS = [*";；,，、/|\n ", "和", "及", " 和 ", "; ", "\r\n", "。", "以及", " - "]


def read(form, cell):
    return form(pl.Series("column", [cell], dtype=pl.String)).to_list()[0]


def numbers(cell):
    return read(phone_numbers, cell), read(has_unread_numbers, cell)


def accounts(cell):
    return read(account_numbers, cell), read(has_unread_accounts, cell)


@pytest.mark.parametrize(
    "mark", [*";；,，、/|\n ", "和", "及", " 和 ", "; ", "\r\n", "。", "以及", " - "]
)
def test_lists_are_split_at_what_people_type(mark):
    assert numbers(f"{ONE}{mark}{TWO}") == ([ONE, TWO], False)
    assert accounts(f"{CARD_1}{mark}{CARD_2}") == ([CARD_1, CARD_2], False)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("13812345678;+85291234567", [ONE, "0085291234567"]),
        ("010-65551234；", ["01065551234"]),
        ("+86 138 1234 5678;0086-13912345678", [ONE, TWO]),
        ("138 1234 5678 139 1234 5678", [ONE, TWO]),
        ("13812345678-13912345678", [ONE, TWO]),
        ("95588 95566", ["95588", "95566"]),
        ("100 86", ["10086"]),
        ("(010)65551234、(+86)13812345678", ["01065551234", ONE]),
        ("13812345678（微信同号）", [ONE]),
        ("13812345678(备用13912345678)", [ONE, TWO]),
        ("张三13812345678李四13912345678", [ONE, TWO]),
        ("tel13812345678", [ONE]),
        ("手机：138-1234-5678，座机：010-65551234转801", [ONE, "01065551234"]),
        ("微信13812345678", [ONE]),
        ("13812345678,13812345678", [ONE, ONE]),
        ("13812345678;无", [ONE]),
        *(
            (nothing, [])
            for nothing in ("无", "不详", "未知", "none", "N/A", "-", "/", "0", "", None)
        ),
    ],
)
def test_numbers_of_a_cell(cell, found):
    assert numbers(cell) == (found, False)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("微信号wxid_abc123", []),
        ("QQ:12345678", []),
        ("QQ群：12345678，13812345678", [ONE]),
        ("1.39E+10", []),
        ("139****0001", []),
        ("138××××1234/13912345678", [TWO]),
        ("65551234", []),
        ("张三", []),
        ("13812345678 12345", [ONE, "12345"]),
        ("13812345678 1234567", [ONE]),
        ("尾号0001", []),
        ("wxid_abc@qq.com", []),
    ],
)
def test_what_is_no_number_is_left_out_and_said(cell, found):
    assert numbers(cell) == (found, cell != "13812345678 12345")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("6222 0200 1234", ["622202001234"]),
        ("6217 0000 0000 0000 001", ["6217000000000000001"]),
        (
            "6217 0000 0000 0000 001 6217 0000 0000 0000 002",
            ["6217000000000000001", "6217000000000000002"],
        ),
        ("6222-0202-0001-2345", ["6222020200012345"]),
        ("62220200 12345678", ["6222020012345678"]),
        ("62170000000000000002（李某 建行）", [CARD_2]),
        ("建行6222020200012345户名李四", ["6222020200012345"]),
        ("ICBC 6222020200012345", ["6222020200012345"]),
        ("m0000021;6222020200012345.0", ["M0000021", "6222020200012345"]),
        *((nothing, []) for nothing in (*NOTHING, "000000", "NONE")),
    ],
)
def test_accounts_of_a_cell(cell, found):
    assert accounts(cell) == (found, False)


@pytest.mark.parametrize(
    "cell",
    [
        "QQ:12345678",
        "6.217E+18",
        "6217****0001",
        "尾号0001",
        "微信:abc12345",
        "1111111111",
        "支付宝:13900000001",
    ],
)
def test_what_is_no_account_is_left_out_and_said(cell):
    assert accounts(cell) == ([], True)


def test_lists_from_parquet():
    delivered = pl.Series("column", [["+86 138 1234 5678", None, TWO], [], None])

    assert phone_numbers(delivered).to_list() == [[ONE, TWO], [], []]
    assert has_unread_numbers(delivered).to_list() == [False, False, False]


@example(listed=["17000000000", "17900950000", "18000000000"], mark=" ", prefix="", apart=True)
@given(
    listed=st.lists(
        st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), min_size=1, max_size=5, unique=True
    ),
    mark=st.sampled_from([";", "、", " ", "\n", "/", "和"]),
    prefix=st.sampled_from(["", "+86", "0086 ", "86"]),
    apart=st.booleans(),
)
def test_every_number_of_a_list_is_found(listed, mark, prefix, apart):
    written = [prefix + (f"{one[:3]} {one[3:7]} {one[7:]}" if apart else one) for one in listed]

    assert numbers(mark.join(written)) == (listed, False)


@given(st.text(max_size=40))
def test_any_text_is_read_or_said_to_be_unread(cell):
    found, unread = numbers(cell)

    assert all(item.isascii() and item.isdigit() for item in found)
    assert found or unread or not any(sign in "123456789" for sign in cell)
