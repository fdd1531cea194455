from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.forms.amounts import money, whole_number


def one(form, value, dtype=None):
    return form(pl.Series("column", [value], dtype=dtype)).to_list()[0]


@pytest.mark.parametrize(
    ("delivered", "amount"),
    [
        ("100", "100.00"),
        ("1,234.56", "1234.56"),
        ("12,345,678.9", "12345678.90"),
        ("1 234.56", "1234.56"),
        ("１，２３４．５６", "1234.56"),
        ("¥5.10", "5.10"),
        ("￥1,000元", "1000.00"),
        ("CNY 1,000.00", "1000.00"),
        ("人民币500元整", "500.00"),
        ("-3", "-3.00"),
        ("-¥3.00", "-3.00"),
        ("¥-3.00", "-3.00"),
        ("+100.00", "100.00"),
        ("(800.00)", "-800.00"),
        ("（800.00）", "-800.00"),
        ("800.00-", "-800.00"),
        ("0", "0.00"),
        ("100.0000", "100.00"),
        ("1.2E+4", "12000.00"),
        ("1.2e4", "12000.00"),
        ("1.234567E+4", "12345.67"),
        ("5E-1", "0.50"),
        ("19.990000000000002", "19.99"),
        ("0.30000000000000004", "0.30"),
        ("9999999999999999.99", "9999999999999999.99"),
    ],
)
def test_money(delivered, amount):
    assert one(money, delivered) == Decimal(amount)


@pytest.mark.parametrize(
    "delivered",
    [
        "NaN", "inf", "many", "1.2.3", float("nan"), float("inf"), 1e20, "1.234,56", "1 234,56",
        "12,34.5", "1,23", "12,5", "1,2345", "1,234,5", ",5", "1.234", "100.005", 100.005,
        "(-5)", "-5-", "(5", "$5", "USD 5", "5美元", "1.5万", "1.23457E+10", "6.22202E+18", "1e400",
        "1\n234.56", "100²",
        "1'234.56", "1，23", "5 00", "-", "元", "-+5", "--21.78", "(¥-5)", "--5", "+-5",
    ],
)  # fmt: skip
def test_what_is_no_money(delivered):
    assert one(money, delivered) is None


def test_money_from_floats_has_two_decimals():
    assert money(pl.Series([19.99, 0.1 + 0.2, 12345678.9])).to_list() == [
        Decimal("19.99"),
        Decimal("0.30"),
        Decimal("12345678.90"),
    ]


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["", "¥", "￥", "CNY "]))
def test_every_amount_reads_the_same_with_and_without_separators(amount, sign):
    minus = "-" if amount.is_signed() else ""
    written = [f"{amount}", f"{amount:,}", f"{minus}{sign}{abs(amount):,}", f"{amount}00"]
    assert money(pl.Series(written)).to_list() == [amount] * 4


def test_whole_numbers():
    delivered = {
        "25": 25,
        "25.0": 25,
        "-3": -3,
        "２５": 25,
        "1,200": 1200,
        "1.2E+3": 1200,
        "+7": 7,
        "1,20": None,
        "25.5": None,
        "long": None,
        "99999999999": None,
        "3 25": None,
        "1.800,0": None,
        None: None,
    }
    assert whole_number(pl.Series(list(delivered))).to_list() == list(delivered.values())
    assert whole_number(pl.Series([25.0, 25.5, float("nan"), 1e12])).to_list() == [
        25,
        None,
        None,
        None,
    ]
